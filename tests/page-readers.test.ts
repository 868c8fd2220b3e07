/** The page with photographs that hold many heads, and with two readers: an analyser that is known stands in. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPage } from "../src/server/index.ts";
import { photograph, type TestApp, testApp } from "../src/server/testing/support.ts";
import { eventually, readAs, saved, visit } from "./page-support.ts";
import { CHROMIUM, hasChromium } from "./running-app.ts";

describe.skipIf(!hasChromium)(`readers and outlines in ${CHROMIUM} (skipped where it is missing)`, () => {
  let app: TestApp;
  let [ada, sample] = [0, 0];
  beforeAll(async () => {
    await buildPage();
    app = await testApp();
    ada = await app.client.newReader("Ada");
    sample = await app.client.newSample(ada, "Field");
    await app.client.upload(sample, "field", { "field 1.png": await photograph(12, 1) });
    await app.client.analysed(sample);
  });
  afterAll(() => app?.end());

  const open = async (reader: string, path = "heads") => {
    const visited = await visit(app.url);
    await readAs(visited.page, reader);
    await visited.page.goto(`${app.origin}/samples/${sample}/${path}`);
    return visited;
  };

  test("a blind reader is shown nothing of the first; they differ, the queue fills, and a key settles it", async () => {
    const bo = await app.client.newReader("Bo");
    const first = await open("Ada", "images");
    await first.page.getByPlaceholder("Reader").fill("Bo");
    await first.page.keyboard.press("Enter");
    await first.page.getByText("0 of 12 heads").waitFor();
    await first.page.goto(`${app.origin}/samples/${sample}/heads`);
    await first.page.locator(".cell").first().waitFor();
    await first.page.keyboard.press("r");
    await first.page.keyboard.type("Ada's own words");
    await first.page.keyboard.press("Enter");
    for (const key of ["1", "1", "2", "3", "1", "1"]) await first.page.keyboard.press(key);
    await saved(first.page);

    const second = await open("Bo");
    await second.page.getByText("You read blind").waitFor();
    await second.page.locator(".cell").first().waitFor();
    expect(await second.page.locator(".badge").count()).toBe(0);
    expect(await second.page.locator("body").innerText()).not.toContain("Ada");
    // The model's opinion is hidden, too, until it is asked for.
    expect(await second.page.locator(".opinion .class-mark").count()).toBe(0);
    await second.page.keyboard.press("m");
    expect(await second.page.locator(".opinion .class-mark").count()).toBeGreaterThan(0);
    await second.page.goto(`${app.origin}/samples/${sample}/report`);
    await second.page.getByText("You read this sample blind").waitFor();
    expect(await second.page.locator("main").innerText()).not.toContain("Ada");
    expect(await second.page.getByRole("link", { name: "CSV" }).count()).toBe(0);

    await second.page.goto(`${app.origin}/samples/${sample}/heads`);
    await second.page.locator(".cell").first().waitFor();
    for (const key of ["1", "2", "2", "1"]) await second.page.keyboard.press(key);
    await saved(second.page);
    const tab = second.page.getByRole("navigation", { name: "Sample" }).getByRole("link", { name: /^Disagreements/ });
    await eventually(() => tab.innerText()).toMatch(/^Disagreements\s*2$/);
    await second.page.keyboard.press("g");
    await second.page.keyboard.press("d");
    const queue = second.page.locator(".queue li");
    await eventually(() => queue.count()).toBe(2);
    expect(await queue.first().innerText()).toMatch(/Ada:[\s\S]*Normal[\s\S]*Bo:[\s\S]*Tapered/);
    await second.page.keyboard.press("3");
    await eventually(() => queue.count()).toBe(1);
    await second.page.keyboard.press("x");
    await second.page.keyboard.press("3");
    await eventually(() => queue.count()).toBe(0);
    await eventually(() => tab.innerText()).toBe("Disagreements");
    const settled = (await app.client.heads(sample, bo)).filter(({ consensus }) => consensus);
    expect(settled.map(({ number, consensus }) => [number, consensus!.value, consensus!.reader.name])).toEqual([
      [2, { kind: "class", class: "Amorphous" }, "Bo"],
      [4, { kind: "excluded", why: "unjudgeable" }, "Bo"],
    ]);
    await second.page.keyboard.press("u");
    await eventually(() => queue.count()).toBe(1);
    expect([...first.complaints, ...second.complaints]).toEqual([]);
    await first.page.context().close();
    await second.page.context().close();
  });

  test("what a blind reader's decision shows, taking it away hides again, without asking for the head", async () => {
    const gil = await app.client.newReader("Gil");
    const act = { id: crypto.randomUUID(), reader: ada };
    const blind = { ...act, assigned: gil, role: "blind" as const };
    await app.client.call("assignReading", { params: { sample }, body: blind });
    const { page } = await open("Gil");
    await page.locator(".cell").first().waitFor();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (/\/heads\?/.test(request.url()) && !request.url().includes("outlines")) asked.push(request.url());
    });
    const panel = page.locator("aside.panel");
    const hidden = panel.getByText("others' decisions appear once you have decided");
    await hidden.waitFor();
    await page.keyboard.press("3");
    await page.keyboard.press("p");
    await panel.getByRole("button", { name: "Show what others decided" }).click();
    await panel.getByText("Ada:").waitFor();
    await page.keyboard.press("Delete");
    await hidden.waitFor();
    expect(await panel.innerText()).not.toContain("Ada");
    expect(asked).toEqual([]);
    await page.context().close();
  });

  test("another's decision arrives in an open page by itself", async () => {
    const { page } = await open("Cem");
    await page.locator(".cell").first().waitFor();
    const [, , third] = await app.client.heads(sample, ada);
    await app.client.decide(await app.client.newReader("Dua"), third!.id, "Normal");
    await page.locator(`#head-${third!.id} .badge`, { hasText: "≠" }).waitFor();
    await page.context().close();
  });

  test("an outline is made larger, saved and put back; a missed head is added and taken back: by keys", async () => {
    const { page, complaints } = await open("Eli");
    await page.locator(".cell").first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("application").waitFor();
    const [before] = await app.client.heads(sample, ada);
    const now = async () => (await app.client.heads(sample, ada))[0]!;
    await page.locator(".overlay polygon").first().waitFor({ state: "attached" });
    await page.keyboard.press("o");
    await page.getByRole("toolbar", { name: "Outline" }).waitFor();
    await page.keyboard.press("+");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await eventually(async () => (await now()).outlineBy).toBe("reader");
    expect((await now()).measures!.areaPx).toBeGreaterThan(before!.measures!.areaPx);
    const toolbar = page.getByRole("toolbar", { name: "Outline" });
    await toolbar.waitFor({ state: "detached" });
    // What was saved comes back from the server first; until then the page says that it is being loaded.
    await eventually(async () => {
      if ((await toolbar.count()) === 0) await page.keyboard.press("o");
      return toolbar.count();
    }).toBe(1);
    // No key is lost: one pressed at the very moment at which the toolbar goes is a key of the picture already.
    await page.evaluate(`new MutationObserver((_, observer) => {
      if (document.querySelector("[role=toolbar][aria-label=Outline]")) return;
      observer.disconnect();
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "O", shiftKey: true, bubbles: true }));
    }).observe(document.body, { childList: true, subtree: true })`);
    await page.keyboard.press("Backspace");
    await eventually(async () => (await now()).outlineBy).toBe("model");
    expect((await now()).measures).toEqual(before!.measures);

    await toolbar.getByText("New head").waitFor();
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Enter");
    await eventually(async () => (await app.client.heads(sample, ada)).length).toBe(13);
    const added = (await app.client.heads(sample, ada))[12]!;
    expect(added).toMatchObject({ number: 13, source: "reader", modelClass: null });
    await page.getByRole("toolbar", { name: "Outline" }).waitFor({ state: "detached" });
    await page.keyboard.press("u");
    await eventually(async () => (await app.client.heads(sample, ada)).length).toBe(12);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a line over a known length calibrates; lengths are then in micrometres", async () => {
    const { page } = await open("Ada", "images");
    await page.getByText("Calibrate …").click();
    const dialog = page.getByRole("dialog", { name: "Calibrate" });
    await dialog.getByLabel("or of this sample").selectOption({ label: "field 1.png" });
    // The line lies over the middle half of the image, which is 200 pixels wide; 20 pixels more to the right.
    await dialog.getByRole("button", { name: /^End 2/ }).focus();
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    await dialog.getByLabel("The line is so many µm long").fill("30");
    await dialog.getByRole("button", { name: "Save" }).focus();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    const { umPerPx, calibration } = await app.client.call("getSample", { params: { sample } });
    expect(umPerPx).toBe(30 / 120);
    expect(calibration).toMatchObject({ method: "stage-micrometer", reader: { name: "Ada" } });
    await page.goto(`${app.origin}/samples/${sample}/heads`);
    // 8 × 5 pixels, as the stand-in says.
    await eventually(() => page.locator(".measures").innerText()).toMatch(
      /Length\s+2\.00 µm\s+Width\s+1\.25 µm\s+Area\s+2\.50 µm²/,
    );
    await page.context().close();
  });

  test("search, filters and order show the heads that they say", async () => {
    const { page } = await open("Fay");
    await page.locator(".cell").first().waitFor();
    const shown = async () =>
      (await page.locator("[role=option]").evaluateAll((all) => all.map((one) => one.id))).map((id) =>
        Number(id.slice(5)),
      );
    const heads = await app.client.heads(sample, ada);
    await page.getByLabel("Found").selectOption("Cut by the border");
    await eventually(shown).toEqual(heads.filter(({ state }) => state === "cut").map(({ id }) => id));
    await page.getByRole("button", { name: "Show all" }).click();
    await page.keyboard.press("Escape");
    await page.locator("#search").fill("#7");
    await eventually(shown).toEqual([heads[6]!.id]);
    await page.locator("#search").fill("");
    await page.locator("#sort").selectOption("Model's class");
    const order = ["Normal", "Tapered", "Amorphous"];
    const places = async () =>
      (await shown()).map((id) => order.indexOf(heads.find((one) => one.id === id)!.modelClass ?? ""));
    await eventually(async () => (await places()).filter((at) => at >= 0)).toEqual(
      heads
        .map(({ modelClass }) => order.indexOf(modelClass ?? ""))
        .filter((at) => at >= 0)
        .sort(),
    );
    await page.context().close();
  });
});
