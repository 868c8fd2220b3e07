/** A long list of images in a real browser: what of it is drawn, what is asked for, and that every row can be reached by keyboard. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AndroscopeError } from "../src/runs/index.ts";
import { buildPage } from "../src/server/index.ts";
import { photograph, standIn, type TestApp, testApp } from "../src/server/testing/support.ts";
import { eventually, readAs, visit } from "./page-support.ts";
import { CHROMIUM, hasChromium } from "./running-app.ts";

const CROPS = 200;
/** More than a window of 720 pixels has room for, and far fewer than all. */
const MOST_DRAWN = 40;

describe.skipIf(!hasChromium)(`many images in ${CHROMIUM} (skipped where it is missing)`, () => {
  let app: TestApp;
  let sample = 0;
  let ada = 0;
  /** Photographs fail, and crops wait until this is resolved. */
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  beforeAll(async () => {
    await buildPage();
    app = await testApp({
      analyser: async () =>
        standIn({
          async before(kind) {
            if (kind === "field")
              throw new AndroscopeError("field/no-scale", { expected: "heads", found: "none", fix: "Give a length." });
            await gone;
          },
        }),
    });
    ada = await app.client.newReader("Ada");
    sample = await app.client.newSample(ada, "Many");
    for (let from = 0; from < CROPS; from += 100) {
      const names = Array.from({ length: 100 }, (_, i) => `crop ${from + i + 1}.png`);
      const files = await Promise.all(
        names.map(async (name, i) => [name, await photograph(1, from + i, 16, 16)] as const),
      );
      await app.client.upload(sample, "crop", Object.fromEntries(files));
    }
    await app.client.upload(sample, "field", { "smear.png": await photograph(3, 1) });
  });
  afterAll(async () => {
    go();
    await app?.end();
  });

  const drawn = (page: Page) => page.locator("[role=grid] [aria-rowindex]:not([aria-rowindex='1'])").count();
  /** The `aria-rowindex` of the row with the focus. */
  const focused = async (page: Page) =>
    Number(await page.evaluate("document.activeElement.closest('tr')?.getAttribute('aria-rowindex') ?? 0"));

  test("only rows in view are drawn, each can be reached by keyboard, and what is analysed is asked for by itself", async () => {
    const { page, complaints } = await visit(app.url);
    await readAs(page, "Ada");
    const lists: string[] = [];
    page.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === `/api/samples/${sample}/images`) lists.push(searchParams.get("ids") ?? "all");
    });
    await page.goto(`${app.origin}/samples/${sample}/images`);
    const grid = page.getByRole("grid", { name: "Images" });
    await grid.waitFor();
    expect(await grid.getAttribute("aria-rowcount")).toBe(String(CROPS + 2));
    expect(await drawn(page)).toBeLessThan(MOST_DRAWN);
    await eventually(() => drawn(page)).toBeGreaterThan(5);
    const heights = await grid
      .locator("tr:not(.room)")
      .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
    expect(new Set(heights), "rows are as high as the room that is left for them").toEqual(new Set([28]));

    // From anywhere on the page an arrow comes to the list, at first to the row at hand.
    const reached: number[] = [];
    for (let i = 0; i <= CROPS; i++) {
      await page.keyboard.press("ArrowDown");
      reached.push(await focused(page));
    }
    expect(reached).toEqual(Array.from({ length: CROPS + 1 }, (_, i) => i + 2));
    expect(await drawn(page)).toBeLessThan(MOST_DRAWN);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page), "the last row is the end").toBe(CROPS + 2);
    await page.keyboard.press("Home");
    expect(await focused(page)).toBe(2);
    await page.keyboard.press("PageDown");
    const page1 = await focused(page);
    expect(page1).toBeGreaterThan(4);
    await page.keyboard.press("PageDown");
    expect(await focused(page)).toBe(2 * page1 - 2);
    await page.keyboard.press("PageUp");
    await page.keyboard.press("ArrowUp");
    expect(await focused(page)).toBe(page1 - 1);

    // Scrolled away by the wheel the row keeps the focus, and the keys go on from it.
    const box = (await page.locator(".scroll", { has: grid }).boundingBox())!;
    await page.mouse.move(box.x + 60, box.y + 100);
    for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 400);
    await eventually(() =>
      page.evaluate("document.querySelector('[role=grid]').parentElement.scrollTop"),
    ).toBeGreaterThan(3000);
    expect(await focused(page)).toBe(page1 - 1);
    expect(await drawn(page)).toBeLessThan(MOST_DRAWN);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toBe(page1);
    const inView = `(() => {
      const { top, bottom } = document.activeElement.getBoundingClientRect();
      const frame = document.querySelector("[role=grid]").parentElement.getBoundingClientRect();
      return top >= frame.top && bottom <= frame.bottom;
    })()`;
    expect(await page.evaluate(inView)).toBe(true);

    // One stop of the Tab key: past the list, and back to the row that it was left at.
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe(0);
    await page.keyboard.press("Shift+Tab");
    expect(await focused(page)).toBe(page1);

    go();
    await app.client.analysed(sample);
    await page.locator(".analysing").waitFor({ state: "detached" });
    await page.keyboard.press("End");
    const failed = grid.getByRole("row", { name: /smear\.png/ });
    await failed.getByText("failed").waitFor();
    expect(await focused(page)).toBe(CROPS + 2);
    // Its reason in full, and again by keyboard.
    await page.locator(".at-hand", { hasText: "smear.png" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Again");
    await page.keyboard.press("Enter");
    await failed.getByText("failed").waitFor();
    await eventually(() => focused(page)).toBe(CROPS + 2);
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.getByRole("application").waitFor();
    expect(new URL(page.url()).pathname).toMatch(/\/images\/1$/);

    const [first, ...later] = lists;
    expect(first).toBe("all");
    expect(later).not.toContain("all");
    expect(new Set(later.flatMap((ids) => ids.split(","))).size).toBe(CROPS + 1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
