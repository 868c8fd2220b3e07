/**
 * Writes what studies and votes say into docs/results.md, between its markers, and draws the studies: npm run results.
 * Nothing there is typed; experiments/report.test.ts holds the document to the JSON.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type AlterationName,
  type RowSummary,
  type Study,
  type StudyResults,
  summarizeStudy,
} from "../src/evaluation/index.ts";
import { writeFileAtomic } from "../src/runs/index.ts";
import { type AdaptationRow, adaptationHeadline, adaptationSection } from "./adaptation-section.ts";
import { aimsSection, PROBE } from "./aims.ts";
import { certaintyPlots } from "./certainty-plot.ts";
import { type FieldDetection, fieldHeadline, fieldSection } from "./field-section.ts";
import {
  type RareClassCount,
  type RefinementCount,
  rareClassSection,
  refinementSection,
} from "./label-refinement-section.ts";
import { accuraciesOf, choicesTable, mhsmaTables, type Published } from "./mhsma.ts";
import type { Choice } from "./mhsma-choices.ts";
import { modelCard } from "./model-card.ts";
import type { ScianStandIns } from "./scian-stand-ins.ts";
import type { ScianVotes } from "./scian-votes.ts";
import {
  alteredAccuracy,
  changedOnAverage,
  coverageOf,
  nestedTold,
  percent,
  points,
  robustnessSection,
  type Search,
  searchSection,
} from "./sections.ts";
import type { ShippedModel } from "./shipped-model.ts";
import { study as ablation } from "./studies/ablation.ts";
import { study as fewLabels } from "./studies/few-labels.ts";
import { study as grey35 } from "./studies/grey-35.ts";
import { study as imagenet } from "./studies/imagenet.ts";
import { study as imagenetFull } from "./studies/imagenet-full.ts";
import { study as imagenetSearch } from "./studies/imagenet-search.ts";
import { study as labelNoise } from "./studies/label-noise.ts";
import { study as mhsma } from "./studies/mhsma.ts";
import { study as mhsmaFinal } from "./studies/mhsma-final.ts";
import { study as mhsmaGroups } from "./studies/mhsma-groups.ts";
import { study as mhsmaRaw } from "./studies/mhsma-raw.ts";
import { study as recipes } from "./studies/recipes.ts";
import { study as search } from "./studies/search.ts";
import { studyPlot } from "./study-plot.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const DOCUMENT = at("../docs/results.md");
export const CARD = at("../models/hushem.md");
const RESULTS = at("results/");

function readResults<T>(path: string): T | undefined {
  const file = join(RESULTS, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

const summaryOf = (study: Study) => {
  const results = readResults<StudyResults>(`studies/${study.name}.json`);
  return results ? summarizeStudy(study, results) : [];
};

/** A study as Markdown. */
export function studySection(study: Study, rows: readonly RowSummary[]): string {
  if (rows.length === 0) return "Not computed yet.";
  const missing = study.seeds.filter((seed) => rows.some(({ seeds }) => !seeds.includes(seed)));
  const cells = rows.map(
    ({ name, what, mean, deviation, accuracies, ensemble, difference, calibrationError, calibratedError }) => {
      const spread = accuracies.length > 1 ? ` ± ${(100 * deviation).toFixed(1)}` : "";
      const gain = difference
        ? `${points(difference.mean)} (${points(difference.interval.low)} to ${points(difference.interval.high)}) against \`${difference.against}\``
        : "";
      return `| \`${name}\` | ${what} | **${percent(mean)}**${spread} | ${accuracies.length} | ${ensemble ? percent(ensemble.accuracy) : ""} | ${calibrationError.toFixed(3)}, ${calibratedError.toFixed(3)} | ${gain} |`;
    },
  );
  return [
    study.about,
    "",
    "| row | what | accuracy, mean over seeds ± deviation | seeds | ensemble of the seeds | calibration error, with a temperature chosen on the other folds | difference in points, 95 % interval |",
    "|---|---|---|---|---|---|---|",
    ...cells,
    "",
    "Intervals: images and seeds drawn with replacement, the same for both rows of a pair.",
    ...(missing.length > 0
      ? [
          "",
          `**Unfinished:** of ${study.rows.length} rows and ${study.seeds.length} seeds ${rows.reduce((sum, { seeds }) => sum + seeds.length, 0)} of ${study.rows.length * study.seeds.length} cross-validations are there. With one seed a difference says little.`,
        ]
      : []),
    "",
    `![${study.title}](images/study-${study.name}.svg)`,
  ].join("\n");
}

