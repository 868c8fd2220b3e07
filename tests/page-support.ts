/** What the tests of the app's page share: a real browser, the real command, and what the page may not do. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import { generatePhantoms } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { Client } from "../src/server/testing/support.ts";
import { BIN } from "./support.ts";

/** Where Debian's package chromium keeps it. */
export const CHROMIUM = "/usr/bin/chromium";
export const hasChromium = existsSync(CHROMIUM);
/** A page that waits for a busy machine. */
const PATIENCE = 30_000;

let browser: Browser | undefined;
afterAll(() => browser?.close());

export interface Visit {
  page: Page;
  /** What the browser complained of, content security included, and requests to elsewhere. */
  complaints: string[];
}

/** A browser of its own: no cookie, no storage. @param address with the token */
export async function visit(address: string, options: BrowserContextOptions = {}): Promise<Visit> {
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const origin = new URL(address).origin;
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !/^(blob|data):/.test(request.url())) complaints.push(request.url());
  });
  await page.goto(address);
  return { page, complaints };
}

/** Says who reads, by keyboard, in the dialog that asks at the first visit. */
export async function readAs(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Who reads?" });
  await dialog.waitFor();
  await dialog.getByRole("textbox").focus();
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
}

/** Asks until the answer is the expected one. */
export const eventually = <T>(ask: () => T) => expect.poll(ask, { timeout: PATIENCE });

/** Everything that was decided is answered. */
export async function saved(page: Page): Promise<void> {
  await eventually(() => page.evaluate("localStorage.getItem('androscope.pending')")).toBe("[]");
}

export interface Running {
  url: string;
  origin: string;
  client: Client;
  end(): Promise<void>;
}

/** `androscope app`, as a user starts it. */
export async function startCommand(data: string): Promise<Running> {
  const child = spawn(BIN, ["app", "--no-open", "--json", "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const document = await new Promise<{ url: string; origin: string; token: string }>((resolve, reject) => {
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
  return { url: document.url, origin: document.origin, client: new Client(document), end };
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
