/** The program: picks the command, parses, runs, prints. Exit 0 success, 1 failure, 2 wrong use. */
import { AndroscopeError, isAndroscopeError, terminalProgress, version } from "../runs/index.ts";
import { type Command, commandHelp, didYouMean, EXIT_STATUS, parseInvocation } from "./command.ts";

/** Commands are loaded when called, so that --help does not wait for the numerics. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<{ command: Command }> }> = {
  demo: {
    summary: "train and cross-validate on generated phantoms: what npm start runs",
    load: () => import("./demo.ts"),
  },
  data: { summary: "describe, import or generate a dataset", load: () => import("./data.ts") },
  masks: {
    summary: "outline and measure heads by image processing alone, no network",
    load: () => import("./masks.ts"),
  },
  train: { summary: "train one model on a whole dataset", load: () => import("./train.ts") },
  crossval: { summary: "cross-validate the method honestly and write a report", load: () => import("./crossval.ts") },
  predict: { summary: "classify and measure crops with a trained model", load: () => import("./predict.ts") },
  report: { summary: "rebuild the report of a run", load: () => import("./report.ts") },
  doctor: { summary: "check this machine and installation", load: () => import("./doctor.ts") },
};

function generalHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    "androscope <command> [options]",
    "",
    "Classifies the shape of human sperm heads and trains the networks that do it.",
    "",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Every command has --help with an example, and --json for programs.",
    EXIT_STATUS,
    "Research use only; not for diagnosis.",
  ].join("\n");
}

async function main(args: string[]): Promise<number> {
  const json = args.includes("--json");
  const [name, ...rest] = args.filter((arg) => arg !== "--json");
  const printHelp = (help: string) =>
    process.stdout.write(json ? `${JSON.stringify({ help }, null, 2)}\n` : `${help}\n`);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    printHelp(generalHelp());
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    process.stdout.write(json ? `${JSON.stringify({ version: version() })}\n` : `${version()}\n`);
    return 0;
  }
  try {
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!entry) {
      throw new AndroscopeError("usage/unknown-command", {
        expected: `one of ${Object.keys(COMMANDS).join(", ")}`,
        found: JSON.stringify(name),
        fix: `${didYouMean(name, Object.keys(COMMANDS), "androscope ")}See androscope --help.`,
      });
    }
    const { command } = await entry.load();
    if (rest.includes("--help") || rest.includes("-h")) {
      printHelp(commandHelp(command));
      return 0;
    }
    const parsed = parseInvocation(command, rest);
    const progress = terminalProgress();
    const result = await command.run({ ...parsed, progress });
    if (json) process.stdout.write(`${JSON.stringify(result.json, null, 2)}\n`);
    else {
      process.stdout.write(`${result.text}\n`);
      if (result.next?.length) process.stdout.write(`\nNext:\n${result.next.map((line) => `  ${line}`).join("\n")}\n`);
    }
    return result.exitCode ?? 0;
  } catch (error) {
    return reportFailure(error, json);
  }
}

function reportFailure(error: unknown, json: boolean): number {
  if (isAndroscopeError(error)) {
    if (json) process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
    process.stderr.write(`androscope: ${error.message} [${error.code}]\n`);
    return error.code.startsWith("usage/") ? 2 : 1;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (json)
    process.stdout.write(`${JSON.stringify({ error: { code: "internal", message: String(error) } }, null, 2)}\n`);
  process.stderr.write(`androscope: an error that should not happen; please report it with what you ran.\n${detail}\n`);
  return 1;
}

// Started through bin/androscope this process has a parent that holds it by a channel: it must not outlive that parent.
if (process.channel) {
  process.once("disconnect", () => process.exit(1));
  process.channel.unref();
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
// Nobody reads the progress any more: no reason to give up the work.
process.stderr.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
