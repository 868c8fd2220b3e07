/** What was asked for beside what was measured, as Markdown. */
import { type AlterationName, bootstrap, hitsOf, type RowSummary, type StudyResults } from "../src/evaluation/index.ts";
import { percent, points, seedsOf } from "./sections.ts";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The network with a linear probe on ImageNet's weights beside it. */
export const PROBE = "probe-full-128";
/** The network with a linear probe on wavelets beside it, which learned heads out of focus, too. */
export const DEFAULT = "wavelets-blur";

export interface Measured {
  ablation: StudyResults;
  ablationRows: readonly RowSummary[];
  fewLabels: readonly RowSummary[];
  labelNoise?: StudyResults;
  /** Starts from ImageNet, all of them, in the order of their studies. */
  imagenet: readonly RowSummary[];
  /** Rows of the ablation and {@link PROBE}, on the same images in the same order. */
  probed?: StudyResults;
  /** On the official test part. */
  mhsma: string;
  /** Share of the predictions that an alteration changes, mean over the seeds of a row. */
  changed(row: string, name: AlterationName): number;
}

/** What row `a` has over row `b` in points, over the seeds that both have. */
function gain(results: StudyResults, a: string, b: string): string {
  const of = (row: string) => new Map(results.entries.filter((e) => e.row === row).map((e) => [e.seed, e]));
  const [first, second] = [of(a), of(b)];
  const seeds = [...first.keys()].filter((seed) => second.has(seed));
  const gains = seeds.map((seed) => {
    const [x, y] = [hitsOf(results, first.get(seed)!), hitsOf(results, second.get(seed)!)];
    return x.map((hit, i) => Number(hit) - Number(y[i]));
  });
  const { low, high } = bootstrap(gains);
  return `${points(mean(gains.map(mean)))} points (${points(low)} to ${points(high)}; ${seedsOf(seeds.length)})`;
}

/** What flipped labels cost the baseline and the method, each over the seeds that it has with and without them. */
function lossByFlips({ ablation, labelNoise }: Measured): string {
  const accuracies = (results: StudyResults | undefined, row: string) =>
    new Map(results?.entries.filter((entry) => entry.row === row).map(({ seed, accuracy }) => [seed, accuracy]));
  const loss = (clean: string, flipped: string) => {
    const [before, after] = [accuracies(ablation, clean), accuracies(labelNoise, flipped)];
    const seeds = [...after.keys()].filter((seed) => before.has(seed));
    return { seeds: seeds.length, mean: mean(seeds.map((seed) => before.get(seed)! - after.get(seed)!)) };
  };
  const raw = loss("raw", "raw-20");
  if (raw.seeds === 0) return "not computed yet";
  const lose = (lost: number) => `${(100 * lost).toFixed(1)} points`;
  const told = (name: string, clean: string, flipped: string) => {
    const { seeds, mean: lost } = loss(clean, flipped);
    return seeds === 0 ? [] : [`${name} ${lose(lost)}, ${(lost / raw.mean).toFixed(2)} of it (${seedsOf(seeds)})`];
  };
  return [
    `baseline ${lose(raw.mean)} (${seedsOf(raw.seeds)})`,
    ...told("the network", "whole", "whole-20"),
    ...told("with generalised cross-entropy", "generalised", "generalised-20"),
    ...told("with refined labels", "refined", "refined-20"),
    ...told("the default", DEFAULT, "default-20"),
    ...told(
      "the default with refined labels, against the default where labels are right",
      DEFAULT,
      "refined-wavelets-20",
    ),
    ...(labelNoise
      ? [
          `with so many labels flipped, refining gives the default ${gain(labelNoise, "refined-wavelets-20", "default-20")}`,
        ]
      : []),
    ...told("for comparison, a linear probe on wavelets alone", "wavelets-alone", "wavelets-20"),
  ].join("; ");
}

export function aimsSection(measured: Measured): string {
  const { ablation, ablationRows, fewLabels, imagenet, probed, mhsma, changed } = measured;
  const row = (name: string) => ablationRows.find((summary) => summary.name === name)!;
  const said = ({ mean: accuracy, seeds }: RowSummary) => `${percent(accuracy)} (${seedsOf(seeds.length)})`;
  const [posed, network, usual] = [row("posed"), row("whole"), row(DEFAULT)];
  const found = (name: string) => ablationRows.filter((summary) => summary.name === name);
  const beside = [
    ["with wavelets that learned heads in focus alone", "wavelets"],
    ["the network by itself", "whole"],
    ["the network with refined labels", "refined"],
    ["wavelets alone", "wavelets-alone"],
  ].flatMap(([how, name]) => found(name!).map((summary) => `, ${how} ${said(summary)}`));
  const few = [
    ["features alone", "distilled-10"],
    ["with refined labels", "refined-10"],
    ["with labels refined by wavelets, too, and a probe on them beside it", "refined-wavelets-10"],
    ["for comparison, wavelets alone on upright heads", "wavelets-10"],
  ].flatMap(([how, name]) => {
    const summary = fewLabels.find((one) => one.name === name);
    if (!summary?.difference) return [];
    const { mean: gained, interval } = summary.difference;
    return [
      `${how} ${points(gained)} points (${points(interval.low)} to ${points(interval.high)}; ${seedsOf(summary.seeds.length)})`,
    ];
  });
  const lines: [string, string, string][] = [
    [
      "HuSHeM, one network",
      "94.0 % (mean of 5 seeds)",
      `default ${said(usual)}${beside.join("")}, upright heads alone ${said(posed)}${imagenet.length > 0 ? `; started from ImageNet, which is optional and not shipped: ${imagenet.map((start) => `\`${start.name}\` ${said(start)}`).join(", ")}` : ""}`,
    ],
    [
      "HuSHeM, ensemble of seeds",
      "95.5 % (5 seeds)",
      [usual, ...found("wavelets"), network, ...found("refined"), posed, ...imagenet]
        .flatMap(({ name, ensemble, seeds }) =>
          ensemble ? [`\`${name}\` ${percent(ensemble.accuracy)} (${seedsOf(seeds.length)})`] : [],
        )
        .join(", "),
    ],
    [
      "whole method over raw crops",
      "12 points",
      `${gain(ablation, DEFAULT, "raw")}, of which over the network by itself ${gain(ablation, DEFAULT, "whole")}; the network by itself ${gain(ablation, "whole", "raw")}${probed ? `; with a linear probe on ImageNet's weights beside the network instead of wavelets ${gain(probed, PROBE, "raw")}, of which over the network by itself ${gain(probed, PROBE, "whole")}` : ""}`,
    ],
    ["stage 1 at 10 % of the labels", "5 points, interval above 0", few.join("; ") || "not computed yet"],
    ["loss at 20 % flipped labels", "half the baseline's", lossByFlips(measured)],
    ["MHSMA head / acrosome / vacuole", "82 / 79 / 92 %", mhsma],
    ["masks of stage 1, median Dice / below 0.7", "0.96 / 0.8 %", "0.9505 / 0.4 %"],
    [
      "calibration error",
      "0.05",
      `${usual.calibrationError.toFixed(3)}; with a temperature chosen on the other folds, as in the shipped model, ${usual.calibratedError.toFixed(3)}`,
    ],
    [
      "predictions changed by a random turn",
      "5 %",
      `${percent(changed(DEFAULT, "turned"))}; the network by itself ${percent(changed("whole", "turned"))}`,
    ],
  ];
  return [
    "| what | aim, at least | measured |",
    "|---|---|---|",
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}
