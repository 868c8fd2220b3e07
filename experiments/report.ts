/**
 * Writes what studies and votes say into docs/results.md, between its markers, and draws the studies: npm run results.
 * Nothing there is typed; experiments/report.test.ts holds the document to the JSON.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { RowSummary, Study, StudyResults } from "../src/evaluation/index.ts";
import { writeFileAtomic } from "../src/runs/index.ts";
import { type AdaptationRow, adaptationHeadline, adaptationSection } from "./adaptation-section.ts";
import { aimsSection, DEFAULT } from "./aims.ts";
import { certaintyPlots } from "./certainty-plot.ts";
import { type FieldDetection, fieldHeadline, fieldSection } from "./field-section.ts";
import { headline } from "./headline.ts";
import {
  type RareClassCount,
  type RefinementCount,
  rareClassSection,
  refinementSection,
} from "./label-refinement-section.ts";
import { accuraciesOf, choicesTable, mhsmaTables, type Published } from "./mhsma.ts";
import type { Choice } from "./mhsma-choices.ts";
import { mhsmaSearchSection, type ReliabilityFifth, reliabilitySection } from "./mhsma-search-section.ts";
import { modelCard } from "./model-card.ts";
import { readResults, summaryOf } from "./read-results.ts";
import { robustnessPlot } from "./robustness-plot.ts";
import type { ScianStandIns } from "./scian-stand-ins.ts";
import type { ScianVotes } from "./scian-votes.ts";
import { ensemblesOf, imagenetInside, ownSearch } from "./searches.ts";
import {
  changedOnAverage,
  coverageOf,
  percent,
  points,
  robustnessSection,
  searchSection,
  seedsOf,
} from "./sections.ts";
import { seedsSection } from "./seeds-section.ts";
import type { ShippedModel } from "./shipped-model.ts";
import { spatialTasksSection, type TaskCount } from "./spatial-tasks-section.ts";
import { study as ablation } from "./studies/ablation.ts";
import { study as fewLabels } from "./studies/few-labels.ts";
import { study as foreign } from "./studies/foreign.ts";
import { study as grey35 } from "./studies/grey-35.ts";
import { study as imagenet } from "./studies/imagenet.ts";
import { study as imagenetFull } from "./studies/imagenet-full.ts";
import { study as labelNoise } from "./studies/label-noise.ts";
import { study as mhsma } from "./studies/mhsma.ts";
import { study as mhsmaFinal } from "./studies/mhsma-final.ts";
import { study as mhsmaGroups } from "./studies/mhsma-groups.ts";
import { study as mhsmaRaw } from "./studies/mhsma-raw.ts";
import { study as mhsmaSearch } from "./studies/mhsma-search.ts";
import { studyPlot } from "./study-plot.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const DOCUMENT = at("../docs/results.md");
export const CARD = at("../models/hushem.md");
/** A study as Markdown. */
export function studySection(study: Study, rows: readonly RowSummary[]): string {
  if (rows.length === 0) return "Not computed yet.";
  const [planned, done] = [
    study.rows.length * study.seeds.length,
    rows.reduce((sum, { seeds }) => sum + seeds.length, 0),
  ];
  const left = study.rows.filter((row) => !rows.some(({ name }) => name === row.name)).map(({ name }) => `\`${name}\``);
  // Where each seed has training labels of its own there is none: study-summary.ts.
  const together = rows.some(({ ensemble }) => ensemble);
  const cells = rows.map(
    ({ name, what, mean, deviation, accuracies, ensemble, difference, calibrationError, calibratedError }) => {
      const spread = accuracies.length > 1 ? ` ± ${(100 * deviation).toFixed(1)}` : "";
      const gain = difference
        ? `${points(difference.mean)} (${points(difference.interval.low)} to ${points(difference.interval.high)}) against \`${difference.against}\``
        : "";
      return `| \`${name}\` | ${what} | **${percent(mean)}**${spread} | ${accuracies.length} |${together ? ` ${ensemble ? percent(ensemble.accuracy) : ""} |` : ""} ${calibrationError.toFixed(3)}, ${calibratedError.toFixed(3)} | ${gain} |`;
    },
  );
  return [
    study.about,
    "",
    `| row | what | accuracy, mean over seeds ± deviation | seeds |${together ? " ensemble of the seeds |" : ""} calibration error, with a temperature chosen on the other folds | difference in points, 95 % interval |`,
    `|---|---|---|---|---|---|${together ? "---|" : ""}`,
    ...cells,
    "",
    "Intervals: images and seeds drawn with replacement, the same for both rows of a pair.",
    ...(done < planned
      ? [
          "",
          `**Unfinished:** of ${study.rows.length} rows and ${study.seeds.length} seeds ${done} of ${planned} cross-validations are there${left.length > 0 ? `; of ${left.join(", ")} none` : ""}. With one seed a difference says little.`,
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

function certaintySection(results: StudyResults): string {
  const { seeds, calibrationError, calibratedError } = summaryOf(ablation).find(({ name }) => name === DEFAULT)!;
  const coverage = coverageOf(results, DEFAULT);
  const shares = [1, 0.95, 0.9, 0.8, 0.7, 0.5];
  const at = (share: number) => coverage.filter((point) => point.share <= share + 1e-9).at(-1)!;
  return [
    `Calibration error of the default, mean of ${seedsOf(seeds.length)}: ${calibrationError.toFixed(3)}; with each fold's temperature chosen on the others ${calibratedError.toFixed(3)}.`,
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
  const known = readResults<StudyResults>("studies/ablation.json");
  const recipe = summaryOf(ablation).find(({ name }) => name === DEFAULT);
  return shipped && known && recipe ? filled(document, "card", modelCard(shipped, recipe, known)) : document;
}

/** Studies whose networks learn combined classes: told structure by structure, without a drawing. */
export const MHSMA_STUDIES = [mhsma, mhsmaFinal, mhsmaRaw, mhsmaGroups, mhsmaSearch];

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
  const searched = readResults<StudyResults>("studies/mhsma-search.json");
  const steady = readResults<ReliabilityFifth[]>("mhsma-reliability.json");
  return [
    ["mhsma:choices", choicesTable(readResults<Choice[]>("mhsma-choices.json") ?? [])],
    ["mhsma:reliability", steady ? reliabilitySection(steady) : "Not computed yet."],
    ["mhsma:search", searched ? mhsmaSearchSection(searched, mhsmaSearch.rows) : "Not computed yet."],
    ["mhsma:official", tables([mhsmaRaw, mhsma, mhsmaFinal], MHSMA_PUBLISHED)],
    ["mhsma:groups", tables([mhsmaGroups], [])],
  ];
}

/** Of the recipe that is shipped, and of the network alone. */
function adaptations(): [AdaptationRow[], AdaptationRow[]] | undefined {
  const [shipped, network] = ["adaptation", "adaptation-network"].map((name) =>
    readResults<AdaptationRow[]>(`${name}.json`),
  );
  return shipped && network && [shipped, network];
}

export const README = at("../README.md");

/** README.md as the results have it. */
export function withReadme(document: string): string {
  const fields = readResults<FieldDetection[]>("field-detection.json");
  let text = fields ? filled(document, "results:fields", fieldHeadline(fields)) : document;
  const taught = adaptations();
  if (taught) text = filled(text, "results:adaptation", adaptationHeadline(...taught));
  return filled(text, "results:hushem", headline());
}

/** The document as the results have it. */
export function withResults(document: string): string {
  let text = document;
  for (const study of STUDIES) text = filled(text, `study:${study.name}`, studySection(study, summaryOf(study)));
  const known = readResults<StudyResults>("studies/ablation.json");
  if (known) {
    text = filled(text, "robustness", robustnessSection(known, ["raw", "posed", "whole", DEFAULT]));
    const inside = readResults<StudyResults>("studies/foreign.json");
    if (inside)
      text = filled(
        text,
        "robustness-inside",
        robustnessSection(
          inside,
          foreign.rows.map(({ name }) => name),
        ),
      );
    text = filled(text, "certainty", certaintySection(known));
    text = filled(text, "seeds", seedsSection(known, DEFAULT));
  }
  if (known) text = filled(text, "aims", aims(known));
  const searches = { search: ownSearch(), "imagenet-search": imagenetInside() };
  for (const [block, found] of Object.entries(searches)) if (found) text = filled(text, block, searchSection(found));
  if (searches.search) text = filled(text, "ensembles", ensemblesOf(searches.search));
  for (const [block, content] of mhsmaBlocks()) text = filled(text, block, content);
  const fields = readResults<FieldDetection[]>("field-detection.json");
  if (fields) text = filled(text, "fields", fieldSection(fields));
  const taught = adaptations();
  if (taught) text = filled(text, "adaptation", adaptationSection(...taught));
  const refinement = readResults<RefinementCount[]>("label-refinement.json");
  if (refinement) text = filled(text, "label-refinement", refinementSection(refinement));
  const tasks = readResults<TaskCount[]>("spatial-tasks.json");
  if (tasks) text = filled(text, "spatial-tasks", spatialTasksSection(tasks));
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
  const plots = known && certaintyPlots(known, DEFAULT, 1);
  const altered = known && robustnessPlot(known, summaryOf(ablation));
  return new Map([
    ...(altered ? ([[at("../docs/images/hushem-altered.svg"), altered]] as [string, string][]) : []),
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
