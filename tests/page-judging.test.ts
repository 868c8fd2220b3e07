/** From corrections to other heads, in a real browser, through the real command: a model is adopted, a sample judged again, and seen. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Head } from "../src/server/api.ts";
import { verifyFolder } from "../src/server/index.ts";
import { eventually, readAs, saved, visit } from "./page-support.ts";
import { CHROMIUM, hasChromium, phantomFiles, type Running, startCommand } from "./running-app.ts";
import { temporary } from "./support.ts";

describe.skipIf(!hasChromium)(`judging again in ${CHROMIUM} (skipped where it is missing)`, () => {
  let app: Running;
  let data = "";
  beforeAll(async () => {
    data = join(await temporary(), "data");
    app = await startCommand(data);
  });
  afterAll(() => app?.end());

  test("a learned model is adopted, undecided heads get its opinion, decided ones keep theirs, and report and history tell", async () => {
    const { client } = app;
    const reader = await client.newReader("Ada");
    const { classes } = await client.call("about");
    const best = ({ probabilities }: Head) => probabilities.indexOf(Math.max(...probabilities));
    const uploaded = async (name: string, count: number, seed: number) => {
      const sample = await client.newSample(reader, name);
      const files = await phantomFiles(count, seed);
      await client.upload(sample, "crop", Object.fromEntries(files.map(({ name, buffer }) => [name, buffer])));
      await client.analysed(sample);
      return sample;
    };
    const taught = await uploaded("Taught", 60, 8);
    const sample = await uploaded("Slide 2", 24, 21);
    const judged = async (of: number) => (await client.heads(of, reader)).filter(({ judgedBy }) => judgedBy !== null);
    // This laboratory's names are the model's, each one further on.
    const decisions = (await judged(taught)).map((head) => ({
      ...{ id: randomUUID(), head: head.id },
      value: { kind: "class" as const, class: classes[(best(head) + 1) % classes.length]! },
    }));
    await client.call("decide", { body: { reader, decisions } });
    const { id: learning } = await client.call("startLearning", {
      body: { id: randomUUID(), reader, samples: [taught] },
    });

    const { page, complaints } = await visit(app.url);
    await readAs(page, "Ada");
    // Two heads of the other sample are decided in the page before there is another model.
    await page.getByRole("link", { name: "Slide 2" }).click();
    await page.locator(".cell").first().waitFor();
    for (const key of ["1", "2"]) await page.keyboard.press(key);
    await saved(page);
    const before = await judged(sample);
    const open = before.filter(({ decision }) => decision === null).length;
    expect(before.length - open).toBeGreaterThan(0);
    expect(await page.locator(".judge-again").count()).toBe(0);

    await page.goto(`${app.origin}/learning`);
    await page.getByText("The new model is better on them.").waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Use this model from now on" }).click();
    const card = page.getByRole("region", { name: "Judge again" });
    await card.getByText(`${open} undecided heads`).waitFor();
    // Every head of the taught sample is decided: there is nothing to judge.
    expect(await card.getByRole("listitem").count()).toBe(1);

    // The sample says so itself, on each of its pages.
    await card.getByRole("link", { name: "Slide 2" }).click();
    const bar = page.getByRole("region", { name: "Opinions of another model" });
    await bar.getByText(`${open} undecided heads carry the opinion of another model`).waitFor();
    await page.locator(".panel .tag", { hasText: "another model" }).waitFor();
    await bar.getByRole("button", { name: "Judge again" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText(new RegExp(`^${open} heads judged again, \\d+ called otherwise now\\.$`)).waitFor();
    await bar.waitFor({ state: "detached" });
    const { model } = (await client.call("about")).analyser;
    const after = new Map((await judged(sample)).map((head) => [head.id, head]));
    let otherwise = 0;
    for (const head of before) {
      const now = after.get(head.id)!;
      expect(now.measures).toEqual(head.measures);
      if (head.decision) expect(now).toEqual(head);
      else {
        expect(now.judgedBy).toBe(model);
        if (now.modelClass !== head.modelClass) otherwise++;
      }
    }
    expect(otherwise).toBeGreaterThan(open / 2);

    // The page shows it without being loaded again: the gallery's class, and in the history what was said before.
    const turned = before.find(({ id, modelClass }) => {
      const now = after.get(id)!.modelClass;
      return modelClass !== null && now !== null && now !== modelClass;
    })!;
    await page.locator(`#head-${turned.id}`).click();
    await page.getByText("History").click();
    const said = page.locator(".panel .log li", { hasText: /^.*Model [0-9a-f]{8}/ });
    await eventually(() => said.count()).toBe(2);
    expect(await said.first().innerText()).toContain(before[0]!.judgedBy!.slice(0, 8));
    expect(await said.last().innerText()).toContain(model.slice(0, 8));

    await page.getByRole("link", { name: "Report" }).click();
    await page.getByRole("columnheader", { name: `Model ${model.slice(0, 8)}` }).waitFor();
    await page.getByText("The heads carry the opinions of 2 models.").waitFor();
    await page.getByRole("link", { name: "Images", exact: true }).click();
    await page.locator(".models li", { hasText: "in use" }).getByText(`${open} heads, 0 decided`).waitFor();
    expect((await client.call("listLearnings", { query: { reader } })).learnings[0]).toMatchObject({
      id: learning,
      model,
    });
    expect(complaints).toEqual([]);
    expect(await verifyFolder(data)).toMatchObject({ intact: true });
    await page.context().close();
  }, 300_000);
});
