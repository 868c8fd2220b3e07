/**
 * What a command is: a name, options described well enough to print its help, and a function from parsed arguments
 * to a result. Commands parse, call and print; the logic is in the rooms below.
 */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { AndroscopeError, type Progress } from "../runs/index.ts";
import { EXIT_STATUS } from "./overview.mjs";

export interface OptionSpec {
  type: "string" | "boolean" | "integer" | "number";
  /** One line for --help. */
  help: string;
  /** The placeholder in --help: `--out DIR`. */
  value?: string;
  /** Documented default, shown in --help. The command applies it. */
  default?: string | number | boolean;
  multiple?: boolean;
  required?: boolean;
}

export interface Invocation {
  /** Arguments that are not options. */
  positionals: string[];
  /** Values by option name as written (`"um-per-px"`); absent where not given and without default. */
  // biome-ignore lint/suspicious/noExplicitAny: the option table gives the type, checked while parsing
  options: Record<string, any>;
  progress: Progress;
}

export interface CommandResult {
  /** The document that --json prints. */
  json: unknown;
  /** What a person reads. */
  text: string;
  /** What one would do next: shown after the text. */
  next?: string[];
  /** 0 unless the command did its work and the answer is a failure (a check that did not pass). */
  exitCode?: number;
}

export interface Command {
  name: string;
  summary: string;
  /** After the name: `<images…> --out DIR`. */
  usage: string;
  example: string;
  options: Record<string, OptionSpec>;
  run(invocation: Invocation): Promise<CommandResult>;
}

/** Parses a command's arguments against its option table. Throws `usage/*`. */
export function parseInvocation(
  command: Command,
  args: string[],
): { positionals: string[]; options: Invocation["options"] } {
  const config: ParseArgsOptionsConfig = {};
  for (const [name, option] of Object.entries(command.options)) {
    config[name] = { type: option.type === "boolean" ? "boolean" : "string", multiple: option.multiple ?? false };
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args, options: config, allowPositionals: true, strict: true });
  } catch (cause) {
    const found = (cause as Error).message.split(". ")[0] ?? "something else";
    const guess = didYouMean(
      /'--([^']+)'/.exec(found)?.[1] ?? "",
      [...Object.keys(command.options), "json", "help"],
      "--",
    );
    throw new AndroscopeError("usage/unknown-option", {
      expected: `the options of androscope ${command.name}`,
      found,
      fix: `${guess}See androscope ${command.name} --help.`,
      cause,
    });
  }
  const options: Invocation["options"] = {};
  for (const [name, spec] of Object.entries(command.options)) {
    const given = parsed.values[name];
    if (given === undefined) {
      if (spec.required) {
        throw new AndroscopeError("usage/missing-argument", {
          expected: `--${name} ${spec.value ?? ""}`.trim(),
          found: "nothing",
          fix: `See androscope ${command.name} --help.`,
        });
      }
      if (spec.default !== undefined) options[name] = spec.default;
      continue;
    }
    const convert = (value: unknown) => convertOption(name, spec, value);
    options[name] = Array.isArray(given) ? given.map(convert) : convert(given);
  }
  return { positionals: parsed.positionals, options };
}

function convertOption(name: string, spec: OptionSpec, value: unknown): unknown {
  if (spec.type === "boolean" || spec.type === "string") return value;
  const number = Number(value);
  const valid =
    String(value).trim() !== "" && Number.isFinite(number) && (spec.type === "number" || Number.isSafeInteger(number));
  if (!valid) {
    throw new AndroscopeError("usage/bad-value", {
      expected: spec.type === "integer" ? "a whole number" : "a number",
      found: JSON.stringify(value),
      where: `--${name}`,
      fix: "Give a number.",
    });
  }
  return number;
}

/** "Did you mean …? " for the candidate that a misspelt word is closest to; nothing where none is close. */
export function didYouMean(word: string, candidates: readonly string[], prefix = ""): string {
  const [best] = candidates
    .map((name) => ({ name, edits: editDistance(word, name) }))
    .filter(({ name, edits }) => edits <= 2 && edits < Math.min(word.length, name.length))
    .sort((a, b) => a.edits - b.edits);
  return best ? `Did you mean ${prefix}${best.name}? ` : "";
}

/** Letters to insert, remove or replace to turn one word into the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The text of `androscope NAME --help`. */
export function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const left = `--${name}${option.value ? ` ${option.value}` : ""}`;
    const fallback = option.default === undefined ? "" : ` (default ${option.default})`;
    return [left, `${option.help}${option.required ? " (required)" : ""}${fallback}`] as const;
  });
  rows.push(["--json", "print one JSON document on stdout; progress goes to stderr"], ["--help", "print this"]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `androscope ${command.name} ${command.usage}`,
    "",
    command.summary,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
    "Example:",
    `  ${command.example}`,
    "",
    EXIT_STATUS,
    "Research use only; not for diagnosis.",
  ].join("\n");
}
