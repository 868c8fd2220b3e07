/** A sample as a table and as one document. */
import {
  type AnalyserDescription,
  type FoundHead,
  fixed,
  type GeoJsonCollection,
  geoJson,
  measureCells,
  micrometreCells,
  micrometres,
} from "../../fields/index.ts";
import { formatCsv } from "../../runs/index.ts";
import type { Head, ImageRecord, ResponseOf, SampleReport } from "../api.ts";
import type { Database } from "./database.ts";
import { listHeads } from "./heads.ts";
import { imageOf } from "./images.ts";
import { judgingsOf } from "./judgings.ts";
import { logOfSample } from "./log.ts";
import { formerOpinions, modelsIn } from "./opinions.ts";
import { notFound } from "./refusals.ts";
import { all, finalOf, inWords, reportOf } from "./report.ts";
import { requireOpenEyes } from "./review.ts";
import { sampleOf } from "./samples.ts";

export function exportJson(
  db: Database,
  sample: number,
  reader: number,
  classes: readonly string[],
  settings: SampleReport["settings"],
): ResponseOf<"exportJson"> {
  requireOpenEyes(db, sample, reader);
  return {
    report: reportOf(db, sample, reader, classes, settings),
    heads: listHeads(db, { sample, reader, outlines: true }),
    formerOpinions: formerOpinions(db, sample),
    judgings: judgingsOf(db, sample),
    log: logOfSample(db, sample),
  };
}

/**
 * One image's heads with the outlines that hold now, as QuPath opens them; classes are what people decided, where they have.
 * @param inUse describes an image that nothing has analysed yet
 */
export function exportGeoJson(
  db: Database,
  sample: number,
  reader: number,
  image: number,
  inUse: AnalyserDescription,
): GeoJsonCollection {
  requireOpenEyes(db, sample, reader);
  const { umPerPx } = sampleOf(db, sample);
  const { name, width, height, analyser } = pictureOf(db, sample, image);
  const heads = listHeads(db, { sample, reader, outlines: true }).filter((head) => head.image === image);
  const finals = new Map(heads.map((head) => [head.number, finalOf(head)]));
  const models = new Map(modelsIn(db, sample).map((one) => [one.analyser.model, one.analyser]));
  const judgedBy = new Map(heads.map((head) => [head.number, models.get(head.judgedBy ?? "")]));
  const found = heads.flatMap((head): FoundHead[] =>
    head.measures && head.outline
      ? [
          {
            ...rest(head),
            outline: head.outline,
            measures: head.measures,
            ...(head.reason ? { reason: head.reason } : {}),
          },
        ]
      : [],
  );
  const picture = {
    path: name,
    analysis: { width, height, heads: found },
    umPerPx: umPerPx ?? undefined,
  };
  // Who found the heads, not who judges now: their ids in other programs stay the same.
  const finder = analyser ?? inUse;
  const classes = [...new Set([finder, inUse, ...models.values()].flatMap((one) => one.classes))];
  return geoJson({ analyser: { ...finder, classes }, pictures: [picture] }, picture, {
    judgedBy: ({ number }) => judgedBy.get(number),
    decided({ number }) {
      const final = finals.get(number);
      if (final === undefined || final === "disputed") return undefined;
      return final.kind === "class" ? final.class : null;
    },
  });
}

function pictureOf(db: Database, sample: number, image: number): ImageRecord {
  const found = imageOf(db, image);
  if (found.sample !== sample) throw notFound("image", image);
  return found;
}

/** What an analysis and a head of the app have in common. */
const rest = ({ number, state, score, agreement, centre, axis, probabilities }: Head) => ({
  ...{ number, state, score, agreement, probabilities },
  ...{ centre: centre as FoundHead["centre"], axis: axis as FoundHead["axis"] },
});

/** A row per head. Lengths in micrometres only where the sample is calibrated. */
export function exportCsv(db: Database, sample: number, reader: number, classes: readonly string[]): string {
  requireOpenEyes(db, sample, reader);
  const { sample: of, images, readers, models, classes: names } = reportOf(db, sample, reader, classes, {});
  const classesOf = new Map(models.map(({ analyser }) => [analyser.model, analyser.classes]));
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const columnOf = new Map(readers.map(({ reading }) => [reading.reader.id, `reader ${reading.reader.name}`]));
  const lengths = of.umPerPx === null ? [] : ["length_um", "width_um", "area_um2", "perimeter_um"];
  const columns = [
    ...["image", "image_sha256", "kind", "head", "source", "state", "refused", "final", "settled_by", "settled_at"],
    ...columnOf.values(),
    ...["model_class", "model", ...names.map((name) => `prob_${name}`), "agreement", "score", "outline_by"],
    ...["centre_x", "centre_y", "length_px", "width_px", "area_px", "perimeter_px", "ellipticity", "elongation"],
    ...["rugosity", "regularity", "symmetry", "acrosome_share", "vacuoles", "vacuole_share", "angle_deg", ...lengths],
  ];
  const rows = listHeads(db, { sample, reader }).map((head) => {
    const image = imageOf.get(head.image)!;
    // Another model may have other classes, or another order of them.
    const own = classesOf.get(head.judgedBy ?? "") ?? [];
    const decisions = all(head).map(({ reader, value }) => [columnOf.get(reader.id)!, inWords(value)] as const);
    return {
      ...{ image: plain(image.name), image_sha256: image.sha256, kind: image.kind, head: head.number },
      ...{ source: head.source, state: head.state, refused: head.reason, outline_by: head.outlineBy },
      ...{ final: inWords(finalOf(head)), settled_by: plain(head.consensus?.reader.name ?? "") },
      settled_at: head.consensus?.at ?? "",
      ...Object.fromEntries(decisions),
      model_class: head.modelClass,
      model: head.judgedBy,
      ...Object.fromEntries(names.map((name) => [`prob_${name}`, fixed(head.probabilities[own.indexOf(name)], 5)])),
      ...{ agreement: fixed(head.agreement, 4), score: fixed(head.score, 4) },
      ...{ centre_x: fixed(head.centre[0], 2), centre_y: fixed(head.centre[1], 2) },
      ...measuresOf(head, of.umPerPx),
    };
  });
  return formatCsv(
    columns.map(plain),
    rows.map((row) => renamed(row)),
  );
}

function measuresOf({ measures }: Head, umPerPx: number | null): Record<string, number | null> {
  if (!measures) return {};
  return {
    ...{ ...measureCells(measures), angle_deg: fixed(measures.angleDeg, 2) },
    ...micrometreCells(micrometres(measures, umPerPx ?? undefined)),
  };
}

/** What a person typed must not become a spreadsheet's formula. */
const plain = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const renamed = <T>(row: Record<string, T>) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [plain(name), value]));
