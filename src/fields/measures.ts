/** The measures that limits may be set on, their units, and lengths in micrometres where the calibration is known. */
import type { Morphometry } from "../heads/index.ts";
import { AndroscopeError } from "../runs/index.ts";

export type MeasureUnit = "µm" | "µm²" | "ratio" | "share" | "count";

interface Measure {
  readonly unit: MeasureUnit;
  readonly of: (measures: Morphometry) => number;
}

export const MEASURES = {
  length: { unit: "µm", of: (m) => m.lengthPx },
  width: { unit: "µm", of: (m) => m.widthPx },
  perimeter: { unit: "µm", of: (m) => m.perimeterPx },
  area: { unit: "µm²", of: (m) => m.areaPx },
  lengthToWidth: { unit: "ratio", of: (m) => m.ellipticity },
  elongation: { unit: "ratio", of: (m) => m.elongation },
  rugosity: { unit: "ratio", of: (m) => m.rugosity },
  regularity: { unit: "ratio", of: (m) => m.regularity },
  symmetry: { unit: "share", of: (m) => m.symmetry },
  acrosomeShare: { unit: "share", of: (m) => m.acrosomeShare },
  vacuoles: { unit: "count", of: (m) => m.vacuoles },
  vacuoleShare: { unit: "share", of: (m) => m.vacuoleShare },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof MEASURES;

export const isMeasure = (name: string): name is MeasureName => Object.hasOwn(MEASURES, name);

/**
 * A measure in its unit; undefined for a length or an area without calibration.
 * @throws `usage/bad-value` for a calibration that is no positive number
 */
export function measureIn(name: MeasureName, measures: Morphometry, umPerPx: number | undefined): number | undefined {
  const { unit, of }: Measure = MEASURES[name];
  if (unit !== "µm" && unit !== "µm²") return of(measures);
  const scale = calibration(umPerPx);
  return scale && of(measures) * (unit === "µm" ? scale : scale ** 2);
}

export interface Micrometres {
  readonly lengthUm: number;
  readonly widthUm: number;
  readonly perimeterUm: number;
  readonly areaUm2: number;
}

/**
 * Lengths in micrometres; undefined without calibration, which is never guessed.
 * @throws `usage/bad-value` for a calibration that is no positive number
 */
export function micrometres(measures: Morphometry, umPerPx: number | undefined): Micrometres | undefined {
  const scale = calibration(umPerPx);
  if (scale === undefined) return undefined;
  return {
    lengthUm: measures.lengthPx * scale,
    widthUm: measures.widthPx * scale,
    perimeterUm: measures.perimeterPx * scale,
    areaUm2: measures.areaPx * scale ** 2,
  };
}

function calibration(umPerPx: number | undefined): number | undefined {
  if (umPerPx === undefined || (Number.isFinite(umPerPx) && umPerPx > 0)) return umPerPx;
  throw new AndroscopeError("usage/bad-value", {
    expected: "micrometres per pixel above 0",
    found: String(umPerPx),
    fix: "Give the calibration of the microscope and camera, or none.",
  });
}