/** What the experts' votes of SCIAN say, as Markdown. */
export function scianSection({ sets }: ScianVotes): string {
  const row = (name: string, cell: (set: ScianVotes["sets"][number]) => string) =>
    `| ${name} | ${sets.map(cell).join(" | ")} |`;
  const experts = sets[0]!.summary.againstOthers.map((_, i) => i);
  const interval = ({ value, interval: { low, high } }: ScianVotes["sets"][number]["summary"]["majorityClass"]) =>
    `${percent(value)} (${percent(low)} to ${percent(high)})`;
  return [
    row("", ({ name }) => name),
    `|---|${sets.map(() => "---").join("|")}|`,
    row("images", ({ summary }) => String(summary.images)),
    row("all three agree / two / none", ({ summary }) => [...summary.unanimity].reverse().join(" / ")),
    row("always the most frequent class", ({ summary }) => interval(summary.majorityClass)),
    ...experts.map((i) =>
      row(`expert ${i + 1} against the two others, where these agree`, ({ summary }) =>
        interval(summary.againstOthers[i]!),
      ),
    ),
    ...experts.map((i) =>
      row(`expert ${i + 1} against the majority, own vote included`, ({ summary }) =>
        interval(summary.againstMajority[i]!),
      ),
    ),
    row("Cohen's κ of the pairs", ({ summary }) => summary.pairs.map(({ kappa }) => kappa.toFixed(3)).join(", ")),
    row("Fleiss' κ", ({ summary }) => summary.fleissKappa.toFixed(3)),
  ].join("\n");
}

/** The protocols of SCIAN on drawn stand-ins, as Markdown. */
export function standInsSection({ runs, planned, votesAgainstLabels }: ScianStandIns): string {
  const { accuracy, votesCrossEntropy, seeds, images } = votesAgainstLabels;
  const nats = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
  const range = ({ mean, interval }: typeof accuracy, told: (value: number) => string) =>
    `${told(mean)} (95 % interval ${told(interval.low)} to ${told(interval.high)})`;
  return [
    "| protocol | targets | seed | right | accuracy | balanced | against the votes, nats | fields in more than one fold | tested in each fold |",
    "|---|---|---|---|---|---|---|---|---|",
    ...runs.map((run) => {
      const fields = run.grouping.find(({ key }) => key === "group")!;
      const folds = run.folds.map(({ name, test }) => `${name} ${test}`).join(", ");
      return `| ${run.protocol} | ${run.votes ? "votes" : "labels"} | ${run.seed} | ${run.correct} of ${run.count} | ${percent(run.accuracy)} | ${percent(run.balancedAccuracy)} | ${run.votesCrossEntropy.toFixed(3)} | ${fields.divided} of ${fields.count} | ${folds} |`;
    }),
    ...(runs.length < planned ? ["", `**Unfinished:** ${runs.length} of ${planned} cross-validations are there.`] : []),
    "",
    `Votes less labels as targets, partial agreement, ${images} images and ${seeds} seeds drawn with replacement: accuracy against the majority ${range(accuracy, points)} points; cross-entropy against the experts' shares ${range(votesCrossEntropy, nats)} nats, where less is better.`,
  ].join("\n");
}

