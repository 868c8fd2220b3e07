/** Writes the exports of a sample into one folder. Every file appears whole or not at all. */
import { join } from "node:path";
import { writeFileAtomic, writeJson } from "../../runs/index.ts";
import type { Agreement } from "../replicates.ts";
import type { SampleStatistics } from "../statistics.ts";
import { cocoText } from "./coco.ts";
import { type GeoJsonOptions, geoJson } from "./geojson.ts";
import { headsCsv } from "./heads-csv.ts";
import { outputStems } from "./names.ts";
import type { AnalysedSample } from "./sample.ts";
import { summaryDocument, summaryText } from "./summary.ts";

export interface ExportOptions extends GeoJsonOptions {
  /** What two counts of the sample say of each other, where there were two. */
  readonly replicates?: Agreement;
}

/**
 * heads.csv, summary.json, summary.txt, coco.json, and geojson/<name>.geojson for every picture, named by
 * {@link outputStems}. Overlays need the pixels: whoever has them draws them.
 * @returns the files' paths within the folder
 * @throws `file/*`
 */
export async function writeExports(
  folder: string,
  sample: AnalysedSample,
  statistics: SampleStatistics,
  { replicates, ...options }: ExportOptions = {},
): Promise<string[]> {
  const written: string[] = [];
  const text = async (name: string, content: string | Iterable<string>) => {
    await writeFileAtomic(join(folder, name), content);
    written.push(name);
  };
  const json = async (name: string, value: unknown) => {
    await writeJson(join(folder, name), value);
    written.push(name);
  };
  const stems = outputStems(sample.pictures.map(({ path }) => path));
  for (const [i, picture] of sample.pictures.entries()) {
    await json(`geojson/${stems[i]}.geojson`, geoJson(sample, picture, options));
  }
  await text("coco.json", cocoText(sample));
  await text("heads.csv", headsCsv(sample));
  await json("summary.json", summaryDocument(sample, statistics, replicates));
  await text("summary.txt", summaryText(sample, statistics, replicates));
  return written;
}
