/** The page of `androscope app` in a real browser: crops through the real command, read by keyboard alone. */
import { describe, expect, test } from "vitest";
import type { Head, Value } from "../src/server/api.ts";
import { verifyFolder } from "../src/server/index.ts";
import { app, data } from "./page-app.ts";
import { eventually, readAs, saved, visit } from "./page-support.ts";
import { CHROMIUM, hasChromium, phantomFiles } from "./running-app.ts";

const HEADS = 200;

describe.skipIf(!hasChromium)(`androscope app in ${CHROMIUM} (skipped where it is missing)`, () => {
  test(`a sample is made, crops are added, and ${HEADS} heads are reviewed by keyboard alone; all is on the disk`, async () => {
    const { page, complaints } = await visit(app.url);
    await page.getByRole("heading", { name: "Samples" }).waitFor();
    expect(new URL(page.url()).hash).toBe("");
    await readAs(page, "Ada");
    await page.getByLabel("New sample").focus();
    await page.keyboard.type("Slide 1");
    await page.keyboard.press("Enter");
    await page.getByText("Choose images …").waitFor();
    await page.getByLabel("Crops of one head each").focus();
    await page.keyboard.press("Space");
    await page.locator("input[type=file]").setInputFiles(await phantomFiles(HEADS, 11));
    // How far it is, in words, while it lasts.
    await page.locator(".analysing", { hasText: /\d+ to analyse/ }).waitFor();
    // They come in parts, and one part may be analysed before the next is there.
    await page.locator(`[role=grid][aria-label=Images][aria-rowcount="${HEADS + 1}"]`).waitFor({ timeout: 200_000 });
    await page.locator(".analysing").waitFor({ state: "detached", timeout: 200_000 });
    await eventually(async () => {
      const states = await page.locator("[aria-rowindex] td:nth-of-type(4)").allInnerTexts();
      return states.length > 0 && states.every((text) => text.startsWith("done"));
    }).toBe(true);

    // From a button the letters are the page's.
    await page.getByText("Choose images …").focus();
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.locator(".cell").first().waitFor();
    await eventually(() => page.locator(".counts").innerText()).toContain(`${HEADS} heads`);

    const classes = ["Normal", "Tapered", "Pyriform", "Amorphous"];
    const reasons = ["no-head", "cut", "unjudgeable"] as const;
    const expected: Value[] = [];
    for (let i = 0; i < HEADS; i++) {
      const out = i % 9 === 4;
      const key = 1 + (out ? i % 3 : (i * 7) % 4);
      if (out) await page.keyboard.press("x");
      await page.keyboard.press(String(key));
      expected.push(out ? { kind: "excluded", why: reasons[key - 1]! } : { kind: "class", class: classes[key - 1]! });
    }
    await saved(page);
    await eventually(() => page.locator(".counts").innerText()).toContain(`${HEADS} decided by me`);
    const heads = await headsOf(1, "Ada");
    expect(heads.map(({ decision }) => decision?.value)).toEqual(expected);

    // Undo takes back the newest, twice the one before; doing again brings them back.
    await page.keyboard.press("u");
    await page.keyboard.press("u");
    await eventually(async () => (await headsOf(1, "Ada")).filter(({ decision }) => !decision).length).toBe(2);
    await page.keyboard.press("Shift+U");
    await page.keyboard.press("Shift+U");
    await eventually(async () => (await headsOf(1, "Ada")).map(({ decision }) => decision?.value)).toEqual(expected);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("keys that move, skip, take away and give a reason do so; ? tells them", async () => {
    const { page, complaints } = await visit(app.url);
    await readAs(page, "Bea");
    await page.goto(`${app.origin}/samples/1/heads`);
    const at = page.locator("[role=option][aria-selected=true]");
    const place = () => at.getAttribute("aria-posinset");
    await at.waitFor();
    expect(await place()).toBe("1");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("n");
    expect(await place()).toBe("3");
    await page.keyboard.press("2");
    expect(await place()).toBe("4");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("s");
    expect(await place(), "skipping goes past what is decided").toBe("4");
    await page.keyboard.press("r");
    await page.keyboard.type("double tail, 12");
    await page.keyboard.press("Enter");
    await page.keyboard.press("1");
    await page.keyboard.press("End");
    expect(await place()).toBe(String(HEADS));
    await page.keyboard.press("Home");
    expect(await place()).toBe("1");
    await page.keyboard.press("n");
    await page.keyboard.press("n");
    await page.keyboard.press("Delete");
    await saved(page);
    const heads = await headsOf(1, "Bea");
    expect(heads.filter(({ decision }) => decision).map(({ decision }) => decision)).toMatchObject([
      { value: { kind: "class", class: "Normal" }, reason: "double tail, 12" },
    ]);
    expect(heads[3]!.decision).not.toBeNull();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.waitFor();
    await page.keyboard.press("1");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await saved(page);
    expect((await headsOf(1, "Bea"))[0]!.decision, "a dialog keeps the digits").toBeNull();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("what cannot be saved is kept, said, and saved later, after a reload too", async () => {
    const { page } = await visit(app.url);
    await readAs(page, "Cy");
    // Before the page is there: a page that is open takes a moment to be told, and may send its next request past this.
    await page.route("**/api/decisions", (route) => route.abort());
    await page.goto(`${app.origin}/samples/1/heads`);
    await page.locator(".cell").first().waitFor();
    for (const key of ["1", "2", "3"]) await page.keyboard.press(key);
    await page.getByRole("alert").filter({ hasText: "3 not saved yet" }).waitFor();
    expect((await headsOf(1, "Cy")).every(({ decision }) => !decision)).toBe(true);
    page.on("dialog", (dialog) => void dialog.accept());
    await page.unroute("**/api/decisions");
    await page.reload();
    await saved(page);
    const decided = (await headsOf(1, "Cy")).slice(0, 4).map(({ decision }) => decision?.value);
    const of = (name: string) => ({ kind: "class", class: name });
    expect(decided).toEqual([of("Normal"), of("Tapered"), of("Pyriform"), undefined]);
    await page.context().close();
  });

  test("the report counts what was decided, names readers and method, and exports a row per head", async () => {
    const { page, complaints } = await visit(app.url);
    await readAs(page, "Ada");
    await page.goto(`${app.origin}/samples/1/report`);
    await page.getByRole("heading", { name: "Counts" }).waitFor();
    const ada = (await headsOf(1, "Ada")).filter(
      ({ decision }) => decision?.value.kind === "class" && decision.value.class === "Pyriform",
    );
    const column = await page
      .locator("table.figures")
      .first()
      .locator("thead th")
      .allInnerTexts()
      .then((names) => names.findIndex((name) => name.startsWith("Ada")));
    const cell = page
      .getByRole("row", { name: /Pyriform/ })
      .first()
      .locator("td")
      .nth(column);
    expect(await cell.innerText()).toMatch(new RegExp(`^${ada.length} `));
    await eventually(() => page.locator(".report").innerText()).toContain("Research use only; not for diagnosis.");
    expect(await page.locator(".report figure svg[role=img]").count()).toBeGreaterThan(5);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("header.top").isVisible()).toBe(false);
    expect(await page.locator(".report .use").isVisible()).toBe(true);
    await page.emulateMedia({ media: "screen" });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const { readFile } = await import("node:fs/promises");
    const csv = await readFile((await download.path())!, "utf8");
    expect(csv.trimEnd().split("\n")).toHaveLength(HEADS + 1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("rows do not wait for ever for pictures that the server does not send, and get them when it does", async () => {
    const { page } = await visit(app.url);
    await readAs(page, "Dora");
    let held = true;
    const waiting: (() => void)[] = [];
    await page.route("**/api/thumbnails/*", async (route) => {
      if (held) await new Promise<void>((go) => waiting.push(go));
      await route.continue();
    });
    await page.goto(`${app.origin}/samples/1/heads`);
    const pictures = page.locator(".cell img");
    const complete = () =>
      page.evaluate<number>("[...document.querySelectorAll('.cell img')].filter((picture) => picture.complete).length");
    await eventually(() => pictures.count()).toBeGreaterThan(30);
    expect(await complete()).toBe(0);
    held = false;
    for (const go of waiting) go();
    await eventually(async () => (await pictures.count()) - (await complete())).toBe(0);
    await page.context().close();
  });

  test("without the token the page says what is missing, and takes the address that is pasted", async () => {
    const { page } = await visit(app.origin);
    await page.getByRole("alert").filter({ hasText: "androscope app" }).waitFor();
    await page.getByLabel("Address").fill(app.url);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Samples" }).waitFor();
    await page.context().close();
  });

  test("the folder is in order after all this", async () => {
    await app.end();
    expect(await verifyFolder(data)).toMatchObject({ intact: true, faults: [] });
  });
});

async function headsOf(sample: number, reader: string): Promise<Head[]> {
  const { client } = app;
  return client.heads(sample, await client.newReader(reader));
}
