/** From a finished cross-validation to the data of its report. */
import { join } from "node:path";
import { encodePng, outlines } from "../imaging/index.ts";
import { type CurvePoint, cropOf, frameToCrop, type PreparedSet } from "../learning/index.ts";
import { type ReportCrop, type RunReportData, renderRunReport } from "../reports/index.ts";
import { writeFileAtomic, writeJson } from "../runs/index.ts";
import type { CrossvalRun } from "./crossval.ts";
import { argmax } from "./metrics.ts";

const SHOWN_MISTAKES = 36;
const SHOWN_DOUBTFUL = 12;

function curvesOf(
  records: CrossvalRun["records"],
  points: (r: CrossvalRun["records"][number]) => CurvePoint[],
  value: string,
) {
  return records.map((r) => ({
    name: r.name,
    points: points(r).map((p) => ({ step: p.step, value: p.values[value] ?? 0 })),
  }));
}

async function reportCrop(
  set: PreparedSet,
  index: number,
  masks: CrossvalRun["masks"],
  more: Partial<ReportCrop>,
): Promise<ReportCrop> {
  const image = cropOf(set, index);
  const frame = masks.get(index);
  const mask =
    frame && frameToCrop(frame, Math.round(Math.sqrt(frame.length)), set.frameExtent, image.width, image.height);
  return {
    id: set.ids[index]!,
    png: Buffer.from(await encodePng(image)).toString("base64"),
    width: image.width,
    height: image.height,
    outlines: mask ? outlines(mask) : [],
    ...more,
  };
}

/**
 * Writes report.html into the run folder, and report-data.json, from which it can be drawn again.
 * @returns the report's path
 */
export async function writeCrossvalReport(
  run: CrossvalRun,
  out: string,
  about: { version: string; command: string },
): Promise<string> {
  const data = await crossvalReport(run, about);
  await writeJson(join(out, "report-data.json"), data);
  const path = join(out, "report.html");
  await writeFileAtomic(path, renderRunReport(data));
  return path;
}

/** @param command the command line that repeats the run */
export async function crossvalReport(
  run: CrossvalRun,
  { version, command }: { version: string; command: string },
): Promise<RunReportData> {
  const { result, records, rows, set, masks } = run;
  const indexOf = new Map(set.ids.map((id, i) => [id, i]));
  const wrong = rows
    .filter((row) => argmax(row.probabilities) !== row.label)
    .sort((a, b) => Math.max(...b.probabilities) - Math.max(...a.probabilities))
    .slice(0, SHOWN_MISTAKES);
  const doubtful = records
    .flatMap((r) => r.predictions)
    .sort((a, b) => a.agreement - b.agreement || a.index - b.index)
    .slice(0, SHOWN_DOUBTFUL);
  const mistakes: ReportCrop[] = [];
  for (const row of wrong) {
    const predicted = set.classes[argmax(row.probabilities)]!;
    mistakes.push(
      await reportCrop(set, indexOf.get(row.id)!, masks, {
        truth: set.classes[row.label]!,
        predicted,
        probabilities: row.probabilities,
      }),
    );
  }
  const unsure: ReportCrop[] = [];
  for (const { index, agreement } of doubtful)
    unsure.push(await reportCrop(set, index, masks, { note: `agreement of two views ${agreement.toFixed(2)}` }));
  const quality = records.flatMap((r) => r.masks);
  const tested = new Set(rows.map((row) => row.id));
  return {
    title: `Cross-validation on ${result.dataset.kind}`,
    protocol: result.protocol,
    ...(result.optimisticAccuracy === undefined ? {} : { optimisticAccuracy: result.optimisticAccuracy }),
    dataset: {
      ...result.dataset,
      classes: set.classes,
      counts: set.classes.map((_, c) => set.ids.filter((id, i) => tested.has(id) && set.labels[i] === c).length),
    },
    metrics: result,
    folds: result.folds,
    curves: {
      stage1: curvesOf(records, (r) => r.curves.distill, "loss"),
      stage2: curvesOf(records, (r) => r.curves.tune, "loss"),
      trainingAccuracy: curvesOf(records, (r) => r.curves.tune, "accuracy"),
    },
    masks: {
      reliability: [...set.reliability],
      overlap: quality.map((q) => q.overlap),
      replaced: quality.filter((q) => q.replaced).length,
    },
    mistakes,
    doubtful: unsure,
    problems: set.problems,
    config: result.config,
    environment: { ...run.environment },
    seed: result.seed,
    seconds: result.seconds,
    peakRssBytes: result.peakRssBytes,
    version,
    command,
  };
}
