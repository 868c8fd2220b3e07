/** A report's data for tests and for looking at: consistent with itself, of any number of classes. */
import { Random } from "../runs/index.ts";
import type { Estimate, ReportCrop, RunReportData } from "./data.ts";

/** One red pixel, PNG. */
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

const around = (value: number): Estimate => ({
  value,
  low: Math.max(0, value - 0.1),
  high: Math.min(1, value + 0.08),
});

export interface ExampleOptions {
  classes?: readonly string[];
  folds?: readonly string[];
  perClass?: number;
  /** Share of right answers. */
  skill?: number;
  id?: string;
}

/** Data of a cross-validation that never was. */
export function exampleReport({
  classes = ["Normal", "Tapered", "Pyriform", "Amorphous"],
  folds = ["1", "2", "3", "4", "5"],
  perClass = 54,
  skill = 0.85,
  id = "Normal/image_001.png",
}: ExampleOptions = {}): RunReportData {
  const random = Random.seeded(7).stream("example");
  const confusion = classes.map((_, i) => {
    const row = classes.map(() => 0);
    for (let n = 0; n < perClass; n++) row[random.uniform() < skill ? i : random.integer(classes.length)]! += 1;
    return row;
  });
  const count = perClass * classes.length;
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const curve = (from: number, to: number) =>
    folds.map((name) => ({
      name,
      points: Array.from({ length: 40 }, (_, i) => ({
        step: 8 * (i + 1),
        value: to + (from - to) * Math.exp(-i / 9) + 0.03 * random.normal(),
      })),
    }));
  const crop = (n: number): ReportCrop => {
    const rest = classes.map(() => random.uniform());
    const total = rest.reduce((a, b) => a + b, 0) * 1.6;
    return {
      id: n === 0 ? id : `${classes[n % classes.length]}/image_${n}.png`,
      picture: PIXEL,
      width: 131,
      height: 131,
      outlines: [Array.from({ length: 40 }, (_, i) => [65 + 18 * Math.cos(i / 6.4), 65 + 25 * Math.sin(i / 6.4)])],
      fold: folds[n % folds.length]!,
      truth: classes[n % classes.length]!,
      predicted: classes[(n + 1) % classes.length]!,
      probabilities: rest.map((v, c) => v / total + (c === (n + 1) % classes.length ? 1 - 1 / 1.6 : 0)),
    };
  };
  const accuracy = correct / count;
  return {
    title: "Cross-validation on hushem",
    protocol: {
      text: "Fixed number of steps, averaged last weights; nothing was chosen on test folds.",
      split: `The ${folds.length} folds come with the data.`,
      transductive: false,
      grouping: [],
    },
    dataset: {
      kind: "hushem",
      images: count,
      tested: count,
      skipped: 0,
      hash: "0".repeat(64),
      classes,
      counts: classes.map(() => perClass),
    },
    metrics: {
      count,
      correct,
      accuracy,
      accuracyInterval: around(accuracy),
      balancedAccuracy: accuracy,
      macroPrecision: accuracy,
      macroRecall: accuracy,
      macroF1: accuracy,
      kappa: 0.8,
      logLoss: 0.5,
      brier: 0.25,
      calibrationError: 0.04,
      confusion,
    },
    classes: classes.map((name, c) => {
      const predicted = confusion.reduce((sum, row) => sum + row[c]!, 0);
      const hits = confusion[c]![c]!;
      return {
        name,
        support: perClass,
        predicted,
        precision: around(hits / Math.max(1, predicted)),
        recall: around(hits / perClass),
        f1: around((2 * hits) / (perClass + predicted)),
      };
    }),
    folds: folds.map((name) => ({
      name,
      train: count - Math.round(count / folds.length),
      test: Math.round(count / folds.length),
      correct: Math.round(correct / folds.length),
      accuracy: around(accuracy + 0.02 * random.normal()),
      balancedAccuracy: accuracy,
      macroF1: accuracy,
      logLoss: 0.5,
      seconds: 123,
      peakRssBytes: 7e8,
    })),
    calibration: Array.from({ length: 10 }, (_, i) => {
      const confidence = (i + 0.5) / 10;
      return { from: i / 10, to: (i + 1) / 10, confidence, count: i < 2 ? 0 : 5 * i * i, ...around(confidence ** 1.2) };
    }),
    coverage: Array.from({ length: 100 }, (_, i) => {
      const share = (i + 1) / 100;
      return {
        share,
        count: Math.ceil(share * count),
        confidence: 1 - 0.6 * share,
        ...around(1 - (1 - accuracy) * share ** 2),
      };
    }),
    curves: {
      stage1: curve(3, 0.9),
      stage2: curve(1.6, 0.55),
      trainingAccuracy: curve(0.3, 0.93),
      testAccuracy: folds.map((name) => ({ name, points: [] })),
    },
    masks: {
      reliability: Array.from({ length: count }, () => Math.min(1, Math.max(0, random.normal(0.9, 0.06)))),
      rejected: 3,
      testOverlap: Array.from({ length: count }, () => Math.min(1, Math.max(0, random.normal(0.88, 0.05)))),
      trainingOverlap: 0.9,
      replaced: 12,
      taught: count * (folds.length - 1),
    },
    mistakes: Array.from({ length: Math.min(24, count - correct) }, (_, n) => crop(n)),
    doubtful: Array.from({ length: 6 }, (_, n) => {
      const { truth: _truth, predicted: _predicted, probabilities: _probabilities, ...rest } = crop(n);
      return { ...rest, pseudoOutlines: rest.outlines, notes: ["agreement 0.63", "pseudo-mask rated 0.90"] };
    }),
    labels: {
      count,
      doubted: 30,
      crops: Array.from({ length: 3 }, (_, n) => {
        const { predicted: likely, fold: _fold, ...rest } = crop(n);
        return { ...rest, likely };
      }),
    },
    problems: [],
    config: { tune: { steps: 320 } },
    changed: [],
    environment: {
      node: "v24",
      onnxruntime: "1.30",
      platform: "linux x64",
      cpu: "a processor",
      cores: 2,
      memoryBytes: 16e9,
    },
    seed: 1,
    threads: 2,
    device: "cpu",
    seconds: 615,
    peakRssBytes: 7e8,
    version: "0.1.0",
    command: "androscope crossval data/hushem --seed 1 --out runs/hushem-1",
  };
}
