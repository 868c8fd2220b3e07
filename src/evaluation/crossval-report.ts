/** From a finished cross-validation to the data of its report. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CurvePoint, defaultConfig, doubted } from "../learning/index.ts";
import { median, type RunReportData, renderRunReport } from "../reports/index.ts";
import { readJson, writeFileAtomic, writeJson } from "../runs/index.ts";
import { type CrossvalRun, labelOpinions } from "./crossval.ts";
import { differences } from "./differences.ts";
import { calibrationPoints, classFigures, coveragePoints, foldFigures } from "./report-figures.ts";
import { doubtfulCrops, labelCrops, mistakeCrops, testOverlaps } from "./report-pictures.ts";

/**
 * Writes report.html into the run folder, and report-data.json, from which it can be drawn again.
 * @returns the report's path
 */
export async function writeCrossvalReport(
  run: CrossvalRun,
  out: string,
  about: { version: string; command: string },
): Promise<string> {
  // Of a run that is opened again, what androscope robustness found stays in the report.
  const tested = join(out, "robustness.json");
  const robustness = existsSync(tested) ? await readJson<RunReportData["robustness"] & object>(tested) : undefined;
  const data = { ...(await crossvalReport(run, about)), ...(robustness ? { robustness } : {}) };
  await writeJson(join(out, "report-data.json"), data);
  const path = join(out, "report.html");
  await writeFileAtomic(path, renderRunReport(data));
  return path;
}

function curvesOf(
  records: CrossvalRun["records"],
  points: (r: CrossvalRun["records"][number]) => readonly CurvePoint[],
  value: string,
) {
  return records.map((r) => ({
    name: r.name,
    points: points(r)
      .filter((p) => Number.isFinite(p.values[value]))
      .map((p) => ({ step: p.step, value: p.values[value]! })),
  }));
}

/** How the folds came about, in words. */
function splitInWords({ split, folds }: CrossvalRun["result"]): string {
  if (split.kind === "published") return `The ${folds.length} folds come with the data.`;
  if (split.kind === "pairs")
    return `The folds come with the data; each of the ${folds.length} pairs was kept from training.`;
  if (split.kind === "one-out") {
    const { group } = split;
    return `Leave-one-${group}-out: each of the ${folds.length} folds is one ${group}, tested by networks that saw no image of it.`;
  }
  if (split.kind === "held-out")
    return `The parts ${[...split.train, split.test].join(", ")} come with the data; no other part was used.`;
  const grouped = split.group ? `, and every ${split.group} in one fold` : ", image by image";
  return `The ${folds.length} folds were drawn by the seed, with the classes spread evenly${grouped}.`;
}

/** @param command the command line that repeats the run */
export async function crossvalReport(
  run: CrossvalRun,
  { version, command }: { version: string; command: string },
): Promise<RunReportData> {
  const { result, records, rows, set } = run;
  const { confusion, ...metrics } = result;
  const labels = labelOpinions(records);
  const quality = records.flatMap((r) => r.masks);
  const { distill } = result.config;
  return {
    title: `${result.split.kind === "held-out" ? "Held-out test" : "Cross-validation"} on ${result.dataset.kind}`,
    protocol: {
      text: result.protocol,
      split: splitInWords(result),
      transductive: distill.transductive,
      grouping: result.grouping,
    },
    ...(result.optimisticAccuracy === undefined ? {} : { optimisticAccuracy: result.optimisticAccuracy }),
    dataset: {
      ...result.dataset,
      tested: rows.length,
      classes: set.classes,
      counts: result.perClass.map((c) => c.support),
    },
    metrics: {
      count: metrics.count,
      correct: metrics.correct,
      accuracy: metrics.accuracy,
      accuracyInterval: metrics.accuracyInterval,
      balancedAccuracy: metrics.balancedAccuracy,
      macroPrecision: metrics.macroPrecision,
      macroRecall: metrics.macroRecall,
      macroF1: metrics.macroF1,
      kappa: metrics.kappa,
      matthews: metrics.matthews,
      ...(metrics.rocArea === undefined ? {} : { rocArea: metrics.rocArea }),
      ...(set.classes.length === 2 ? { fHalf: metrics.perClass.map(({ fHalf }) => fHalf) } : {}),
      logLoss: metrics.logLoss,
      brier: metrics.brier,
      calibrationError: metrics.calibrationError,
      confusion,
    },
    classes: classFigures(confusion, set.classes),
    folds: foldFigures(result.folds, rows, set.classes),
    calibration: calibrationPoints(result.calibration),
    coverage: coveragePoints(rows),
    curves: {
      stage1: curvesOf(records, (r) => r.curves.distill, "loss"),
      stage2: curvesOf(records, (r) => r.curves.tune, "loss"),
      trainingAccuracy: curvesOf(records, (r) => r.curves.tune, "accuracy"),
      testAccuracy: records.map(({ name, looks }) => ({
        name,
        points: looks.map(({ step, accuracy }) => ({ step, value: accuracy })),
      })),
    },
    masks: {
      reliability: [...set.reliability],
      rejected: set.reliability.filter((r) => r === 0).length,
      testOverlap: testOverlaps(run),
      trainingOverlap: quality.length ? median(quality.map((q) => q.overlap)) : 0,
      replaced: quality.filter((q) => q.replaced).length,
      taught: quality.length,
    },
    mistakes: await mistakeCrops(run),
    doubtful: await doubtfulCrops(run),
    ...(labels.length
      ? { labels: { count: labels.length, doubted: doubted(labels).length, crops: await labelCrops(run, labels) } }
      : {}),
    problems: set.problems,
    config: result.config,
    changed: differences(result.config, defaultConfig),
    environment: { ...run.environment },
    seed: result.seed,
    threads: result.threads,
    device: result.device,
    seconds: result.seconds,
    workers: result.workers,
    peakRssBytes: result.peakRssBytes,
    totalPeakRssBytes: result.totalPeakRssBytes,
    version,
    command,
  };
}
