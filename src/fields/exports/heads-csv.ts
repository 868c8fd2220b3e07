/** heads.csv: a row for everything that was found, counted or not. */
import { formatCsv } from "../../runs/index.ts";
import { isCounted } from "../counts.ts";
import type { FoundHead } from "../head.ts";
import { micrometres } from "../measures.ts";
import { fixed, MEASURE_COLUMNS, MICROMETRE_COLUMNS, measureCells, micrometreCells } from "./measure-cells.ts";
import type { AnalysedPicture, AnalysedSample } from "./sample.ts";
import { verdictOf } from "./verdicts.ts";

type Row = Record<string, string | number | boolean | null>;

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
    ...MEASURE_COLUMNS,
    ...(calibrated ? ["um_per_px", ...MICROMETRE_COLUMNS] : []),
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
    ...measureCells(m),
    um_per_px: umPerPx ?? null,
    ...micrometreCells(um),
    ...Object.fromEntries(verdict.limits.map((limit) => [`limit_${limit.measure}`, limit.verdict])),
    within_limits: verdict.limits.length === 0 ? null : verdict.withinLimits,
    against: verdict.against.join(" "),
  };
}
