/**
 * How fast the app's page is with a sample of 2000 heads in Debian's Chromium: how soon it is there, how long frames take while
 * nothing happens, while the gallery is scrolled and while heads are decided, and how long a decision takes to be saved.
 *
 *     node scripts/with-node.mjs tests/page-speed.ts DATA      DATA is made at the first time, some minutes, and kept
 *
 * The browser draws by software here, on the same cores as the server.
 */
import { existsSync } from "node:fs";
import type { Page } from "playwright-core";
import { openBrowser, phantomFiles, startCommand } from "./running-app.ts";

const HEADS = 2000;
const DECISIONS = 200;
/** Milliseconds between keys: faster than anybody reviews. */
const KEY_EVERY = 100;

const [data] = process.argv.slice(2);
if (!data) throw new Error("usage: page-speed.ts DATA");
const isNew = !existsSync(data);
const app = await startCommand(data);
const browser = await openBrowser();
try {
  const { client } = app;
  // Somebody new at every run: nothing is decided yet.
  const name = `Reader ${new Date().toISOString()}`;
  const reader = await client.newReader(name);
  if (isNew) {
    const sample = await client.newSample(reader, "2000 heads");
    for (let seed = 1; seed <= HEADS / 100; seed++) {
      const files = await phantomFiles(100, seed);
      await client.upload(
        sample,
        "crop",
        Object.fromEntries(files.map(({ name, buffer }) => [`${seed} ${name}`, buffer])),
      );
    }
  }
  const [sample] = (await client.call("listSamples")).samples;
  await client.analysed(sample!.id);

  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(app.url);
  const dialog = page.getByRole("dialog", { name: "Who reads?" });
  await dialog.getByRole("button", { name }).click();
  await dialog.waitFor({ state: "detached" });

  const ready: number[] = [];
  const gallery: number[] = [];
  for (let k = 0; k < 5; k++) {
    ready.push(await until(page, `${app.origin}/`, "table.list"));
    gallery.push(await until(page, `${app.origin}/samples/${sample!.id}/heads`, ".cell img"));
  }
  await page.waitForTimeout(2000);
  const idle = await framesDuring(page, () => page.waitForTimeout(5000));
  await page.mouse.move(400, 400);
  const wheel = (pixels: number, every: number, seconds: number) => async () => {
    for (let k = 0; k < (1000 * seconds) / every; k++) {
      await page.mouse.wheel(0, pixels);
      await page.waitForTimeout(every);
    }
  };
  // Eight rows a second, about as fast as one can look; then through all of it in seconds.
  const scrolled = await framesDuring(page, wheel(100, 100, 8));
  const flown = await framesDuring(page, wheel(400, 60, 4));
  await page.keyboard.press("Home");
  await page.waitForTimeout(1000);
  const paged = await framesDuring(page, async () => {
    for (let k = 0; k < 20; k++) {
      await page.keyboard.press("PageDown");
      await page.waitForTimeout(300);
    }
  });
  await page.keyboard.press("Home");
  await page.waitForTimeout(1500);
  await page.evaluate("performance.clearResourceTimings(); performance.setResourceTimingBufferSize(5000)");
  const decided = await framesDuring(page, async () => {
    for (let k = 0; k < DECISIONS; k++) {
      await page.keyboard.press(String(1 + (k % 4)));
      await page.waitForTimeout(KEY_EVERY);
    }
  });
  await page.waitForTimeout(1500);
  // Decisions that wait for an answer go together: the next request has them all.
  const saving = (await page.evaluate(
    "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/api/decisions')).map(e => e.responseEnd - e.startTime)",
  )) as number[];
  console.log(
    JSON.stringify(
      {
        heads: sample!.heads,
        readyMs: distribution(ready),
        galleryMs: distribution(gallery),
        idle,
        scrolled,
        flown,
        paged,
        decided,
        decisionMs: distribution(saving),
      },
      null,
      2,
    ),
  );
} finally {
  await browser.close();
  await app.end();
}

/**
 * Milliseconds from asking for an address until something is shown, as the page itself sees it at its frames: the driver
 * looks for it at growing intervals, up to half a second.
 */
async function until(page: Page, address: string, selector: string): Promise<number> {
  const begun = Date.now();
  await page.goto(address, { waitUntil: "commit" });
  const shown = (await page.evaluate(`
    new Promise((resolve) => {
      requestAnimationFrame(function look() {
        if (document.querySelector(${JSON.stringify(selector)})?.getBoundingClientRect().height > 0) resolve(Date.now());
        else requestAnimationFrame(look);
      });
    })
  `)) as number;
  return shown - begun;
}

/** Times between frames, as the page itself sees them. */
async function framesDuring(page: Page, act: () => Promise<void>) {
  await page.evaluate(`
    window.frames_ = [];
    window.going_ = true;
    (function next(last) {
      requestAnimationFrame((now) => {
        if (last) window.frames_.push(now - last);
        if (window.going_) next(now);
      });
    })();
  `);
  await act();
  const frames = (await page.evaluate("window.going_ = false, window.frames_")) as number[];
  return { ...distribution(frames), over50: frames.filter((frame) => frame > 51).length };
}

function distribution(milliseconds: readonly number[]) {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1));
  return { count: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
}
