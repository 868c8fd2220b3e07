import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { BUNDLED_MODEL } from "../learning/index.ts";
import { AndroscopeError } from "../runs/index.ts";
import { analyserProcess, buildPage, isLoopback, learnerProcess, startApp, verifyFolder } from "../server/index.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { positive } from "./options.ts";

export const command: Command = {
  name: "app",
  summary:
    "Serves the review app to a browser on this machine until it is ended (Ctrl-C): samples, uploads, decisions of one or more readers, reports and exports. verify tells whether a data folder is as the app left it: the chain of its log, what follows from the log, and the uploaded files.",
  usage: "[verify] [--data DIR] [--port N] [--host H] [--model M] [--detector FILE] [--head-length PX] [--no-open]",
  example: "androscope app --data my-samples",
  options: {
    data: {
      type: "string",
      value: "DIR",
      help: "folder that holds everything; made where it is missing; one process at a time",
      default: "androscope-data",
    },
    port: { type: "integer", value: "N", help: "to listen on; 0: any that is free", default: 0 },
    host: {
      type: "string",
      value: "H",
      help: "address to listen on; any but this machine's own can be reached by others, without encryption (docs/security.md)",
      default: "127.0.0.1",
    },
    model: {
      type: "string",
      value: "M",
      help: "model.onnx of androscope train; without it the one that was learned in this folder and is in use, or else the one that comes with the program (models/hushem.md); heads that another model judged are judged again on demand",
    },
    detector: {
      type: "string",
      value: "FILE",
      help: "finds heads in photographs: of androscope field learn; without it the one that comes with the program",
    },
    "head-length": {
      type: "number",
      value: "PX",
      help: "how many pixels a usual head is long in photographs; without it estimated in the first photographs of each sample",
    },
    "no-open": { type: "boolean", help: "do not open the browser" },
    expect: { type: "string", value: "HASH", help: "of verify: a hash of the log that a report states" },
  },
  async run(invocation) {
    const { positionals, options } = invocation;
    const [what, more] = positionals;
    if (what === "verify" && more === undefined) return verify(String(options.data), options.expect);
    if (what !== undefined) {
      throw new AndroscopeError("usage/bad-value", {
        expected: "nothing, or verify",
        found: JSON.stringify(more ?? what),
        fix: "See androscope app --help.",
      });
    }
    return serve(invocation);
  },
};

/** Returns when the server listens; the process lives on until a signal ends it. */
async function serve({ options, progress }: Invocation): Promise<CommandResult> {
  const { data, port, host } = options as { data: string; port: number; host: string };
  if (port < 0 || port > 65535) {
    throw new AndroscopeError("usage/bad-value", {
      expected: "a port from 0 to 65535",
      found: String(port),
      where: "--port",
      fix: "Give another, or none.",
    });
  }
  const headLength = positive("head-length", options["head-length"]);
  // Heard from the start: a signal while the model is loading must not leave the lock behind.
  const ended = new Promise<void>((end) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end());
  });
  const page = await buildPage();
  if (page.state === "failed") progress.log(`The page could not be built; what is there is served.\n${page.detail}`);
  const networks = {
    model: options.model ? resolve(options.model) : BUNDLED_MODEL,
    ...(options.detector ? { detector: resolve(options.detector) } : {}),
    ...(headLength === undefined ? {} : { headLength }),
  };
  const app = await startApp({
    ...{ folder: data, port, host },
    analyser: () => analyserProcess(networks),
    learner: learnerProcess(networks),
    ownModel: options.model !== undefined,
  });
  if (app.lostModel) progress.log(`The learned model in use is lost. ${app.lostModel.error.message}`);
  void ended.then(async () => {
    await app.close();
    process.exit(0);
  });
  if (!isLoopback(host)) {
    progress.log(`Others on the network can reach ${app.origin}; what is sent is not encrypted (docs/security.md).`);
  }
  if (!options["no-open"]) openBrowser(app.url);
  return {
    json: { url: app.url, origin: app.origin, token: app.token, data: resolve(data), pid: process.pid },
    text: [
      `Androscope is open at ${app.url}`,
      `Everything is kept in ${resolve(data)}. End it with Ctrl-C.`,
      "Research use only; not for diagnosis.",
    ].join("\n"),
  };
}

/** By the system's own way; where there is none, the address was printed. */
function openBrowser(url: string): void {
  const [program, ...args] = {
    darwin: ["open"],
    win32: ["rundll32", "url.dll,FileProtocolHandler"],
  }[process.platform as string] ?? ["xdg-open"];
  const child = spawn(program!, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}

async function verify(data: string, expect: string | undefined): Promise<CommandResult> {
  const found = await verifyFolder(data, expect);
  const { intact, rows, hash, originals, faults } = found;
  return {
    json: found,
    text: [
      `${rows} rows of the log, newest ${hash}; ${originals} uploaded files`,
      ...faults.map(({ where, problem }) => `${where}: ${problem}`),
      intact ? "Everything is as the app left it." : `NOT as the app left it: ${faults.length} faults.`,
    ].join("\n"),
    exitCode: intact ? 0 : 1,
  };
}
