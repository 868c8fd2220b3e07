/** Options that several commands share. */
import type { OpenOptions } from "../datasets/index.ts";
import type { Workers } from "../jobs/index.ts";
import type { DeviceChoice } from "../learning/index.ts";
import { AndroscopeError } from "../runs/index.ts";
import type { Invocation, OptionSpec } from "./command.ts";

/** Those of the room below, which help must not load. */
export const DEVICE_CHOICES = [
  "cpu",
  "cuda",
  "dml",
  "coreml",
  "webgpu",
  "auto",
] as const satisfies readonly DeviceChoice[];

const ATTRIBUTES = [
  "head",
  "acrosome",
  "vacuole",
  "tail",
  "all",
] as const satisfies readonly OpenOptions["attribute"][];

export const DATASET_OPTIONS = {
  agreement: {
    type: "string",
    value: "partial|total",
    help: "SCIAN: majority labels, or only images on which all experts agree",
  },
  votes: {
    type: "string",
    value: "FILE",
    help: "SCIAN: the experts' votes (default votes_and_folds.csv beside the images)",
  },
  attribute: {
    type: "string",
    value: ATTRIBUTES.join("|"),
    help: "MHSMA: which structure to classify; all: combinations of head, acrosome and vacuole",
  },
  size: { type: "integer", value: "128|64", help: "MHSMA: which of the published crops" },
} as const satisfies Record<string, OptionSpec>;

/** The values of {@link DATASET_OPTIONS}, those that were given. @throws `usage/bad-value` */
export function datasetOptions(
  options: Invocation["options"],
): Pick<OpenOptions, "votes" | "agreement" | "attribute" | "size"> {
  const agreement = oneOf("agreement", options.agreement, ["partial", "total"]);
  const attribute = oneOf("attribute", options.attribute, ATTRIBUTES);
  const size = oneOf("size", options.size?.toString(), ["128", "64"]);
  return {
    ...(options.votes === undefined ? {} : { votes: options.votes }),
    ...(agreement ? { agreement } : {}),
    ...(attribute ? { attribute } : {}),
    ...(size ? { size: size === "64" ? 64 : 128 } : {}),
  };
}

export const TRAINING_OPTIONS = {
  config: { type: "string", value: "FILE", help: "JSON with any part of the configuration (docs/method.md)" },
  set: {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "one setting, e.g. tune.steps=200; may be repeated",
  },
  seed: { type: "integer", value: "N", help: "seed of everything random", default: 1 },
  threads: {
    type: "integer",
    value: "N",
    help: "threads per operator; part of the run, since results depend on it in the last bits",
    default: 2,
  },
  device: {
    type: "string",
    value: DEVICE_CHOICES.join("|"),
    help: "where the networks are computed; part of the run, like threads (docs/devices.md)",
    default: "cpu",
  },
} as const satisfies Record<string, OptionSpec>;

/** Of commands that train. */
export const INIT_OPTION = {
  init: {
    type: "string",
    value: "FOLDER",
    help: "optional: MobileNet v1 weights (TensorFlow.js layers format) that stage 1 starts from instead of random ones; sets network.backbone, widths and blocks (docs/data.md)",
  },
} as const satisfies Record<string, OptionSpec>;

/** Of commands with several trainings. Threads take turns at the small operators; whole trainings do not. */
export const WORKER_OPTIONS = {
  threads: { ...TRAINING_OPTIONS.threads, default: 1 },
  workers: {
    type: "string",
    value: "N|auto",
    help: "folds at a time, each in a process of its own; the result does not depend on it. auto: by cores and memory",
    default: "auto",
  },
} as const satisfies Record<string, OptionSpec>;

/** @throws `usage/bad-value` */
export function workersOf(value: string): Workers {
  if (value === "auto") return value;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new AndroscopeError("usage/bad-value", {
    expected: "a whole number from 1, or auto",
    found: JSON.stringify(value),
    where: "--workers",
    fix: "For example --workers 2.",
  });
}

/** One of several words. @throws `usage/bad-value` */
export function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  if (!(allowed as readonly string[]).includes(value)) {
    throw new AndroscopeError("usage/bad-value", {
      expected: `one of ${allowed.join(", ")}`,
      found: value,
      where: `--${name}`,
      fix: "Choose one of them.",
    });
  }
  return value as T;
}

/** Words with commas between. */
export function listOf(text: string | undefined): string[] | undefined {
  return text
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** The value of --device. @throws `usage/bad-value` */
export function deviceChoice(value: string): DeviceChoice {
  return oneOf("device", value, DEVICE_CHOICES)!;
}

export function atLeast(name: string, value: number, least: number): number {
  if (value < least) {
    throw new AndroscopeError("usage/bad-value", {
      expected: `at least ${least}`,
      found: String(value),
      where: `--${name}`,
      fix: "Give a larger number.",
    });
  }
  return value;
}

/** A number above 0, where it is given. @throws `usage/bad-value` */
export function positive(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value > 0) return value;
  throw new AndroscopeError("usage/bad-value", {
    expected: "a number above 0",
    found: String(value),
    where: `--${name}`,
    fix: "Correct it, or leave it out where it is not known.",
  });
}

/** The one positional argument. @throws `usage/missing-argument`, `usage/bad-value` */
export function onlyPositional(command: string, what: string, positionals: readonly string[]): string {
  if (positionals.length === 0) {
    throw new AndroscopeError("usage/missing-argument", {
      expected: what,
      found: "nothing",
      fix: `See androscope ${command} --help.`,
    });
  }
  if (positionals.length > 1) {
    throw new AndroscopeError("usage/bad-value", {
      expected: `one ${what}`,
      found: positionals.join(" "),
      fix: `See androscope ${command} --help.`,
    });
  }
  return positionals[0]!;
}