/** Replaces what stands between the markers of a block. @throws where the markers are missing */
function filled(document: string, block: string, content: string): string {
  const [open, close] = [`<!-- ${block} -->`, `<!-- /${block} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`no ${open} … ${close} in the document`);
  return `${document.slice(0, from + open.length)}\n${content}\n${document.slice(to)}`;
}

export const STUDIES = [ablation, fewLabels, labelNoise, grey35, imagenet, imagenetFull];

/** Rows of the ablation that are recipes of the search: computed once. */
const SAME: Readonly<Record<string, string>> = {
  whole: "default",
  pooled: "scratch",
  wavelets: "wavelets",
  "wavelets-alone": "wavelets-alone",
};

/** What the recipes of the search score on single folds, as far as it is known. */
function outerResults(): StudyResults | undefined {
  const [known, more] = [ablation, recipes].map(({ name }) => readResults<StudyResults>(`studies/${name}.json`));
  if (!known) return undefined;
  const renamed = known.entries.filter(({ row }) => SAME[row]).map((entry) => ({ ...entry, row: SAME[entry.row]! }));
  return { ...known, entries: [...renamed, ...(more?.entries ?? [])] };
}

/** The search without weights from elsewhere. */
function ownSearch(): Search | undefined {
  const [inner, outer] = [readResults<StudyResults>("studies/search.json"), outerResults()];
  return inner && outer && { about: search.about, rows: search.rows, inner, outer };
}

/** Starts from ImageNet beside the default, all inside the same pairs of folds. */
function imagenetInside(): Search | undefined {
  const [own, inner] = [ownSearch(), readResults<StudyResults>("studies/imagenet-search.json")];
  const full = readResults<StudyResults>("studies/imagenet-full.json");
  if (!own || !inner) return undefined;
  const ofBase = (results: StudyResults) => results.entries.filter(({ row }) => row === "default");
  return {
    about: imagenetSearch.about,
    rows: [...search.rows.filter(({ name }) => name === "default"), ...imagenetSearch.rows],
    inner: { ...inner, entries: [...ofBase(own.inner), ...inner.entries] },
    outer: { ...own.outer, entries: [...ofBase(own.outer), ...(full?.entries ?? [])] },
  };
}

function certaintySection(results: StudyResults): string {
  const { seeds, calibrationError, calibratedError } = summaryOf(ablation).find(({ name }) => name === "whole")!;
  const coverage = coverageOf(results, "whole");
  const shares = [1, 0.95, 0.9, 0.8, 0.7, 0.5];
  const at = (share: number) => coverage.filter((point) => point.share <= share + 1e-9).at(-1)!;
  return [
    `Calibration error of the default, mean of ${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}: ${calibrationError.toFixed(3)}; with each fold's temperature chosen on the others ${calibratedError.toFixed(3)}.`,
    "",
    `| decided, most certain first | ${shares.map((share) => `${Math.round(100 * share)} %`).join(" | ")} |`,
    `|---|${shares.map(() => "---|").join("")}`,
    `| accuracy | ${shares.map((share) => percent(at(share).accuracy)).join(" | ")} |`,
    "",
    "![Reliability diagram, seed 1](images/hushem-reliability.svg) ![Accuracy against coverage, seed 1](images/hushem-coverage.svg)",
  ].join("\n");
}

/** The model's card as its results have it. */
export function withCard(document: string): string {
  const shipped = readResults<ShippedModel>("shipped-model.json");
  const whole = summaryOf(ablation).find(({ name }) => name === "whole");
  const seeds = whole && { count: whole.seeds.length, mean: whole.mean };
  return shipped ? filled(document, "card", modelCard(shipped, seeds)) : document;
}

/** Studies whose networks learn combined classes: told structure by structure, without a drawing. */
export const MHSMA_STUDIES = [mhsma, mhsmaFinal, mhsmaRaw, mhsmaGroups];

/** From the papers' abstracts, but for the last, whose abstract we did not have: figures as others quote them. */
const MHSMA_PUBLISHED: Published[] = [
  { structure: "head", who: "Javadi and Mirroshandel 2019 [1]", fHalf: "0.839" },
  { structure: "acrosome", who: "Javadi and Mirroshandel 2019 [1]", fHalf: "0.847" },
  { structure: "vacuole", who: "Javadi and Mirroshandel 2019 [1]", fHalf: "0.947" },
  { structure: "head", who: "Miahi et al. 2019 [2]", accuracy: "77.3 %" },
  { structure: "acrosome", who: "Miahi et al. 2019 [2]", accuracy: "77.7 %" },
  { structure: "vacuole", who: "Miahi et al. 2019 [2]", accuracy: "91.7 %" },
  { structure: "head", who: "Abbasi et al. 2021 [3], not verified", accuracy: "84.0 %" },
  { structure: "acrosome", who: "Abbasi et al. 2021 [3], not verified", accuracy: "80.7 %" },
  { structure: "vacuole", who: "Abbasi et al. 2021 [3], not verified", accuracy: "94.0 %" },
];

