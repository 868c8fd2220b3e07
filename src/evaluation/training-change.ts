/**
 * What a study takes from the training images of a fold before anything is learnt from them: images, labels, or their
 * truth. The test images stay as they are.
 */
import type { Random } from "../runs/index.ts";

export interface TrainingChange {
  /** Share of the training images that are there at all. */
  images?: number;
  /** Share of those that have a label; the others are for stage 1 only. */
  labelled?: number;
  /** Share of those labels that are wrong, and what they then say. */
  flipped?: {
    share: number;
    /** Class → the class it is mistaken for; one of the others at random where it is not named. */
    to?: Readonly<Record<string, string>>;
  };
}

export interface ChangedTraining {
  train: number[];
  /** Without their labels. */
  unlabelled: number[];
  /** Sample and the wrong label it is learnt with. */
  relabelled: [number, number][];
}

/**
 * Draws a change. Shares hold within each class, of which one image always stays; a larger share keeps what a smaller one
 * keeps, so that steps of a study differ by what is added.
 * @param label of a sample, as an index into `classes`
 */
export function changedTraining(
  train: readonly number[],
  label: (sample: number) => number,
  classes: readonly string[],
  { images = 1, labelled = 1, flipped }: TrainingChange,
  random: Random,
): ChangedTraining {
  const share = (samples: readonly number[], kept: number, name: string): [number[], number[]] => {
    const chosen = new Set<number>();
    for (const c of classes.keys()) {
      const members = random.stream(name, c).shuffle(samples.filter((i) => label(i) === c));
      for (const i of members.slice(0, Math.max(1, Math.round(kept * members.length)))) chosen.add(i);
    }
    return [samples.filter((i) => chosen.has(i)), samples.filter((i) => !chosen.has(i))];
  };
  const [present] = images < 1 ? share(train, images, "images") : [[...train]];
  const [kept, unlabelled] = labelled < 1 ? share(present, labelled, "labels") : [present, []];
  const relabelled: [number, number][] = [];
  if (flipped && flipped.share > 0) {
    for (const c of classes.keys()) {
      const members = random.stream("flips", c).shuffle(kept.filter((i) => label(i) === c));
      const named = classes.indexOf(flipped.to?.[classes[c]!] ?? "");
      for (const i of members.slice(0, Math.round(flipped.share * members.length))) {
        const other = random.stream("flip", i).integer(classes.length - 1);
        relabelled.push([i, named >= 0 ? named : other + (other >= c ? 1 : 0)]);
      }
    }
  }
  return { train: kept, unlabelled, relabelled };
}

/** One sentence for protocols and tables; empty where nothing is changed. */
export function describeChange({ images = 1, labelled = 1, flipped }: TrainingChange): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const parts = [
    ...(images < 1 ? [`${percent(images)} of the training images were kept`] : []),
    ...(labelled < 1 ? [`${percent(labelled)} of the training labels were kept`] : []),
    ...(flipped && flipped.share > 0
      ? [
          `${percent(flipped.share)} of the training labels were flipped${flipped.to ? " to the class they resemble" : ""}`,
        ]
      : []),
  ];
  return parts.length ? `${parts.join(", ")}.` : "";
}
