/**
 * Stage 0's masks with their reliability, on crops that lie decoded in memory: HuSHeM's where $ANDROSCOPE_DATA has them,
 * else phantoms. bench/peers/skimage_masks.py does the same operations with scikit-image and scipy; its masks are
 * compared with ours before it may take part. Both sides use one thread: neither's filters have more.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataset, phantomDataset } from "../../src/datasets/index.ts";
import { pseudoMask } from "../../src/heads/index.ts";
import { encodePng, type Image } from "../../src/imaging/index.ts";
import type { BenchmarkCase, Contestant } from "../case.ts";
import { pythonPeer, timed } from "../peer.ts";

const CROPS = 54;

let loaded: Promise<Image[]> | undefined;

/** The same crops for both sides, evenly from the whole set. */
async function load(): Promise<Image[]> {
  const hushem = join(process.env.ANDROSCOPE_DATA ?? "", "hushem");
  const real = process.env.ANDROSCOPE_DATA && existsSync(hushem);
  const { samples } = real ? await openDataset(hushem) : phantomDataset({ count: CROPS, seed: 1 });
  const chosen = Array.from({ length: CROPS }, (_, i) => samples[Math.floor((i * samples.length) / CROPS)]!);
  return Promise.all(chosen.map((sample) => sample.load()));
}

const crops = () => (loaded ??= load());

async function ours(): Promise<Contestant> {
  const images = await crops();
  // Long enough that the engine has compiled what it will compile.
  for (let round = 0; round < 3; round++) for (const image of images) pseudoMask(image);
  let at = 0;
  return {
    name: "Androscope",
    turn: (amount) =>
      timed(async () => {
        for (let k = 0; k < amount; k++) pseudoMask(images[at++ % images.length]!);
      }),
    async stop() {},
  };
}

/** @throws where the other side does not find the same heads: then there is nothing to compare */
async function requireSameMasks(folder: string): Promise<void> {
  const dices: number[] = [];
  for (const [i, image] of (await crops()).entries()) {
    const theirs = await readFile(join(folder, `${i}.bin`));
    const { data } = pseudoMask(image).mask;
    let both = 0;
    let sum = 0;
    for (let k = 0; k < data.length; k++) {
      both += data[k]! & theirs[k]!;
      sum += data[k]! + theirs[k]!;
    }
    dices.push(sum === 0 ? 1 : (2 * both) / sum);
  }
  const least = Math.min(...dices);
  const same = dices.filter((dice) => dice >= 0.99).length;
  if (!(least >= 0.95 && same >= 0.9 * dices.length)) {
    throw new Error(`masks/stage0: ${same} of ${dices.length} masks agree to a Dice of 0.99, the worst to ${least}`);
  }
}

export const cases: BenchmarkCase[] = [
  {
    name: "masks/stage0",
    unit: "crops/s",
    amount: CROPS,
    unitsPer: 1,
    ours,
    peers: [
      {
        peer: "scikit-image",
        install: "apt-get install python3-skimage",
        note: "Both sides use one thread.",
        async start() {
          const folder = await mkdtemp(join(tmpdir(), "androscope-masks-"));
          try {
            const paths: string[] = [];
            for (const [i, image] of (await crops()).entries()) {
              paths.push(join(folder, `${i}.png`));
              await writeFile(paths[i]!, await encodePng(image));
            }
            await writeFile(join(folder, "images.txt"), paths.join("\n"));
            const script = [join(folder, "images.txt"), "--masks", folder];
            const peer = await pythonPeer("skimage", "skimage_masks.py", script);
            if (peer) {
              try {
                await requireSameMasks(folder);
              } catch (error) {
                await peer.stop();
                throw error;
              }
            }
            return peer;
          } finally {
            await rm(folder, { recursive: true, force: true });
          }
        },
      },
    ],
  },
];
