import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openDataset } from "../datasets/index.ts";
import {
  ALTERATION_NAMES,
  type AlterationName,
  argmax,
  type RobustnessRow,
  robustnessRows,
  testRobustness,
  wilson,
} from "../evaluation/index.ts";
import { type RunReportData, renderRunReport } from "../reports/index.ts";
import { AndroscopeError, lockFolder, readJson, writeFileAtomic, writeJson } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { atLeast, DATASET_OPTIONS, datasetOptions } from "./options.ts";

export const command: Command = {
  name: "robustness",
  summary:
    "Tests the networks of a finished cross-validation on altered versions of the images they never saw: turned, blurred, restained, and with the head or its background taken away. Writes robustness.json and adds it to the run's report.",
  usage: "<RUN> <dataset> [--folds FILE]",
  example: "androscope robustness runs/hushem-1 data/hushem --folds data/hushem/folds.csv",
  options: {
    folds: { type: "string", value: "FILE", help: "CSV with path,fold, where crossval was given one" },
    only: { type: "string", value: "NAME,NAME", help: `only these: ${ALTERATION_NAMES.join(", ")}` },
    seed: { type: "integer", value: "N", help: "seed of what the alterations draw", default: 1 },
    threads: { type: "integer", value: "N", help: "threads per operator", default: 2 },
    ...DATASET_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const [run, path, ...rest] = positionals;
    if (run === undefined || path === undefined || rest.length > 0) {
      throw new AndroscopeError("usage/missing-argument", {
        expected: "a run folder of crossval and the dataset it was run on",
        found: positionals.join(" ") || "nothing",
        fix: "See androscope robustness --help.",
      });
    }
    const names = namesOf(options.only);
    const dataset = await openDataset(path, {
      folds: options.folds,
      ...datasetOptions(options),
    });
    const seed = atLeast("seed", options.seed, 0);
    const found = await testRobustness(run, dataset, names, {
      threads: atLeast("threads", options.threads, 1),
      seed,
      progress,
    });
    const rows = robustnessRows(found);
    const right = found.images.filter(({ label }, i) => argmax(found.plain[i]!) === label).length;
    const plain = { accuracy: right / found.images.length, interval: wilson(right, found.images.length) };
    const document = { dataset: dataset.hash, images: found.images.length, seed, plain, rows };
    const report = await keep(run, document);
    return {
      json: { ...document, report },
      text: [
        `As they are: ${percent(plain.accuracy)} of ${found.images.length} images right`,
        ...sectionText("What should change nothing", rows, "shift"),
        ...sectionText("Where the class should not be found any more", rows, "shortcut"),
        "",
        `Results: ${resolve(join(run, "robustness.json"))}`,
        "Research use only; not for diagnosis.",
      ].join("\n"),
      ...(report ? { next: [`open ${report}`] } : {}),
    };
  },
};

function namesOf(only: string | undefined): AlterationName[] {
  if (only === undefined) return ALTERATION_NAMES;
  const wanted = only.split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !ALTERATION_NAMES.some((known) => known === name));
  if (unknown === undefined) return ALTERATION_NAMES.filter((name) => wanted.includes(name));
  throw new AndroscopeError("usage/bad-value", {
    expected: `some of ${ALTERATION_NAMES.join(", ")}`,
    found: JSON.stringify(unknown),
    where: "--only",
    fix: "See androscope robustness --help.",
  });
}

/** @returns the report that shows it, where the run has one */
async function keep(run: string, document: RunReportData["robustness"] & object): Promise<string | undefined> {
  const unlock = await lockFolder(run);
  try {
    await writeJson(join(run, "robustness.json"), document);
    const source = join(run, "report-data.json");
    if (!existsSync(source)) return undefined;
    const data: RunReportData = { ...(await readJson<RunReportData>(source)), robustness: document };
    await writeJson(source, data);
    const report = join(run, "report.html");
    await writeFileAtomic(report, renderRunReport(data));
    return resolve(report);
  } finally {
    await unlock();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function sectionText(title: string, rows: readonly RobustnessRow[], kind: RobustnessRow["kind"]): string[] {
  const chosen = rows.filter((row) => row.kind === kind);
  if (chosen.length === 0) return [];
  return [
    "",
    `${title}:`,
    ...chosen.map(
      ({ name, accuracy, changed, what }) =>
        `  ${name.padEnd(17)} ${percent(accuracy).padStart(7)} right, ${percent(changed).padStart(6)} changed   ${what}`,
    ),
  ];
}
