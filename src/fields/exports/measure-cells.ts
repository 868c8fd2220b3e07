/** A head's measures as cells of a table: what the columns are called, and how many decimals tell something. */
import type { Morphometry } from "../../heads/index.ts";
import type { Micrometres } from "../measures.ts";

export type Cells = Record<string, number | null>;

/** Without the angle, which belongs to where the head lies. */
const MEASURES = {
  area_px: (m) => fixed(m.areaPx, 1),
  perimeter_px: (m) => fixed(m.perimeterPx, 2),
  length_px: (m) => fixed(m.lengthPx, 2),
  width_px: (m) => fixed(m.widthPx, 2),
  ellipticity: (m) => fixed(m.ellipticity, 4),
  elongation: (m) => fixed(m.elongation, 4),
  rugosity: (m) => fixed(m.rugosity, 4),
  regularity: (m) => fixed(m.regularity, 4),
  symmetry: (m) => fixed(m.symmetry, 4),
  acrosome_share: (m) => fixed(m.acrosomeShare, 4),
  vacuoles: (m) => m.vacuoles,
  vacuole_share: (m) => fixed(m.vacuoleShare, 4),
} satisfies Record<string, (measures: Morphometry) => number | null>;

const MICROMETRES = {
  length_um: (um) => fixed(um.lengthUm, 3),
  width_um: (um) => fixed(um.widthUm, 3),
  perimeter_um: (um) => fixed(um.perimeterUm, 3),
  area_um2: (um) => fixed(um.areaUm2, 3),
} satisfies Record<string, (um: Micrometres) => number | null>;

export const MEASURE_COLUMNS = Object.keys(MEASURES);
export const MICROMETRE_COLUMNS = Object.keys(MICROMETRES);

export const measureCells = (measures: Morphometry): Cells => cellsOf(MEASURES, measures);

/** Empty cells where nothing is known in µm. */
export const micrometreCells = (um: Micrometres | undefined): Cells => (um ? cellsOf(MICROMETRES, um) : {});

function cellsOf<T>(columns: Record<string, (of: T) => number | null>, of: T): Cells {
  return Object.fromEntries(Object.entries(columns).map(([name, cell]) => [name, cell(of)]));
}

/** A number of so many decimals; null, an empty cell, for what is not known or not finite. */
export const fixed = (value: number | undefined, digits: number): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits));
