/** Morphometry as it is shown: names, units and digits. */
import type { Head } from "../../../src/server/api.ts";

type Measures = NonNullable<Head["measures"]>;

export interface MeasureKind {
  key: keyof Measures;
  name: string;
  /** A length (1), an area (2) or a ratio (0): the power of micrometres per pixel that goes with it. */
  power: 0 | 1 | 2;
  /** None: a count. */
  digits: number;
}

export const MEASURES: readonly MeasureKind[] = [
  { key: "lengthPx", name: "Length", power: 1, digits: 2 },
  { key: "widthPx", name: "Width", power: 1, digits: 2 },
  { key: "areaPx", name: "Area", power: 2, digits: 2 },
  { key: "perimeterPx", name: "Perimeter", power: 1, digits: 2 },
  { key: "ellipticity", name: "Ellipticity", power: 0, digits: 2 },
  { key: "elongation", name: "Elongation", power: 0, digits: 3 },
  { key: "rugosity", name: "Rugosity", power: 0, digits: 3 },
  { key: "regularity", name: "Regularity", power: 0, digits: 3 },
  { key: "symmetry", name: "Symmetry", power: 0, digits: 3 },
  { key: "acrosomeShare", name: "Acrosome", power: 0, digits: 2 },
  { key: "vacuoles", name: "Light spots", power: 0, digits: 0 },
];

/** Unknown calibration means pixels. */
export function unitOf({ power }: MeasureKind, umPerPx: number | null): string {
  if (power === 0) return "";
  const unit = umPerPx === null ? "px" : "µm";
  return power === 2 ? `${unit}²` : unit;
}

export function measureOf({ key, power }: MeasureKind, measures: Measures, umPerPx: number | null): number {
  return measures[key] * (umPerPx === null ? 1 : umPerPx ** power);
}

/** Pixels are shown with a digit less: they are larger numbers. */
export const shownValue = (kind: MeasureKind, value: number, umPerPx: number | null): string =>
  value.toFixed(kind.power > 0 && umPerPx === null ? Math.max(0, kind.digits - 1) : kind.digits);
