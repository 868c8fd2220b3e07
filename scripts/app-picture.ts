/**
 * Draws docs/images/app.png, the app with a sample of drawn photographs, through the real command in Debian's Chromium:
 *
 *   node scripts/with-node.mjs scripts/app-picture.ts
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { phantomField } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";

const FILE = fileURLToPath(new URL("../docs/images/app.png", import.meta.url));
const BIN = fileURLToPath(new URL("../bin/androscope", import.meta.url));
const PHOTOGRAPHS = 6;

const folder = await mkdtemp(join(tmpdir(), "androscope-picture-"));
const files: string[] = [];
for (let index = 0; index < PHOTOGRAPHS; index++) {
  files.push(join(folder, `phantom ${index + 1}.png`));
  await writeFile(files.at(-1)!, await encodePng(phantomField({ seed: 2, heads: 14, touching: 1 }, index).image));
}
const app = spawn(BIN, ["app", "--data", join(folder, "data"), "--no-open", "--json"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const address = await new Promise<string>((resolve) => {
  let text = "";
  app.stdout.on("data", (part) => {
    text += part;
    if (text.trimEnd().endsWith("}")) resolve(JSON.parse(text).url);
  });
});
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(address);
  const dialog = page.getByRole("dialog", { name: "Who reads?" });
  await dialog.getByRole("textbox").fill("Ada");
  await dialog.getByRole("textbox").press("Enter");
  const name = page.getByPlaceholder("Name or number");
  await name.fill("Drawn heads");
  await name.press("Enter");
  await page.locator("input[type=file]").first().setInputFiles(files);
  await page
    .getByText(/done in/)
    .nth(PHOTOGRAPHS - 1)
    .waitFor({ timeout: 300_000 });
  await page.getByText("Heads", { exact: true }).first().click();
  await page.waitForTimeout(1500);
  for (const key of ["1", "2", "4", "1", "3"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(400);
  }
  await page.waitForTimeout(1500);
  await writeFile(FILE, await page.screenshot());
} finally {
  await browser.close();
  app.kill("SIGTERM");
  await new Promise((ended) => app.once("close", ended));
  await rm(folder, { recursive: true });
}