/** Blocks on MHSMA: marker → Markdown. */
function mhsmaBlocks(): [string, string][] {
  const tables = (studies: readonly Study[], published: readonly Published[]) => {
    const found = studies.flatMap(({ name, rows }) => {
      const results = readResults<StudyResults>(`studies/${name}.json`);
      return results?.entries.length ? [{ results, rows }] : [];
    });
    return found.length > 0 ? mhsmaTables(found, published) : "Not computed yet.";
  };
  return [
    ["mhsma:choices", choicesTable(readResults<Choice[]>("mhsma-choices.json") ?? [])],
    ["mhsma:official", tables([mhsmaRaw, mhsma, mhsmaFinal], MHSMA_PUBLISHED)],
    ["mhsma:groups", tables([mhsmaGroups], [])],
  ];
}

/** What refined labels do for wrong and for few labels, as far as both sides of a comparison were computed. */
function refinedHeadline(ablationRows: ReadonlyMap<string, RowSummary>): string[] {
  const of = (study: Study) => new Map(summaryOf(study).map((row) => [row.name, row]));
  const [noise, few] = [of(labelNoise), of(fewLabels)];
  const [raw, plain, refined] = ["raw-20", "whole-20", "refined-20"].map((name) => noise.get(name));
  const [scratch, spread] = ["scratch-10", "refined-10"].map((name) => few.get(name));
  const clean = ablationRows.get("refined");
  if (!raw || !plain || !refined || !scratch || !spread || !clean) return [];
  return [
    "",
    `Where a fifth of the training labels is wrong, \`tune.refineLabels\`, which weighs each label against the heads that look alike to stage 1, keeps ${percent(refined.mean)}`,
    `(default ${percent(plain.mean)}, whole crops ${percent(raw.mean)}; ${percent(clean.mean)} where labels are right); with a tenth of the labels ${percent(spread.mean)}, a network from scratch ${percent(scratch.mean)}.`,
    "`labels.csv` and the report list the labels to look at again.",
  ];
}

/** README.md's paragraph on HuSHeM. */
function headline(): string {
  const rows = new Map(summaryOf(ablation).map((row) => [row.name, row]));
  const [raw, posed, whole] = ["raw", "posed", "whole"].map((name) => rows.get(name)!);
  const said = ({ mean, seeds }: RowSummary) =>
    `${percent(mean)} (${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"})`;
  const altered = readResults<StudyResults>("studies/ablation.json")!;
  const on = (row: string, name: AlterationName) => percent(alteredAccuracy(altered, row, name));
  return [
    `Published five folds, default configuration: **${percent(whole!.mean)}** accuracy, mean of ${whole!.seeds.length} seeds; the 95 % interval of one run is about ±4 points.`,
    `The same network on whole crops has ${said(raw!)}; turning heads upright by their masks, learned without labels, brings`,
    `${said(posed!)}. What comes on top, background removal, pooling over the mask, distilled features, makes no difference`,
    `that can be told from chance at all labels. Of the recipes tried inside training folds none is better beyond chance. The paper reports 96.5 %.`,
    ...probeHeadline(),
    "",
    `Where heads stand on another class's background, the method keeps ${on("whole", "other-background")} and the network on whole crops ${on("raw", "other-background")};`,
    `random turns change ${percent(changedOnAverage(altered, "whole", "turned"))} of its predictions. **It needs its stain**: without colour it falls to ${on("whole", "grey")}.`,
    ...refinedHeadline(rows),
    "Tables, figures, calibration, what was tried and what failed: [docs/results.md](docs/results.md).",
  ].join("\n");
}

function probeHeadline(): string[] {
  const probe = summaryOf(imagenetFull).find(({ name }) => name === PROBE);
  if (!probe) return [];
  const { mean, seeds, ensemble } = probe;
  const inside = imagenetInside();
  const own = inside && nestedTold(inside);
  const nested = own ? `; where each fold chooses for itself inside its training folds, ${own}` : "";
  return [
    `With a linear probe on ImageNet's weights beside it (\`tune.probe\`; the weights are yours to fetch) it has **${percent(mean)}** (${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}${ensemble === undefined ? "" : `, their mean ${percent(ensemble.accuracy)}`})${nested}.`,
  ];
}

export const README = at("../README.md");

/** README.md as the results have it. */
export function withReadme(document: string): string {
  const fields = readResults<FieldDetection[]>("field-detection.json");
  let text = fields ? filled(document, "results:fields", fieldHeadline(fields)) : document;
  const adaptation = readResults<AdaptationRow[]>("adaptation.json");
  if (adaptation) text = filled(text, "results:adaptation", adaptationHeadline(adaptation));
  return filled(text, "results:hushem", headline());
}

