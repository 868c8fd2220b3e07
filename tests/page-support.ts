/** What the tests of the app's page share: visits in a real browser, and what the page may not do. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import { openBrowser } from "./running-app.ts";

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
  browser ??= await openBrowser();
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
