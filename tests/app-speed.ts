/**
 * How long `androscope app` takes to save a decision and to answer for a sample of 2000 heads, alone and while crops are
 * uploaded and analysed. The uploads come from another process, so that they hold up the server and not the clock:
 *
 *     node scripts/with-node.mjs tests/app-speed.ts
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { generatePhantoms } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { Client, temporaryFolder } from "../src/server/testing/support.ts";

const SELF = fileURLToPath(import.meta.url);
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

const crops = async (count: number, seed: number) => {
  const files: Record<string, Uint8Array> = {};
  for (const { image } of generatePhantoms({ count, seed })) {
    files[`${seed}-${Object.keys(files).length}.png`] = await encodePng(image);
  }
  return files;
};

function distribution(milliseconds: readonly number[]) {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1));
  return { count: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
}

async function timed(count: number, work: (i: number) => Promise<unknown>) {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await work(i);
    took.push(performance.now() - begun);
  }
  return distribution(took);
}

async function measure() {
  const folder = await temporaryFolder();
  const server = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", MAIN, "app", "--data", folder, "--no-open", "--json"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let uploads: ChildProcess | undefined;
  try {
    const [text] = await once(server.stdout.setEncoding("utf8"), "data");
    const started = JSON.parse(text);
    const client = new Client(started);
    const reader = await client.newReader("Reader");
    const sample = await client.newSample(reader);
    const begun = performance.now();
    for (let seed = 1; seed <= 20; seed++) await client.upload(sample, "crop", await crops(100, seed));
    const uploaded = (performance.now() - begun) / 1000;
    await client.analysed(sample);
    const analysed = (performance.now() - begun) / 1000;
    const heads = await client.heads(sample, reader);
    const decide = (i: number) => client.decide(reader, heads[i % heads.length]!.id, i % 2 ? "Normal" : "Tapered");
    const alone = await timed(500, decide);
    const list = await timed(10, async () =>
      (await client.fetch("listHeads", { params: { sample }, query: { reader } })).arrayBuffer(),
    );
    const pictures = performance.now();
    await Promise.all(
      Array.from({ length: 6 }, async (_, lane) => {
        for (let i = lane; i < heads.length; i += 6) {
          const params = { key: heads[i]!.thumbnail.key };
          await (await client.fetch("thumbnail", { params })).arrayBuffer();
        }
      }),
    );
    const thumbnails = performance.now() - pictures;
    uploads = fork(SELF, ["upload", JSON.stringify(started), String(sample)]);
    await once(uploads, "message");
    const busy = await timed(500, decide);
    return {
      heads: heads.length,
      seconds: { upload2000Crops: uploaded, untilAnalysed: analysed },
      milliseconds: { decisionAlone: alone, decisionWhileUploading: busy, listHeads: list, allThumbnails: thumbnails },
    };
  } finally {
    uploads?.kill("SIGKILL");
    server.kill("SIGKILL");
    await once(server, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

/** Uploads until it is killed. */
async function upload(started: { origin: string; token: string }, sample: number): Promise<never> {
  const client = new Client(started);
  for (let seed = 1000; ; seed++) {
    await client.upload(sample, "crop", await crops(20, seed));
    process.send!("begun");
  }
}

const [what, started, sample] = process.argv.slice(2);
if (what === "upload") await upload(JSON.parse(started!), Number(sample));
else console.log(JSON.stringify(await measure(), null, 2));
