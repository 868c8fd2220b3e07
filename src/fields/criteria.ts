/**
 * Limits of what a normal head measures, read from files that name their source: none is in the code. They judge a head
 * beside the network and never change its class: what a limit says and what the network says stay apart.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Morphometry } from "../heads/index.ts";
import { AndroscopeError, type ErrorCode, readText } from "../runs/index.ts";
import { isMeasure, MEASURES, type MeasureName, type MeasureUnit, measureIn } from "./measures.ts";

/** Raised when an older program could not read newer criteria. */
export const CRITERIA_SCHEMA = 1;

const file = (name: string) => fileURLToPath(new URL(`./criteria/${name}.json`, import.meta.url));

/** The criteria that come with the program. */
export const BUNDLED_CRITERIA = { "who-2021": file("who-2021"), "kruger-1986": file("kruger-1986") } as const;

const bound = z.number().finite().min(0).optional();

const criteriaSchema = z.strictObject({
  schema: z.literal(CRITERIA_SCHEMA),
  name: z.string().min(1),
  /** Of the file: raise it with every change of a limit, so that a result can name its limits. */
  version: z.string().min(1),
  source: z.string().min(1),
  limits: z
    .array(
      z.strictObject({
        measure: z.string(),
        unit: z.string(),
        /** Both belong to the range. One may be absent. */
        low: bound,
        high: bound,
        source: z.string().min(1),
        /** What the limit was checked against. */
        checked: z.string().optional(),
      }),
    )
    .min(1),
});

export interface Limit {
  readonly measure: MeasureName;
  readonly unit: MeasureUnit;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly source: string;
  readonly checked?: string | undefined;
}

export interface Criteria extends Omit<z.infer<typeof criteriaSchema>, "limits"> {
  readonly limits: readonly Limit[];
}

/** `unknown`: a length or an area without calibration. */
export type Verdict = "inside" | "below" | "above" | "unknown";

export interface Judgement extends Limit {
  readonly verdict: Verdict;
  /** In the limit's unit; absent where it is unknown. */
  readonly value?: number;
}

/** What every limit says of a head, in the order of the criteria. */
export function judge(measures: Morphometry, umPerPx: number | undefined, { limits }: Criteria): Judgement[] {
  return limits.map((limit) => {
    const value = measureIn(limit.measure, measures, umPerPx);
    if (value === undefined) return { ...limit, verdict: "unknown" };
    if (limit.low !== undefined && value < limit.low) return { ...limit, verdict: "below", value };
    return { ...limit, verdict: limit.high !== undefined && value > limit.high ? "above" : "inside", value };
  });
}

/** `unknown` where no limit is broken and one could not be applied. */
export function overall(judgements: readonly Judgement[]): "inside" | "outside" | "unknown" {
  if (judgements.some(({ verdict }) => verdict === "below" || verdict === "above")) return "outside";
  return judgements.some(({ verdict }) => verdict === "unknown") ? "unknown" : "inside";
}

/**
 * Reads criteria: bundled ones by default, or a laboratory's own.
 * @throws `file/*`, `criteria/*`
 */
export async function loadCriteria(path: string = BUNDLED_CRITERIA["who-2021"]): Promise<Criteria> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refusal("criteria/unreadable", path, "a JSON document", (cause as Error).message, cause);
  }
  return parseCriteria(value, path);
}

/** @throws `criteria/*` */
export function parseCriteria(value: unknown, where: string): Criteria {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refusal("criteria/unreadable", where, "a JSON object with schema, name, source and limits", typeName(value));
  }
  const { schema } = value as { schema?: unknown };
  if (typeof schema === "number" && schema > CRITERIA_SCHEMA) {
    throw refusal("criteria/newer", where, `schema ${CRITERIA_SCHEMA}`, `schema ${schema}`);
  }
  const parsed = criteriaSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const at = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      const known =
        at === "" ? Object.keys(criteriaSchema.shape) : Object.keys(criteriaSchema.shape.limits.element.shape);
      const keys = issue.keys.map((key) => (at === "" ? key : `${at}.${key}`)).join(", ");
      throw refusal("criteria/unknown-key", where, `only ${known.join(", ")}`, keys);
    }
    throw refusal("criteria/bad-value", where, `a usable value of ${at || "the file"}`, issue.message);
  }
  const limits = parsed.data.limits.map((limit, i): Limit => {
    const { measure, unit, low, high } = limit;
    const place = `limits.${i} of ${measure}`;
    if (!isMeasure(measure)) {
      throw refusal("criteria/unknown-measure", where, `one of ${Object.keys(MEASURES).join(", ")}`, measure);
    }
    const own = MEASURES[measure].unit;
    // Keyboards write µ in two ways, and u where they have none.
    if (
      unit
        .replace(/^[uμ]m/, "µm")
        .replace("^2", "²")
        .replace(/^µm2$/, "µm²") !== own
    ) {
      throw refusal("criteria/bad-unit", where, `${own} as the unit of ${measure}`, unit);
    }
    if (low === undefined && high === undefined) {
      throw refusal("criteria/bad-range", where, `low or high in ${place}`, "neither");
    }
    if (low !== undefined && high !== undefined && low > high) {
      throw refusal("criteria/bad-range", where, `low at most high in ${place}`, `${low} and ${high}`);
    }
    return { ...limit, measure, unit: own };
  });
  const measures = limits.map(({ measure }) => measure);
  const twice = measures.find((measure, i) => measures.indexOf(measure) !== i);
  if (twice) throw refusal("criteria/duplicate", where, "one limit a measure, with low and high", `two of ${twice}`);
  return { ...parsed.data, limits };
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function refusal(code: ErrorCode, where: string, expected: string, found: string, cause?: unknown): AndroscopeError {
  const fix =
    code === "criteria/newer"
      ? "Use a newer version of the program."
      : "Correct the file; docs/criteria.md explains it.";
  return new AndroscopeError(code, { expected, found, where, fix, cause });
}
