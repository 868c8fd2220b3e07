/**
 * Kills `androscope app` at random moments while decisions and uploads stream in, and looks after every start whether
 * anything that was acknowledged is missing. A short run is a test (app.test.ts); a long one:
 *
 *     node scripts/with-node.mjs tests/app-killing.ts 200 [SEED]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generatePhantoms } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { Random } from "../src/runs/index.ts";
import type { Value } from "../src/server/api.ts";
import { verifyFolder } from "../src/server/index.ts";
import { Client, temporaryFolder } from "../src/server/testing/support.ts";

const started = new Set<ChildProcess>();
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const VALUES: (Value | null)[] = [
  ...["Normal", "Tapered", "Pyriform", "Amorphous"].map((name): Value => ({ kind: "class", class: name })),
  { kind: "excluded", why: "cut" },
  null,
];

interface Decided {
  id: string;
  head: number;
  value: Value | null;
  /** Of the acknowledgement; undefined where none came. */
  seq?: number;
}

export interface Killed {
  kills: number;
  /** While the server was starting, before it said its address. */
  whileStarting: number;
  decisions: number;
  images: number;
  analysed: number;
  failed: number;
  /** Seconds from the start of the process until it answers, the median and the longest. */
  opening: { median: number; longest: number };
}

class Server {
  readonly process: ChildProcess;
  readonly client: Promise<Client>;
  readonly exited: Promise<unknown>;

