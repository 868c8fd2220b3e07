/** README.md's paragraph on HuSHeM. */
import type { AlterationName, RowSummary, Study, StudyResults } from "../src/evaluation/index.ts";
import { DEFAULT, PROBE } from "./aims.ts";
import { type Structure, structureMetrics } from "./mhsma.ts";
import { readResults, summaryOf } from "./read-results.ts";
import { imagenetInside, ownSearch } from "./searches.ts";
import { alteredAccuracy, changedOnAverage, nestedTold, percent, seedsOf } from "./sections.ts";
import { study as ablation } from "./studies/ablation.ts";
import { study as fewLabels } from "./studies/few-labels.ts";
import { study as imagenetFull } from "./studies/imagenet-full.ts";
import { study as labelNoise } from "./studies/label-noise.ts";

/** What wrong and few labels leave, and what refined labels do for them, once all sides of it were computed. */
function refinedHeadline(): string[] {
  const of = (study: Study) => new Map(summaryOf(study).map((row) => [row.name, row]));
  const [noise, few] = [of(labelNoise), of(fewLabels)];
  const names = ["raw-20", "whole-20", "default-20", "refined-wavelets-20", "refined-20"];
  const [raw, network, usual, refined, refinedNetwork] = names.map((name) => noise.get(name));
  const [scratch, spreadNetwork, spread] = ["scratch-10", "refined-10", "refined-wavelets-10"].map((name) =>
    few.get(name),
  );
  if (!raw || !network || !usual || !refined || !refinedNetwork || !scratch || !spreadNetwork || !spread) return [];
  const said = ({ mean, seeds }: RowSummary) => `**${percent(mean)}** (${seedsOf(seeds.length)})`;
  return [
    "",
    `Where a fifth of the training labels is wrong, the default keeps ${said(usual)}, the network by itself ${percent(network.mean)}, a network on whole crops ${percent(raw.mean)}.`,
    "With `tune.refineLabels`, which weighs each label against the heads that look alike to stage 1 and to wavelets,",
    `it keeps ${said(refined)}, the network by itself ${percent(refinedNetwork.mean)}; with a tenth of the labels ${said(spread)} with wavelets that learned heads in focus alone, the network by itself ${percent(spreadNetwork.mean)}, one from scratch ${percent(scratch.mean)}.`,
    "`labels.csv` and the report list the labels to look at again.",
    ...refinedOnMhsma(),
  ];
}

/** Where refining labels does harm, as far as it was computed. */
function refinedOnMhsma(): string[] {
  const results = readResults<StudyResults>("studies/mhsma-search.json");
  const [plain, refined] = ["chosen", "refined"].map((name) => results?.entries.find(({ row }) => row === name));
  if (!results || !plain || !refined) return [];
  const lost = (structure: Structure) => {
    const of = (entry: typeof plain) => structureMetrics(results, [entry], structure).accuracy;
    return (100 * (of(plain) - of(refined))).toFixed(1);
  };
  return [
    `It is off by default: on MHSMA it costs ${lost("head")} points for heads and ${lost("acrosome")} for the acrosome.`,
  ];
}

export function headline(): string {
  const rows = new Map(summaryOf(ablation).map((row) => [row.name, row]));
  const [raw, posed, network, alone, usual] = ["raw", "posed", "whole", "wavelets-alone", DEFAULT].map(
    (name) => rows.get(name)!,
  );
  const said = (row: RowSummary) => `${percent(row.mean)} (${seedsOf(row.seeds.length)})`;
  const altered = readResults<StudyResults>("studies/ablation.json")!;
  const on = (row: string, name: AlterationName) => percent(alteredAccuracy(altered, row, name));
  return [
    `Published five folds, default configuration: accuracy ${withEnsemble(usual!)}; the 95 % interval of one run is about ±4 points.`,
    `A network on whole crops has ${said(raw!)}; turning heads upright by their masks, learned without labels, brings`,
    `${said(posed!)}. What comes on top makes no difference that can be told from chance at all labels: the network by itself, with background`,
    `removed, pooling over the mask and distilled features, has ${said(network!)}, a ridge regression on wavelets of upright heads, which`,
    `learns no features, ${said(alone!)}, and the default is the mean of both. The paper reports 96.5 %.`,
    ...nestedHeadline(),
    ...probeHeadline(),
    "",
    `What the mean of both is for is images unlike those it learned from. The network by itself needs its stain: it falls to ${on("whole", "other-stain")} where that has another hue,`,
    `to ${on("whole", "grey")} without colour and to ${on("whole", "35-pixels")} at 35 × 35 grey pixels. **With wavelets beside it, it keeps ${on(DEFAULT, "other-stain")}, ${on(DEFAULT, "grey")} and ${on(DEFAULT, "35-pixels")}**, and out of focus ${on(DEFAULT, "blurred")} (${on("whole", "blurred")} without).`,
    `Where heads stand on another class's background it keeps ${on(DEFAULT, "other-background")}, and a network on whole crops ${on("raw", "other-background")};`,
    `random turns change ${percent(changedOnAverage(altered, DEFAULT, "turned"))} of its predictions.`,
    ...refinedHeadline(),
    "Tables, figures, calibration, what was tried and what failed: [docs/results.md](docs/results.md).",
  ].join("\n");
}

/** "92.6 %", its seeds, and what their mean has. */
function withEnsemble({ mean, seeds, ensemble }: RowSummary): string {
  const together = ensemble === undefined ? "" : `, their mean ${percent(ensemble.accuracy)}`;
  return `**${percent(mean)}** (${seedsOf(seeds.length)}${together})`;
}

/** What is left of the accuracy where no recipe was settled with any image of the fold that it is tested on. */
function nestedHeadline(): string[] {
  const search = ownSearch();
  const nested = search && nestedTold(search);
  return nested
    ? [`Where each fold chooses for itself among ${search.rows.length} recipes, inside its training folds: ${nested}.`]
    : [];
}

function probeHeadline(): string[] {
  const probe = summaryOf(imagenetFull).find(({ name }) => name === PROBE);
  if (!probe) return [];
  const inside = imagenetInside();
  const own = inside && nestedTold(inside);
  const nested = own ? `; where each fold chooses for itself inside its training folds, ${own}` : "";
  return [
    `With what a network trained on ImageNet sees in the place of wavelets (\`tune.probe\`; the weights are yours to fetch) it has ${withEnsemble(probe)}${nested}.`,
  ];
}