/** The document as the results have it. */
export function withResults(document: string): string {
  let text = document;
  for (const study of STUDIES) text = filled(text, `study:${study.name}`, studySection(study, summaryOf(study)));
  const known = readResults<StudyResults>("studies/ablation.json");
  if (known) {
    text = filled(text, "robustness", robustnessSection(known, ["raw", "posed", "whole"]));
    text = filled(text, "certainty", certaintySection(known));
  }
  if (known) text = filled(text, "aims", aims(known));
  const searches = { search: ownSearch(), "imagenet-search": imagenetInside() };
  for (const [block, found] of Object.entries(searches)) if (found) text = filled(text, block, searchSection(found));
  for (const [block, content] of mhsmaBlocks()) text = filled(text, block, content);
  const fields = readResults<FieldDetection[]>("field-detection.json");
  if (fields) text = filled(text, "fields", fieldSection(fields));
  const adaptation = readResults<AdaptationRow[]>("adaptation.json");
  if (adaptation) text = filled(text, "adaptation", adaptationSection(adaptation));
  const refinement = readResults<RefinementCount[]>("label-refinement.json");
  if (refinement) text = filled(text, "label-refinement", refinementSection(refinement));
  const rare = readResults<RareClassCount[]>("rare-classes.json");
  if (rare) text = filled(text, "rare-classes", rareClassSection(rare));
  const votes = readResults<ScianVotes>("scian-votes.json");
  if (votes) text = filled(text, "scian", scianSection(votes));
  const standIns = readResults<ScianStandIns>("scian-stand-ins.json");
  return standIns ? filled(text, "scian-stand-ins", standInsSection(standIns)) : text;
}

function aims(known: StudyResults): string {
  const starts = [...summaryOf(imagenet), ...summaryOf(imagenetFull)].filter(
    ({ name }) => !/scratch|^mobilenet/.test(name),
  );
  return aimsSection({
    ablation: known,
    ablationRows: summaryOf(ablation),
    fewLabels: summaryOf(fewLabels),
    labelNoise: readResults<StudyResults>("studies/label-noise.json"),
    imagenet: starts,
    ...probedResults(known),
    mhsma: mhsmaAims(),
    changed: (row, name) => changedOnAverage(known, row, name),
  });
}

function mhsmaAims(): string {
  const results = readResults<StudyResults>("studies/mhsma.json");
  if (!results) return "not computed yet";
  const probe = accuraciesOf(results, "probe");
  const final = readResults<StudyResults>("studies/mhsma-final.json");
  const more = final ? accuraciesOf(final, "chosen") : "";
  return `${accuraciesOf(results, "chosen")}${more && `; trained on train and valid ${more}`}${probe && `; with a linear probe on ImageNet's weights beside it ${probe}`}`;
}

function probedResults(known: StudyResults): { probed?: StudyResults } {
  const full = readResults<StudyResults>("studies/imagenet-full.json");
  if (!full) return {};
  if (JSON.stringify(full.images) !== JSON.stringify(known.images)) throw new Error("other images than the ablation's");
  return { probed: { ...known, entries: [...known.entries, ...full.entries] } };
}

/** Every study's drawing: file → SVG. */
export function drawings(): Map<string, string> {
  const known = readResults<StudyResults>("studies/ablation.json");
  const plots = known && certaintyPlots(known, "whole", 1);
  return new Map([
    ...(plots
      ? ([
          [at("../docs/images/hushem-reliability.svg"), plots.reliability],
          [at("../docs/images/hushem-coverage.svg"), plots.coverage],
        ] as [string, string][])
      : []),
    ...STUDIES.flatMap((study): [string, string][] => {
      const rows = summaryOf(study);
      return rows.length ? [[at(`../docs/images/study-${study.name}.svg`), studyPlot(study.title, rows)]] : [];
    }),
  ]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await writeFileAtomic(DOCUMENT, withResults(readFileSync(DOCUMENT, "utf8")));
  await writeFileAtomic(README, withReadme(readFileSync(README, "utf8")));
  await writeFileAtomic(CARD, withCard(readFileSync(CARD, "utf8")));
  for (const [file, svg] of drawings()) await writeFileAtomic(file, svg);
}
