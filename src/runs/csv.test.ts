import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCsv, parseCsv } from "./csv.ts";

const cell = fc.string({
  unit: fc.oneof(fc.constantFrom(",", ";", '"', "\n", "\r", " ", "\uFEFF"), fc.string({ minLength: 1, maxLength: 1 })),
});
const table = fc.integer({ min: 1, max: 5 }).chain((columns) =>
  fc.record({
    columns: fc.constant(Array.from({ length: columns }, (_, i) => `column ${i}`)),
    rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns })),
  }),
);

test("what is written is read back, whatever the cells hold", () => {
  fc.assert(
    fc.property(table, ({ columns, rows }) => {
      const objects = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])));
      const { header, rows: read } = parseCsv(formatCsv(columns, objects));
      expect(header).toEqual(columns);
      expect(read.map(({ cells }) => cells)).toEqual(objects);
    }),
  );
});

test("line ends, byte-order mark, separator and quoting do not change the content", () => {
  const expected = [
    { path: "a.png", label: "Normal" },
    { path: "b,c.png", label: "" },
  ];
  const plain = 'path,label\na.png,Normal\n"b,c.png",\n';
  for (const text of [
    plain,
    plain.replaceAll("\n", "\r\n"),
    plain.replaceAll("\n", "\r"),
    `\uFEFF${plain}`,
    plain.trimEnd(),
    `${plain}\n\n`,
  ]) {
    expect(parseCsv(text).rows.map(({ cells }) => cells)).toEqual(expected);
  }
  expect(parseCsv('path;label\na.png;Normal\n"b,c.png";\n').rows.map(({ cells }) => cells)).toEqual(expected);
});

test("rows know their line, across quoted line ends", () => {
  expect(parseCsv('a,b\n"x\ny",1\n\nz,2').rows.map(({ line }) => line)).toEqual([2, 5]);
});

test("malformed files are refused with their line", () => {
  expect(() => parseCsv('a,b\n1,"2')).toThrow("line 2");
  expect(() => parseCsv("a,b\n1\n")).toThrow("line 2: 1 fields under 2 columns");
  expect(() => parseCsv('a,b\n1,"2"3\n')).toThrow("after a closing quote");
  expect(() => parseCsv("a,b\n1,2,3\n")).toThrow("line 2");
});

test("numbers and missing values", () => {
  expect(formatCsv(["a", "b"], [{ a: 0.1 + 0.2, b: null }, { a: -0.5 }])).toBe("a,b\n0.30000000000000004,\n-0.5,\n");
});
