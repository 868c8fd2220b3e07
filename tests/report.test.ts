/** The report as a browser shows it, from a real cross-validation whose names would like to be markup. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../src/index.ts";
import { exampleReport } from "../src/reports/fixtures.ts";
import { renderRunReport } from "../src/reports/index.ts";
import { androscope, drawnCrop, json, TINY, temporary, write } from "./support.ts";

const CLASS = "<script>alert(1)</script>";
const QUOTED = `it's an "odd" & <b>bold name.png`;
const CHROMIUM = "/usr/bin/chromium";
/** Renders with the browser of the system; nothing is downloaded for a test. */
const hasChromium = existsSync(CHROMIUM);
/** .ci/run installs it. */
const SKIPPED = `(skipped where ${CHROMIUM} is missing)`;

let html = "";
let folder = "";
let run: { accuracy: number; optimisticAccuracy: number; count: number };

beforeAll(async () => {
  folder = await temporary();
  const files: Record<string, string | Uint8Array> = {};
  const rows = ["path,label,patient"];
  for (let i = 0; i < 6; i++) {
    const odd = i === 0 ? QUOTED : `${i}.png`;
    files[odd] = await encodePng(drawnCrop(1.1, i));
    files[`long-${i}.png`] = await encodePng(drawnCrop(2, i));
    rows.push(`"${odd.replaceAll('"', '""')}",${CLASS},p${i % 3}`, `long-${i}.png,Tapered,p${i % 3}`);
  }
  files["broken.png"] = "not a picture";
  rows.push("broken.png,Tapered,p0");
  files["manifest.csv"] = `${rows.join("\n")}\n`;
  await write(folder, files);
  const args = [
    "crossval",
    join(folder, "manifest.csv"),
    "--k=2",
    "--literature",
    "--out",
    join(folder, "run"),
    "--json",
  ];
  run = json(await androscope([...args, ...TINY]));
  html = await readFile(join(folder, "run", "report.html"), "utf8");
});

describe("of a real run", () => {
  test("names from the data are text", () => {
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<b>bold");
    expect(html).toContain("it&#39;s an &#34;odd&#34; &#38; &#60;b&#62;bold name.png");
    expect(html).toContain("&#60;script&#62;alert(1)&#60;/script&#62;");
  });

  test("tells the accuracy, what is optimistic, what was skipped and who is in several folds", () => {
    expect(html).toContain(`<div class="big">${(100 * run.accuracy).toFixed(1)}\u00a0%</div>`);
    expect(html).toContain(`${(100 * run.optimisticAccuracy).toFixed(1)}\u00a0% by the literature`);
    expect(html).toContain("broken.png");
    expect(html).toMatch(/of 3 patients have images in more than one fold|none divided/);
    expect(html).toContain("distill.steps");
  });

  test("draws again, the same, from report-data.json", async () => {
    const again = join(folder, "again.html");
    json(await androscope(["report", join(folder, "run"), "--out", again, "--json"]));
    expect(await readFile(again, "utf8")).toBe(html);
  });
});

test("216 images and four classes stay below 3 MB", () => {
  // Pictures weigh most: 36 of them, each as large as the largest that real crops gave.
  const picture = `data:image/webp;base64,${"A".repeat(24_000)}`;
  const data = exampleReport({ skill: 0.7 });
  const heavy = (crops: typeof data.mistakes) => crops.map((c) => ({ ...c, picture }));
  const mistakes = heavy(data.mistakes);
  const doubtful = heavy([...data.doubtful, ...data.doubtful]);
  expect(mistakes.length + doubtful.length).toBe(36);
  expect(renderRunReport({ ...data, mistakes, doubtful }).length).toBeLessThan(3e6);
});

async function chromium(...args: string[]): Promise<string> {
  const profile = await temporary();
  const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const { stdout } = await promisify(execFile)(
    CHROMIUM,
    ["--headless", "--no-sandbox", "--disable-gpu", ...quiet, `--user-data-dir=${profile}`, ...args],
    { timeout: 90_000, maxBuffer: 64e6, encoding: "utf8" },
  );
  return stdout;
}

describe(`in ${CHROMIUM}`, () => {
  test.skipIf(!hasChromium)(`the document is read as it was written ${SKIPPED}`, async () => {
    const dom = await chromium("--dump-dom", pathToFileURL(join(folder, "run", "report.html")).href);
    expect(dom).not.toContain("<script");
    const count = (text: string, tag: string) => text.match(new RegExp(`<${tag}[ >]`, "g"))?.length ?? 0;
    for (const tag of ["section", "svg", "table", "tr", "td", "th", "h2", "h3", "figure", "polygon", "image"])
      expect([tag, count(dom, tag)]).toEqual([tag, count(html, tag)]);
  });

  test.skipIf(!hasChromium)(`no page is wider than its window, whatever the names ${SKIPPED}`, async () => {
    const names = [
      CLASS,
      "Large round-headed (globozoospermia)",
      "unbroken".repeat(8),
      "a",
      "b",
      "c",
      "d",
      "e",
      "f",
      "g",
    ];
    const pages = [
      html,
      renderRunReport(exampleReport({ classes: names, folds: names, perClass: 9, skill: 0.5, id: "x/".repeat(80) })),
      renderRunReport(exampleReport({ classes: ["normal", "abnormal"], folds: ["1", "2"] })),
    ];
    // The pages forbid scripts: what surrounds them measures.
    const frames = pages.flatMap((page) =>
      [400, 1280].map((width) => {
        const content = page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
        return `<iframe width="${width}" height="800" style="border:0" srcdoc="${content}"></iframe>`;
      }),
    );
    const measure = `onload = () => { document.title = [...document.querySelectorAll("iframe")]
      .map((f) => f.contentDocument.documentElement.scrollWidth - f.contentDocument.documentElement.clientWidth).join(); }`;
    const wrapper = join(folder, "wrapper.html");
    await writeFile(
      wrapper,
      `<!doctype html><meta charset="utf-8"><title>?</title>${frames.join("")}<script>${measure}</script>`,
    );
    const dom = await chromium("--dump-dom", pathToFileURL(wrapper).href);
    expect(/<title>([^<]*)</.exec(dom)![1]).toBe("0,0,0,0,0,0");
  });

  test.skipIf(!hasChromium)(`something is drawn, wide and narrow ${SKIPPED}`, async () => {
    for (const width of [1280, 500]) {
      const picture = join(folder, `${width}.png`);
      await chromium(
        `--screenshot=${picture}`,
        `--window-size=${width},1400`,
        "--hide-scrollbars",
        pathToFileURL(join(folder, "run", "report.html")).href,
      );
      const { channels, isOpaque } = await sharp(picture).stats();
      expect(isOpaque).toBe(true);
      for (const { stdev } of channels.slice(0, 3)) expect(stdev).toBeGreaterThan(10);
    }
  });
});
