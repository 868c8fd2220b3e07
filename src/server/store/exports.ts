/** A sample as a table and as one document. */
import { formatCsv } from "../../runs/index.ts";
import type { Head, ResponseOf, SampleReport } from "../api.ts";
import type { Database } from "./database.ts";
import { isBlindNow, listHeads } from "./heads.ts";
import { logOfSample } from "./log.ts";
import { requireReader, requireSample } from "./refusals.ts";
import { all, finalOf, inWords, reportOf } from "./report.ts";
import { blind } from "./review.ts";

/** @throws `review/blind`: an export holds everybody's decisions */
export function requireOpenEyes(db: Database, sample: number, reader: number): void {
  requireSample(db, sample);
  requireReader(db, reader);
  if (isBlindNow(db, sample, reader)) throw blind(`sample ${sample}`);
}

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
    log: logOfSample(db, sample),
  };
}

/** A row per head. Lengths in micrometres only where the sample is calibrated. */
export function exportCsv(db: Database, sample: number, reader: number, classes: readonly string[]): string {
  requireOpenEyes(db, sample, reader);
  const { sample: of, images, readers, classes: names } = reportOf(db, sample, reader, classes, {});
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const columnOf = new Map(readers.map(({ reading }) => [reading.reader.id, `reader ${reading.reader.name}`]));
  const lengths = of.umPerPx === null ? [] : ["length_um", "width_um", "area_um2", "perimeter_um"];
  const columns = [
    ...["image", "image_sha256", "kind", "head", "source", "state", "refused", "final", "settled_by", "settled_at"],
    ...columnOf.values(),
    ...["model_class", ...names.map((name) => `prob_${name}`), "agreement", "score", "outline_by"],
    ...["centre_x", "centre_y", "length_px", "width_px", "area_px", "perimeter_px", "ellipticity", "elongation"],
    ...["rugosity", "regularity", "symmetry", "acrosome_share", "vacuoles", "vacuole_share", "angle_deg", ...lengths],
  ];
  const rows = listHeads(db, { sample, reader }).map((head) => {
    const image = imageOf.get(head.image)!;
    const decisions = all(head).map(({ reader, value }) => [columnOf.get(reader.id)!, inWords(value)] as const);
    return {
      ...{ image: plain(image.name), image_sha256: image.sha256, kind: image.kind, head: head.number },
      ...{ source: head.source, state: head.state, refused: head.reason, outline_by: head.outlineBy },
      ...{ final: inWords(finalOf(head)), settled_by: plain(head.consensus?.reader.name ?? "") },
      settled_at: head.consensus?.at ?? "",
      ...Object.fromEntries(decisions),
      model_class: head.modelClass,
      ...Object.fromEntries(names.map((name, i) => [`prob_${name}`, fixed(head.probabilities[i], 5)])),
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

function measuresOf({ measures: m }: Head, umPerPx: number | null) {
  if (!m) return {};
  return {
    length_px: fixed(m.lengthPx, 2),
    width_px: fixed(m.widthPx, 2),
    area_px: fixed(m.areaPx, 0),
    perimeter_px: fixed(m.perimeterPx, 2),
    ellipticity: fixed(m.ellipticity, 4),
    elongation: fixed(m.elongation, 4),
    rugosity: fixed(m.rugosity, 4),
    regularity: fixed(m.regularity, 4),
    symmetry: fixed(m.symmetry, 4),
    acrosome_share: fixed(m.acrosomeShare, 4),
    vacuoles: m.vacuoles,
    vacuole_share: fixed(m.vacuoleShare, 4),
    angle_deg: fixed(m.angleDeg, 2),
    ...(umPerPx === null
      ? {}
      : {
          length_um: fixed(m.lengthPx * umPerPx, 3),
          width_um: fixed(m.widthPx * umPerPx, 3),
          area_um2: fixed(m.areaPx * umPerPx ** 2, 3),
          perimeter_um: fixed(m.perimeterPx * umPerPx, 3),
        }),
  };
}

const fixed = (value: number | undefined, digits: number) =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits));

/** What a person typed must not become a spreadsheet's formula. */
const plain = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const renamed = <T>(row: Record<string, T>) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [plain(name), value]));
