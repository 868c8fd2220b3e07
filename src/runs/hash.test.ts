import { expect, test } from "vitest";
import { hashOf } from "./hash.ts";

test("the hash of the text without spaces, keys in order", () => {
  // printf '{"a":[1,"x",null],"b":{"c":1.5,"d":true}}' | sha256sum
  const expected = "5dff0f2c67b65b82b2fab2bd8a07e85c659a109e871ffae32645bf5ee2bd50a7";
  expect(hashOf({ a: [1, "x", null], b: { c: 1.5, d: true } })).toBe(expected);
  expect(hashOf({ b: { d: true, c: 1.5, e: undefined }, a: [1, "x", null] })).toBe(expected);
});

test("whatever differs changes it: a value, a key, the order of a list", () => {
  const values = [
    {},
    { a: 1 },
    { a: 2 },
    { b: 1 },
    { a: "1" },
    { a: [1, 2] },
    { a: [2, 1] },
    { a: { b: 1 } },
    [],
    null,
  ];
  expect(new Set(values.map(hashOf)).size).toBe(values.length);
});
