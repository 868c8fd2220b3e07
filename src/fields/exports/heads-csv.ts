/** heads.csv: a row for everything that was found, counted or not. */
import { formatCsv } from "../../runs/index.ts";
import { isCounted } from "../counts.ts";
import type { FoundHead } from "../head.ts";
import { micrometres } from "../measures.ts";
import type { AnalysedPicture, AnalysedSample } from "./sample.ts";
import { verdictOf } from "./verdicts.ts";

type Row = Record<string, string | number | boolean | null>;

const fixed = (value: number | undefined, digits: number) =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits));

export function headsCsv(sample: AnalysedSample): string {
  const rows = sample.pictures.flatMap((picture) => picture.analysis.heads.map((head) => row(sample, picture, head)));
  return formatCsv(columnsOf(sample), rows);
}

/** The columns, also where there is no row. Those in µm are there where any picture has a calibration. */
function columnsOf({ analyser, pictures, criteria }: AnalysedSample): string[] {
  const calibrated = pictures.some(({ umPerPx }) => umPerPx !== undefined);
  return [
    ...["image", "number", "state", "reason", "counted", "class"],
    ...analyser.classes.map((name) => `prob_${name}`),
    ...["score", "reliability", "x_px", "y_px", "angle_deg"],
    ...["area_px", "perimeter_px", "length_px", "width_px", "ellipticity", "elongation", "rugosity", "regularity"],
    ...["symmetry", "acrosome_share", "vacuoles", "vacuole_share"],
    ...(calibrated ? ["um_per_px", "length_um", "width_um", "perimeter_um", "area_um2"] : []),
    ...(criteria ? criteria.limits.map(({ measure }) => `limit_${measure}`) : []),
    ...(criteria ? ["within_limits"] : []),
    "against",
  ];
}

function row({ analyser, criteria, normalClass }: AnalysedSample, picture: AnalysedPicture, head: FoundHead): Row {
  const { path, umPerPx, excluded } = picture;
  const { measures: m } = head;
  const verdict = verdictOf(head, { umPerPx, normalClass, ...(criteria ? { criteria } : {}) });
  // What is cut has no length: its measures in µm would be read as such.
  const um = head.state === "head" ? micrometres(m, umPerPx) : undefined;
  return {
    image: path,
    number: head.number,
    state: head.state,
    reason: head.reason ?? null,
    counted: isCounted(head, excluded),
    class: verdict.label === undefined ? null : analyser.classes[verdict.label]!,
    ...Object.fromEntries(analyser.classes.map((name, c) => [`prob_${name}`, fixed(head.probabilities[c], 5)])),
    score: fixed(head.score, 4),
    reliability: fixed(head.agreement, 4),
    x_px: fixed(head.centre[0], 2),
    y_px: fixed(head.centre[1], 2),
    angle_deg: fixed((Math.atan2(head.axis[1], head.axis[0]) * 180) / Math.PI, 2),
    area_px: fixed(m.areaPx, 1),
    perimeter_px: fixed(m.perimeterPx, 2),
    length_px: fixed(m.lengthPx, 2),
    width_px: fixed(m.widthPx, 2),
    ellipticity: fixed(m.ellipticity, 4),
    elongation: fixed(m.elongation, 4),
    rugosity: fixed(m.rugosity, 4),
    regularity: fixed(m.regularity, 4),
    symmetry: fixed(m.symmetry, 4),
    acrosome_share: fixed(m.acrosomeShare, 4),
    vacuoles: m.vacuoles,
    vacuole_share: fixed(m.vacuoleShare, 4),
    um_per_px: umPerPx ?? null,
    length_um: fixed(um?.lengthUm, 3),
    width_um: fixed(um?.widthUm, 3),
    perimeter_um: fixed(um?.perimeterUm, 3),
    area_um2: fixed(um?.areaUm2, 3),
    ...Object.fromEntries(verdict.limits.map((limit) => [`limit_${limit.measure}`, limit.verdict])),
    within_limits: verdict.limits.length === 0 ? null : verdict.withinLimits,
    against: verdict.against.join(" "),
  };
}
