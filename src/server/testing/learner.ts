/** What the tests of learnings share: a learner that answers when it is told to, decided heads, and a learning's end. */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Learning } from "../api.ts";
import { type Learned, type Learner, type LearningOrder, MODELS, modelFile } from "../learnings/learner.ts";
import { CLASSES, type Client, photograph, standIn, type TestApp } from "./support.ts";

/** Of the model that it learns. */
export const HASH = "ab".repeat(32);
const HELD_HEADS = 12;

/** Takes what it is given, and answers when it is told to. */
export function standInLearner() {
  const orders: LearningOrder[] = [];
  const opened: string[] = [];
  const opening: {
    /** How long it takes. */
    wait?: () => Promise<void>;
    /** Of the model that is opened; `base`: from which it was learned. */
    classes?: string[];
    model?: string;
    base?: string;
    /** How many were given back. */
    disposed: number;
  } = { disposed: 0 };
  /** What learning throws before it has begun. */
  const failing: { error?: Error } = {};
  let answer: (learned: Learned | Error) => void = () => {};
  const learner: Learner = {
    learn(order, signal, heard) {
      orders.push(order);
      if (failing.error) throw failing.error;
      heard({ done: 1, of: 4 });
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        answer = (learned) => (learned instanceof Error ? reject(learned) : resolve(learned));
      });
    },
    async open(model) {
      opened.push(model);
      await opening.wait?.();
      const description = {
        ...standIn().describe(),
        classes: opening.classes ?? CLASSES,
        model: opening.model ?? HASH,
        ...(opening.base === undefined ? {} : { adapted: { base: opening.base, heads: 30 } }),
      };
      return { ...standIn(), describe: () => description, dispose: () => void opening.disposed++ };
    },
    dispose() {},
  };
  return { learner, orders, opened, opening, failing, answer: (learned: Learned | Error) => answer(learned) };
}

export const learnedFrom = ({ images }: LearningOrder, model: string | null = HASH): Learned => ({
  ...(model === null ? {} : { model, strength: 0.1 }),
  learned: { heads: 30, images: 3 },
  comparison: {
    ...{ heads: HELD_HEADS, groups: 2, correct: { before: 6, after: 9 }, mended: 4, spoilt: 1 },
    interval: { low: -0.05, high: 0.55 },
    classes: CLASSES.map(() => ({ heads: 4, before: 2, after: 3 })),
  },
  changed: images.flatMap(({ held, heads }) =>
    held ? heads.slice(0, 1).map(({ id, label }) => ({ id, label, before: "Normal", after: label })) : [],
  ),
});

export interface Work {
  client: Client;
  reader: number;
  sample: number;
}

/** So many photographs of a dozen heads, decided class by class. */
export async function decideHeads({ client, reader, sample }: Work, photographs: number, from = 0): Promise<number[]> {
  const files: Record<string, Uint8Array> = {};
  for (let k = 0; k < photographs; k++) files[`${from + k}.png`] = await photograph(12, 100 + from + k);
  await client.upload(sample, "field", files);
  await client.analysed(sample);
  const heads = (await client.heads(sample, reader)).filter(({ decision }) => decision === null);
  const decisions = heads.map(({ id }, i) => ({
    ...{ id: randomUUID(), head: id },
    value: { kind: "class" as const, class: CLASSES[i % CLASSES.length]! },
  }));
  await client.call("decide", { body: { reader, decisions } });
  return heads.map(({ id }) => id);
}

/** A learning that no longer runs. */
export async function learningEnded({ client, reader }: Omit<Work, "sample">, id: number): Promise<Learning> {
  for (let k = 0; k < 500; k++) {
    const { learning } = await client.call("getLearning", { params: { learning: id }, query: { reader } });
    if (learning.state !== "running") return learning;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("the learning does not end");
}

/** Some file in the place of the learned model. */
export async function putModel({ folder }: TestApp): Promise<void> {
  await mkdir(join(folder, MODELS), { recursive: true });
  await writeFile(join(folder, MODELS, modelFile(HASH)), "a model");
}