  constructor(folder: string) {
    const args = ["--disable-warning=ExperimentalWarning", MAIN, "app", "--data", folder, "--no-open", "--json"];
    this.process = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.exited = once(this.process, "exit");
    started.add(this.process);
    this.process.once("exit", () => started.delete(this.process));
    let errors = "";
    this.process.stderr!.setEncoding("utf8").on("data", (text) => (errors += text));
    this.client = new Promise((resolve, reject) => {
      let text = "";
      this.process.stdout!.setEncoding("utf8").on("data", (more) => {
        text += more;
        if (text.endsWith("}\n")) resolve(new Client(JSON.parse(text)));
      });
      this.process.once("exit", (status, signal) => reject(new Error(`ended with ${signal ?? status}: ${errors}`)));
    });
    // Killed while it starts, nobody waits for it.
    this.client.catch(() => {});
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** @param say progress, a line each time. @throws where anything acknowledged is missing, or the server does not open again */
export async function killMany(kills: number, seed: number, say: (line: string) => void = () => {}): Promise<Killed> {
  const random = Random.seeded(seed).stream("kill", kills);
  const folder = await temporaryFolder();
  const decided: Decided[] = [];
  /** Sums of acknowledged uploads. */
  const uploaded = new Set<string>();
  const opening: number[] = [];
  let [whileStarting, reader, sample] = [0, 0, 0];
  let drawn = 0;
  const crops = async (count: number) => {
    const files: Record<string, Uint8Array> = {};
    for (const { image } of generatePhantoms({ count, seed: ++drawn })) {
      files[`${drawn}-${Object.keys(files).length}.png`] = await encodePng(image);
    }
    return files;
  };

  async function opened(): Promise<{ server: Server; client: Client }> {
    const begun = performance.now();
    const server = new Server(folder);
    const client = await server.client;
    await client.call("health");
    opening.push((performance.now() - begun) / 1000);
    return { server, client };
  }

  /** Decides one head after the other until the server is gone. */
  async function decideOn(client: Client, heads: readonly number[]): Promise<void> {
    for (;;) {
      const head = heads[random.integer(heads.length)]!;
      const one: Decided = { id: randomUUID(), head, value: VALUES[random.integer(VALUES.length)]! };
      decided.push(one);
      const { id, value } = one;
      const { done } = await client.call("decide", { body: { reader, decisions: [{ id, head, value }] } });
      one.seq = done[0]!.seq;
    }
  }

  async function uploadTo(client: Client): Promise<void> {
    for (;;) {
      const files = await crops(1 + random.integer(4));
      const answers = await client.upload(sample, "crop", files);
      for (const answer of answers) {
        if (!answer.ok) throw new Error(answer.error.message);
        uploaded.add(answer.image.sha256);
      }
    }
  }

  /** What must hold after every start. */
  async function check(client: Client): Promise<number[]> {
    const left = await readdir(join(folder, "incoming"));
    if (left.length > 0) throw new Error(`half files are left: ${left}`);
    // Without an acknowledgement it may have been done or not: sent again, it is done once.
    for (const one of decided.filter(({ seq }) => seq === undefined)) {
      const { id, head, value } = one;
      one.seq = (await client.call("decide", { body: { reader, decisions: [{ id, head, value }] } })).done[0]!.seq;
    }
    const last = new Map<number, Decided>();
    for (const one of decided) if ((last.get(one.head)?.seq ?? 0) < one.seq!) last.set(one.head, one);
    const heads = await client.heads(sample, reader);
    for (const { id, decision } of heads) {
      const expected = last.get(id);
      if (JSON.stringify(decision?.value ?? null) !== JSON.stringify(expected?.value ?? null)) {
        throw new Error(`head ${id}: ${JSON.stringify(decision)} instead of ${JSON.stringify(expected)}`);
      }
    }
    const { images } = await client.call("listImages", { params: { sample } });
    const there = new Set(images.map(({ sha256 }) => sha256));
    for (const sum of uploaded) if (!there.has(sum)) throw new Error(`the acknowledged upload ${sum} is lost`);
    return heads.map(({ id }) => id);
  }

  /** Every acknowledged decision is in the log under its number; every kept file is whole. */
  async function checkAll(client: Client): Promise<void> {
    const { log } = await client.call("exportJson", { params: { sample }, query: { reader } });
    const rows = new Map(log.map((row) => [row.seq, row]));
    for (const { id, seq, head, value } of decided) {
      const row = rows.get(seq!);
      if (row?.act !== id || row.head !== head || JSON.stringify(row.new) !== JSON.stringify(value)) {
        throw new Error(`the acknowledged decision ${id} is not row ${seq}`);
      }
    }
    if (log.filter(({ action }) => action === "decide").length !== decided.length)
      throw new Error("a decision is twice");
    for (const path of await readdir(join(folder, "originals"), { recursive: true })) {
      if (path.length < 60) continue;
      const sum = createHash("sha256")
        .update(await readFile(join(folder, "originals", path)))
        .digest("hex");
      if (!path.endsWith(sum)) throw new Error(`${path} is not whole`);
    }
  }

  try {
    let { server, client } = await opened();
    reader = await client.newReader("Reader");
    sample = await client.newSample(reader);
    for (const answer of await client.upload(sample, "crop", await crops(12)))
      if (answer.ok) uploaded.add(answer.image.sha256);
    await client.analysed(sample);
    for (let kill = 1; kill <= kills; kill++) {
      const heads = await check(client);
      const streams = [decideOn(client, heads), uploadTo(client)].map((stream) => stream.catch((error) => error));
      // A helper takes about a second to start before the first upload is through.
      await wait(random.uniform(0, 2000));
      await server.kill();
      // A refusal by the server that lives is a fault; a connection that broke is what was wanted.
      for (const error of await Promise.all(streams))
        if (!/fetch failed|terminated|aborted/.test(error.message)) throw error;
      // A killed one that starts is killed too, now and then.
      while (random.uniform(0, 1) < 0.2 && kill < kills) {
        const starting = new Server(folder);
        await wait(random.uniform(0, 1500));
        await starting.kill();
        whileStarting++;
        kill++;
      }
      const { intact, faults } = await verifyFolder(folder);
      if (!intact) throw new Error(JSON.stringify(faults));
      ({ server, client } = await opened());
      if (kill % 10 === 0) say(`${kill} kills, ${decided.length} decisions, ${uploaded.size} images`);
    }
    await check(client);
    await checkAll(client);
    const images = await client.analysed(sample);
    const of = (state: string) => images.filter((image) => image.state === state).length;
    server.process.kill("SIGTERM");
    await server.exited;
    const { intact, faults } = await verifyFolder(folder);
    if (!intact) throw new Error(JSON.stringify(faults));
    const sorted = opening.toSorted((a, b) => a - b);
    return {
      ...{ kills, whileStarting, decisions: decided.length, images: images.length },
      ...{ analysed: of("done"), failed: of("failed") },
      opening: { median: sorted[Math.floor(sorted.length / 2)]!, longest: sorted.at(-1)! },
    };
  } finally {
    // Where a check failed one may still run.
    for (const child of started) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kills = 200, seed = 1] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await killMany(kills, seed, console.error), null, 2));
}
