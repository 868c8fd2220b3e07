/** `androscope app` as a user starts it, the browser, and files to drop: for tests and for measuring. Knows nothing of Vitest. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { generatePhantoms } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { Client } from "../src/server/testing/support.ts";

const BIN = fileURLToPath(new URL("../bin/androscope", import.meta.url));

/** Where Debian's package chromium keeps it. */
export const CHROMIUM = "/usr/bin/chromium";
export const hasChromium = existsSync(CHROMIUM);

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

export interface Running {
  url: string;
  origin: string;
  client: Client;
  end(): Promise<void>;
  /** Without any warning. */
  kill(): Promise<void>;
}

export async function startCommand(data: string): Promise<Running> {
  const child = spawn(BIN, ["app", "--no-open", "--json", "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const document = await new Promise<{ url: string; origin: string; token: string; pid: number }>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (stdout.endsWith("}\n")) resolve(JSON.parse(stdout));
    });
    child.once("exit", (status) => reject(new Error(`ended with ${status}: ${stderr}`)));
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const end = () => {
    child.kill("SIGTERM");
    return ended;
  };
  const kill = () => {
    process.kill(document.pid, "SIGKILL");
    return ended;
  };
  return { url: document.url, origin: document.origin, client: new Client(document), end, kill };
}

/** Drawn crops as files for the page, named in their order. */
export function phantomFiles(count: number, seed: number) {
  return Promise.all(
    [...generatePhantoms({ count, seed })].map(async ({ image }, i) => ({
      name: `crop ${String(i + 1).padStart(3, "0")}.png`,
      mimeType: "image/png",
      buffer: Buffer.from(await encodePng(image)),
    })),
  );
}
