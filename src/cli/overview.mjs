// What the program says of itself as a whole. Plain JavaScript: bin/androscope prints it under whatever Node there is,
// without starting the project's own.
import { readFileSync } from "node:fs";

/** Every command with its summary, in the order of --help. */
export const SUMMARIES = {
  demo: "train and cross-validate on generated phantoms: what npm start runs",
  data: "describe, import or generate a dataset",
  masks: "outline and measure heads by image processing alone, no network",
  train: "train one model on a whole dataset",
  crossval: "cross-validate the method honestly and write a report",
  robustness: "test a cross-validation's networks on altered images",
  study: "compare configurations on the same folds and seeds, resumably",
  predict: "classify and measure crops with a trained model",
  adapt: "teach a finished model your laboratory's crops",
  field: "find, measure, classify and count the heads of whole photographs",
  app: "review samples in the browser: upload, correct, read twice, export",
  report: "rebuild the report of a run",
  doctor: "check this machine and installation",
};

export const EXIT_STATUS = "Exit status: 0 success, 1 failure, 2 wrong use.";

function generalHelp() {
  const width = Math.max(...Object.keys(SUMMARIES).map((name) => name.length));
  return [
    "androscope <command> [options]",
    "",
    "Classifies the shape of human sperm heads and trains the networks that do it.",
    "",
    ...Object.entries(SUMMARIES).map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Every command has --help with an example, and --json for programs.",
    EXIT_STATUS,
    "Research use only; not for diagnosis.",
  ].join("\n");
}

/** A help text as --help prints it. */
export function shownHelp(help, json) {
  return json ? `${JSON.stringify({ help }, null, 2)}\n` : `${help}\n`;
}

/** The answer to arguments that ask for no work, with its exit status; undefined where a command is named. */
export function answerAtOnce(args) {
  const json = args.includes("--json");
  const [name] = args.filter((arg) => arg !== "--json");
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    return { text: shownHelp(generalHelp(), json), status: name === undefined ? 2 : 0 };
  }
  if (name === "--version") {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    return { text: json ? `${JSON.stringify({ version })}\n` : `${version}\n`, status: 0 };
  }
  return undefined;
}
