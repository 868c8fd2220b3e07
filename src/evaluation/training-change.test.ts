/** Changes of the training images: shares within classes, nested, and labels that are really others. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { changedTraining, describeChange } from "./training-change.ts";

const CLASSES = ["a", "b", "c"];
const sets = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 3, maxLength: 60 });
const share = fc.double({ min: 0.05, max: 1, noNaN: true });

const change = (labels: readonly number[], what: Parameters<typeof changedTraining>[3], seed = 1) =>
  changedTraining(
    labels.map((_, i) => i),
    (i) => labels[i]!,
    CLASSES,
    what,
    Random.seeded(seed),
  );

const counts = (labels: readonly number[], samples: readonly number[]) =>
  CLASSES.map((_, c) => samples.filter((i) => labels[i] === c).length);

test("without a change everything stays", () => {
  fc.assert(
    fc.property(sets, (labels) => {
      expect(change(labels, {})).toEqual({ train: labels.map((_, i) => i), unlabelled: [], relabelled: [] });
    }),
  );
});

test("shares of labels hold within classes, and a larger share keeps what a smaller one keeps", () => {
  fc.assert(
    fc.property(sets, share, share, (labels, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)].map((labelled) => change(labels, { labelled }));
      const all = counts(labels, [...labels.keys()]);
      expect(counts(labels, less!.train)).toEqual(
        all.map((n) => (n ? Math.max(1, Math.round(Math.min(a, b) * n)) : 0)),
      );
      expect([...less!.train, ...less!.unlabelled].sort((x, y) => x - y)).toEqual([...labels.keys()]);
      expect(more!.train).toEqual(expect.arrayContaining(less!.train));
    }),
  );
});

test("dropped images are neither learnt from nor there for stage 1", () => {
  const labels = Array.from({ length: 30 }, (_, i) => i % 3);
  const { train, unlabelled } = change(labels, { images: 0.5, labelled: 0.4 });
  expect(counts(labels, train)).toEqual([2, 2, 2]);
  expect(counts(labels, unlabelled)).toEqual([3, 3, 3]);
});

test("flipped labels are other ones, of trained samples, in the share asked for", () => {
  fc.assert(
    fc.property(sets, share, fc.integer({ min: 1, max: 99 }), (labels, flips, seed) => {
      const { train, relabelled } = change(labels, { flipped: { share: flips } }, seed);
      const all = counts(labels, train);
      expect(relabelled).toHaveLength(all.reduce((sum, n) => sum + Math.round(flips * n), 0));
      for (const [sample, label] of relabelled) {
        expect(label).not.toBe(labels[sample]);
        expect(CLASSES[label]).toBeDefined();
      }
    }),
  );
});

test("flips go where they are sent", () => {
  const labels = Array.from({ length: 30 }, (_, i) => i % 3);
  const { relabelled } = change(labels, { flipped: { share: 0.3, to: { a: "b", b: "c", c: "a" } } });
  expect(relabelled.map(([sample, label]) => [labels[sample], label])).toEqual(
    expect.arrayContaining([
      [0, 1],
      [1, 2],
      [2, 0],
    ]),
  );
  expect(relabelled.every(([sample, label]) => label === (labels[sample]! + 1) % 3)).toBe(true);
});

test("in words", () => {
  expect(describeChange({})).toBe("");
  expect(describeChange({ labelled: 0.1, flipped: { share: 0.2 } })).toBe(
    "10 % of the training labels were kept, 20 % of the training labels were flipped.",
  );
});
