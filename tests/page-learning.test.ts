/** Learning from corrections in a real browser, through the real command: begun, followed, compared, used, and given up. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyFolder } from "../src/server/index.ts";
import { app, data } from "./page-app.ts";
import { eventually, visit } from "./page-support.ts";
import { CHROMIUM, hasChromium, phantomFiles } from "./running-app.ts";

describe.skipIf(!hasChromium)(`learning from corrections in ${CHROMIUM} (skipped where it is missing)`, () => {
  test("a reader learns from decided heads, sees both models on others, and has the new one judge", async () => {
    const { client } = app;
    const reader = await client.newReader("Ada");
    const sample = await client.newSample(reader, "Slide 1");
    const { page, complaints } = await visit(app.url);
    const dialog = page.getByRole("dialog", { name: "Who reads?" });
    await dialog.getByRole("button", { name: "Ada" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Learn from corrections" }).click();
    await page.getByText("No head is decided yet").waitFor();

    const files = await phantomFiles(60, 8);
    await client.upload(sample, "crop", Object.fromEntries(files.map(({ name, buffer }) => [name, buffer])));
    await client.analysed(sample);
    const { classes } = await client.call("about");
    const heads = (await client.heads(sample, reader)).filter(({ probabilities }) => probabilities.length > 0);
    const begin = page.getByRole("button", { name: /^Learn from/ });

    // Too few at first: the page says what is missing.
    await client.decide(reader, heads[0]!.id, classes[0]!);
    await begin.click();
    // The mouse is on the button now: its text must still be told from its ground.
    const ground = "getComputedStyle(document.querySelector('.learning button.main:hover')).backgroundColor";
    expect(await page.evaluate(ground)).toBe("rgb(0, 103, 163)");
    await page.getByRole("alert").filter({ hasText: "Decide more heads" }).waitFor();

    // This laboratory's names are the model's, each one further on.
    const decisions = heads.map(({ id, probabilities }) => {
      const called = (probabilities.indexOf(Math.max(...probabilities)) + 1) % classes.length;
      return { id: randomUUID(), head: id, value: { kind: "class" as const, class: classes[called]! } };
    });
    await client.call("decide", { body: { reader, decisions } });
    await page.getByRole("button", { name: `Learn from ${heads.length} decided heads` }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("progressbar", { name: "How much is done" }).waitFor();
    await page.getByText("The new model is better on them.").waitFor({ timeout: 120_000 });
    await page.locator("[aria-live]", { hasText: "The learning is done" }).waitFor();
    await page.getByText("the only comparison on these images so far").waitFor();
    const [learning] = (await client.call("listLearnings", { query: { reader } })).learnings;
    const { heads: compared, correct, mended } = learning!.result!.comparison;
    await page.getByText(`${correct.before} (${((100 * correct.before) / compared).toFixed(1)} %)`).waitFor();
    await page.getByText(`${correct.after} (${((100 * correct.after) / compared).toFixed(1)} %)`).waitFor();
    const mendedHeads = page.locator("section", { hasText: "Right with the new model only" }).locator("li");
    await eventually(() => mendedHeads.count()).toBe(mended);
    // A picture of each is there.
    const width = "document.querySelector('.changed-heads img').naturalWidth";
    await eventually(() => page.evaluate(width)).toBeGreaterThan(0);

    await page.getByRole("button", { name: "Use this model from now on" }).click();
    await page.locator("summary .tag", { hasText: "in use" }).waitFor();
    expect((await client.call("about")).analyser.model).toBe(learning!.model);
    await page.getByRole("button", { name: "Use the original model again" }).click();
    await page.locator("summary .tag").waitFor({ state: "detached" });
    expect((await client.call("about")).learning).toBeNull();

    // A second one, begun once by two clicks, is stopped.
    let begun = 0;
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/api/learnings")) begun++;
    });
    await begin.dblclick();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("summary", { hasText: "not finished" }).waitFor();
    await page.getByText("Ada stopped it, ").waitFor();
    expect(begun).toBe(1);

    // Where no new model was found, nothing is called one; several comparisons on the same images are counted.
    const withoutModel = ({ result, ...one }: { result: object }) => ({
      ...{ ...one, model: null, result: { ...result, comparisons: 3 } },
    });
    await page.route("**/api/learnings?*", async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({
        json: { learnings: answer.learnings.slice(1).map(withoutModel) },
      });
    });
    await page.reload();
    await page.getByText("there is no new one").waitFor();
    await page.getByText("These images have served 3 comparisons by now").waitFor();
    await page.getByText("The original model is better on them.").waitFor();
    expect(await page.locator("details").innerText()).not.toMatch(/new model|the new one/);
    expect(await page.getByRole("button", { name: /Use this model/ }).count()).toBe(0);
    // The file of a model in use was lost before the start: told here, and in every view of a sample.
    const error = { code: "learning/model-lost", message: "x", found: "no file", where: "models/abc.onnx" };
    await page.route("**/api/about", async (route) => {
      const answer = await (await route.fetch()).json();
      const lostModel = { learning: learning!.id, model: learning!.model, error };
      await route.fulfill({ json: { ...answer, lostModel } });
    });
    await page.reload();
    const lost = page.getByRole("alert").filter({ hasText: `Model ${learning!.model!.slice(0, 8)}` });
    await lost.filter({ hasText: "is missing; the original model judges meanwhile" }).waitFor();
    await lost.filter({ hasText: "no file at models/abc.onnx" }).waitFor();
    await page.goto(`${app.origin}/samples/${sample}/heads`);
    await lost.waitFor();
    await page.goto(`${app.origin}/learning`);
    const keep = page.getByRole("button", { name: "Keep to the original model" });
    await keep.waitFor();
    await page.unroute("**/api/about");
    await keep.click();
    await lost.waitFor({ state: "detached" });
    // Not chosen for whoever reads it blind.
    const ben = await client.newReader("Ben");
    const assigned = { id: randomUUID(), reader, assigned: ben, role: "blind" as const };
    await client.call("assignReading", { params: { sample }, body: assigned });
    await page.unroute("**/api/learnings?*");
    await page.reload();
    await page.getByRole("button", { name: "Reader: Ada" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Ben" }).click();
    const blind = page.getByRole("checkbox", { name: "Slide 1" });
    await page.getByText("you read it blind and have heads left").waitFor();
    expect([await blind.isChecked(), await blind.isDisabled(), await begin.isDisabled()]).toEqual([false, true, true]);
    expect(complaints.filter((text) => !text.includes("409"))).toEqual([]);
    expect(await verifyFolder(data)).toMatchObject({ intact: true });
    await page.context().close();
  }, 300_000);
});
