/** The program: picks the command, parses, runs, prints. Exit 0 success, 1 failure, 2 wrong use. */
import { AndroscopeError, isAndroscopeError, terminalProgress } from "../runs/index.ts";
import { type Command, commandHelp, didYouMean, parseInvocation } from "./command.ts";
import { answerAtOnce, type SUMMARIES, shownHelp } from "./overview.mjs";

/** Commands are loaded when called, so that none waits for what only another needs. */
const COMMANDS: Record<keyof typeof SUMMARIES, () => Promise<{ command: Command }>> = {
  demo: () => import("./demo.ts"),
  data: () => import("./data.ts"),
  masks: () => import("./masks.ts"),
  train: () => import("./train.ts"),
  crossval: () => import("./crossval.ts"),
  robustness: () => import("./robustness.ts"),
  study: () => import("./study.ts"),
  predict: () => import("./predict.ts"),
  adapt: () => import("./adapt.ts"),
  field: () => import("./field.ts"),
  app: () => import("./app.ts"),
  report: () => import("./report.ts"),
  doctor: () => import("./doctor.ts"),
};

const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

async function main(args: string[]): Promise<number> {
  const json = args.includes("--json");
  const atOnce = answerAtOnce(args);
  if (atOnce) {
    process.stdout.write(atOnce.text);
    return atOnce.status;
  }
  const [name, ...rest] = args.filter((arg) => arg !== "--json") as [string, ...string[]];
  try {
    if (!isCommand(name)) {
      throw new AndroscopeError("usage/unknown-command", {
        expected: `one of ${Object.keys(COMMANDS).join(", ")}`,
        found: JSON.stringify(name),
        fix: `${didYouMean(name, Object.keys(COMMANDS), "androscope ")}See androscope --help.`,
      });
    }
    const { command } = await COMMANDS[name]();
    if (rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write(shownHelp(commandHelp(command), json));
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
