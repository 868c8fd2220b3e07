/**
 * A sample of photographs from files to exports, one photograph at a time: what was found in each is in a file of its own
 * at once, so that memory does not grow with their number and a count that was cut off goes on where it was.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeImage, readImage } from "../imaging/index.ts";
import {
  hashOf,
  isAndroscopeError,
  openRun,
  type Progress,
  type RunFolder,
  readBytes,
  readJson,
  writeFileAtomic,
  writeJson,
} from "../runs/index.ts";
import type { Analyser } from "./analyser.ts";
import type { Confusion } from "./correction.ts";
import { countHeads, normalClassOf } from "./counts.ts";
import type { Criteria } from "./criteria.ts";
import { estimateFrom } from "./detection/learn-fields.ts";
import { outputStems } from "./exports/names.ts";
import { overlay } from "./exports/overlay.ts";
import type { AnalysedPicture, AnalysedSample } from "./exports/sample.ts";
import { writeExports } from "./exports/write.ts";
import type { Analysis } from "./head.ts";
import { type SampleStatistics, sampleStatistics } from "./statistics.ts";

export interface SampleCountOptions {
  analyser: Analyser;
  /** Files, as the user named them. */
  paths: readonly string[];
  /** The folder for everything that comes of it. */
  out: string;
  resume?: boolean;
  /** Pixels that a usual head is long; estimated from some of the photographs by default. */
  headLength?: number;
  umPerPx?: number;
  criteria?: Criteria;
  /** Name of the class that counts as normal. */
  normal?: string;
  confusion?: Confusion;
  /** Draw outlines on copies of the photographs. Default true. */
  overlays?: boolean;
  version: string;
  progress: Progress;
}

export interface SampleCount {
  readonly statistics: SampleStatistics;
  readonly sample: AnalysedSample;
  /** Pixels. */
  readonly headLength: number;
  /** Paths within the folder. */
  readonly files: readonly string[];
  readonly seconds: number;
}

/** What is kept of one photograph. */
interface Kept {
  /** Of its bytes, the networks and the scale: what the analysis follows from. */
  key: string;
  analysis: Analysis;
}

/** @throws `run/*`, `field/*`, `file/*`; a photograph that cannot be used is told of, and the others go on */
export async function countSample(options: SampleCountOptions): Promise<SampleCount> {
  const { analyser, paths, out, normal, confusion, criteria, umPerPx, overlays = true, version, progress } = options;
  const normalClass = normalClassOf(analyser.description.classes, normal);
  const identity = {
    command: "field",
    version,
    analyser: analyser.description,
    headLength: options.headLength ?? null,
  };
  const run = await openRun(out, identity, options.resume === undefined ? {} : { resume: options.resume });
  const begun = performance.now();
  try {
    const headLength = await scaleOf(run, options).catch(async (error) => {
      // Nothing was begun: the folder is free for a better try.
      await run.abandon();
      throw error;
    });
    const stems = outputStems(paths);
    const pictures: AnalysedPicture[] = [];
    const problems: { path: string; code: string; message: string }[] = [];
    progress.start("Finding heads", paths.length);
    let heads = 0;
    for (const [i, path] of paths.entries()) {
      try {
        const file = run.file(`pictures/${stems[i]}.json`);
        heads += await analyse(
          analyser,
          path,
          headLength,
          file,
          overlays ? run.file(`overlays/${stems[i]}.jpg`) : undefined,
        );
        pictures.push(keptPicture(path, file, umPerPx));
      } catch (error) {
        if (!isAndroscopeError(error) || error.code.startsWith("file/disk") || error.code === "file/not-writable")
          throw error;
        problems.push({ path, code: error.code, message: error.message });
      }
      progress.update(i + 1, `${heads} found`);
    }
    progress.finish();
    const sample: AnalysedSample = {
      analyser: analyser.description,
      pictures,
      problems,
      normalClass,
      ...(criteria ? { criteria } : {}),
    };
    const counts = countHeads(pictures, analyser.description.classes);
    const statistics = sampleStatistics(counts, {
      ...(normal === undefined ? {} : { normal }),
      ...(confusion ? { confusion } : {}),
    });
    const files = await writeExports(out, sample, statistics);
    await run.event("finished", {});
    return { statistics, sample, headLength, files, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await run.close();
  }
}

/** The usual length of a head: given, kept from before, or estimated and kept. */
async function scaleOf(run: RunFolder, { headLength, paths, progress }: SampleCountOptions): Promise<number> {
  const file = run.file("scale.json");
  if (headLength !== undefined) return headLength;
  if (existsSync(file)) return (await readJson<{ headLength: number }>(file)).headLength;
  progress.log("Estimating how long heads are …");
  const estimated = await estimateFrom(paths.map((path) => () => readImage(path)));
  await writeJson(file, { headLength: estimated });
  return estimated;
}

/** @returns how many heads were found */
async function analyse(
  analyser: Analyser,
  path: string,
  headLength: number,
  file: string,
  drawing: string | undefined,
): Promise<number> {
  const bytes = await readBytes(path);
  const image = createHash("sha256").update(bytes).digest("hex");
  const key = hashOf({ image, analyser: analyser.description, headLength });
  const drawn = drawing === undefined || existsSync(drawing);
  if (existsSync(file) && drawn) {
    const kept = await readJson<Kept>(file);
    if (kept.key === key) return kept.analysis.heads.length;
  }
  const pixels = await decodeImage(bytes, path);
  const analysis = await analyser.field(pixels, headLength);
  if (drawing !== undefined) await writeFileAtomic(drawing, await overlay(pixels, analysis.heads, { format: "jpeg" }));
  // Last, and compact: where this file is, the photograph is done.
  await writeFileAtomic(file, JSON.stringify({ key, analysis } satisfies Kept));
  return analysis.heads.length;
}

/** A picture whose heads are read whenever somebody looks at them, and held by nobody. */
function keptPicture(path: string, file: string, umPerPx: number | undefined): AnalysedPicture {
  return {
    path,
    umPerPx,
    get analysis() {
      return (JSON.parse(readFileSync(file, "utf8")) as Kept).analysis;
    },
  };
}

/** Where the folder keeps what was found in a photograph, and its overlay. */
export function filesOfPicture(out: string, stem: string): { found: string; overlay: string } {
  return { found: join(out, "pictures", `${stem}.json`), overlay: join(out, "overlays", `${stem}.jpg`) };
}
