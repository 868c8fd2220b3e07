/**
 * Found heads as GeoJSON that QuPath opens (File, Import objects from file). What it reads was looked up in its source,
 * qupath-core's QuPathTypeAdapters and GsonTools: a UUID as id (since 0.4), objectType, classification with name and
 * colour, isLocked, measurements as an object of numbers (since 0.4; a null or a text in it would break the import), name,
 * and metadata as an object of texts (since 0.5). Further properties are passed over.
 *
 * Coordinates are pixels of the full picture, its top left corner at (0, 0). Rings are closed and their shoelace area is
 * positive, which taken as plain numbers is RFC 7946's right-hand rule; on the screen, where y points down, they run
 * clockwise. QuPath takes either.
 */
import { createHash } from "node:crypto";
import { isCounted } from "../counts.ts";
import type { AnalyserDescription, FoundHead } from "../head.ts";
import { micrometres } from "../measures.ts";
import { colourOf, GREY } from "./colours.ts";
import { signedArea, simplified } from "./polygon.ts";
import { type AnalysedPicture, type AnalysedSample, RESEARCH_USE } from "./sample.ts";
import { verdictOf } from "./verdicts.ts";

export interface GeoJsonOptions {
  /** Of QuPath: detections are many and for tables, annotations few and for editing by hand. Default: detection. */
  readonly objectType?: "detection" | "annotation";
  /** The class that people decided on, null where they took the head out of the count; undefined: what the model says stands. */
  readonly decided?: (head: FoundHead) => string | null | undefined;
  /** Whose opinion each head carries, where not all are the sample's analyser's; undefined: of no model. */
  readonly judgedBy?: (head: FoundHead) => AnalyserDescription | undefined;
}

/** One picture's FeatureCollection. */
export function geoJson(sample: AnalysedSample, picture: AnalysedPicture, options: GeoJsonOptions = {}) {
  return {
    type: "FeatureCollection" as const,
    // Foreign members, which RFC 7946 allows and QuPath passes over.
    image: picture.path,
    use: RESEARCH_USE,
    ...(options.judgedBy ? { models: modelsOf(picture, options.judgedBy) } : {}),
    // An outline of fewer than three corners is no polygon. None is found; a crop's empty mask has one.
    features: picture.analysis.heads
      .filter((head) => simplified(head.outline).length >= 3)
      .map((head) => feature(sample, picture, head, options)),
  };
}

/** Every model whose opinions are in the picture, by SHA-256, and how many heads carry one. */
function modelsOf({ analysis }: AnalysedPicture, judgedBy: NonNullable<GeoJsonOptions["judgedBy"]>) {
  const heads = new Map<string, number>();
  for (const head of analysis.heads) {
    const model = judgedBy(head)?.model;
    if (model !== undefined) heads.set(model, (heads.get(model) ?? 0) + 1);
  }
  return [...heads].map(([model, count]) => ({ model, heads: count }));
}

export type GeoJsonCollection = ReturnType<typeof geoJson>;

function feature(
  { analyser, criteria, normalClass }: AnalysedSample,
  picture: AnalysedPicture,
  head: FoundHead,
  { objectType = "detection", decided, judgedBy }: GeoJsonOptions,
) {
  const model = judgedBy ? judgedBy(head) : analyser;
  // Another model may have other classes, or another order of them.
  const classes = model?.classes ?? [];
  const { umPerPx, excluded, path } = picture;
  const { label, limits, against } = verdictOf(head, { umPerPx, normalClass, ...(criteria ? { criteria } : {}) });
  const decision = decided?.(head);
  const accepted = decision === undefined ? isCounted(head, excluded) : decision !== null;
  const name = decision ?? (label === undefined ? undefined : classes[label]);
  const classification =
    accepted && name !== undefined
      ? { name: oneLine(name), color: [...colourOf(analyser.classes.indexOf(name)).rgb] }
      : {
          name: head.state === "head" || decision === null ? "Excluded" : head.state === "cut" ? "Cut" : "Refused",
          color: [...GREY.rgb],
        };
  return {
    type: "Feature" as const,
    id: uuidOf(JSON.stringify([analyser.model, analyser.detector, path, head.number, head.outline])),
    geometry: { type: "Polygon" as const, coordinates: [closedRing(head)] },
    properties: {
      objectType,
      name: String(head.number),
      classification,
      isLocked: true,
      measurements: measurements(head, classes, umPerPx),
      metadata: {
        state: head.state,
        ...(head.reason ? { reason: head.reason } : {}),
        ...(decision === undefined ? {} : { decided: "by people" }),
        ...(judgedBy && model ? { model: model.model } : {}),
        ...(against.length > 0 ? { against: against.join(" ") } : {}),
        ...Object.fromEntries(limits.map(({ measure, verdict }) => [`limit ${measure}`, verdict])),
      },
      number: head.number,
      state: head.state,
      ...(head.reason ? { reason: head.reason } : {}),
      accepted,
      ...(name === undefined ? {} : { class: name }),
      probabilities: Object.fromEntries(head.probabilities.map((p, c) => [classes[c]!, p])),
      measures: head.measures,
    },
  };
}

function closedRing({ outline }: FoundHead): [number, number][] {
  const corners = simplified(outline);
  if (signedArea(corners) < 0) corners.reverse();
  return [...corners, [...corners[0]!]];
}

/** Numbers only. */
function measurements(
  head: FoundHead,
  classes: readonly string[],
  umPerPx: number | undefined,
): Record<string, number> {
  const m = head.measures;
  const um = head.state === "head" ? micrometres(m, umPerPx) : undefined;
  const all: [string, number][] = [
    ...head.probabilities.map((p, c): [string, number] => [`Probability ${oneLine(classes[c]!)}`, p]),
    ["Detector score", head.score],
    ["Reliability", head.agreement],
    ["Length px", m.lengthPx],
    ["Width px", m.widthPx],
    ["Perimeter px", m.perimeterPx],
    ["Area px^2", m.areaPx],
    ["Length to width", m.ellipticity],
    ["Elongation", m.elongation],
    ["Rugosity", m.rugosity],
    ["Regularity", m.regularity],
    ["Symmetry", m.symmetry],
    ["Acrosome share", m.acrosomeShare],
    ["Vacuoles", m.vacuoles],
    ["Vacuole share", m.vacuoleShare],
    ...(um
      ? ([
          ["Length µm", um.lengthUm],
          ["Width µm", um.widthUm],
          ["Perimeter µm", um.perimeterUm],
          ["Area µm^2", um.areaUm2],
        ] as [string, number][])
      : []),
  ];
  return Object.fromEntries(all.filter(([, value]) => Number.isFinite(value)));
}

/** QuPath takes a colon in the name of a class for the border of two classes, and a line end for an error. */
const oneLine = (name: string) => name.replace(/[:\r\n]+/g, " ").trim() || "Unnamed";

/** A UUID of version 8 (RFC 9562) that the same text always has: importing twice does not make two heads of one. */
export function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
