/**
 * Weights in TensorFlow.js's layers format: `model.json`, whose `weightsManifest` lists groups of arrays, and the files
 * in which the bytes of each group lie one after the other, little-endian. Only float32 is read.
 */
import { join } from "node:path";
import { z } from "zod";
import type { State } from "../autodiff/index.ts";
import { AndroscopeError, readBytes, readText } from "../runs/index.ts";

const arraySchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.string(),
  quantization: z.unknown().optional(),
});
const manifestSchema = z.object({
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(arraySchema) })),
});

type Group = z.infer<typeof manifestSchema>["weightsManifest"][number];

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** What a folder of weights holds; the arrays are read when they are asked for. */
export class TfjsWeights {
  readonly folder: string;
  readonly #groups: readonly Group[];

  private constructor(folder: string, groups: readonly Group[]) {
    this.folder = folder;
    this.#groups = groups;
  }

  /** @throws `file/*`, `weights/unreadable` */
  static async open(folder: string): Promise<TfjsWeights> {
    const file = join(folder, "model.json");
    const parsed = manifestSchema.safeParse(parseJson(await readText(file), file));
    if (!parsed.success) throw unreadable(file, parsed.error.issues[0]!.message);
    return new TfjsWeights(folder, parsed.data.weightsManifest);
  }

  /** Of an array; undefined where there is none of this name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#groups.flatMap(({ weights }) => weights).find((array) => array.name === name)?.shape;
  }

  /**
   * Some of the arrays, by name. Only the groups that hold them are read: a folder may lack the others.
   * @throws `file/*`, `weights/*`
   */
  async read(names: readonly string[]): Promise<State> {
    const wanted = new Set(names);
    const found: State = new Map();
    for (const group of this.#groups) {
      if (!group.weights.some(({ name }) => wanted.has(name))) continue;
      const bytes = await this.#bytesOf(group);
      let at = 0;
      for (const { name, shape } of group.weights) {
        const end = at + 4 * sizeOf(shape);
        if (wanted.has(name)) found.set(name, { shape, data: new Float32Array(bytes.slice(at, end).buffer) });
        at = end;
      }
    }
    const missing = names.find((name) => !found.has(name));
    if (missing !== undefined) {
      throw new AndroscopeError("weights/mismatch", {
        expected: `an array ${missing}`,
        found: "none of this name",
        where: join(this.folder, "model.json"),
        fix: "Name a folder with the weights of a MobileNet v1.",
      });
    }
    for (const [name, { data }] of found) {
      if (!data.every(Number.isFinite)) throw unreadable(this.folder, `numbers in ${name} that are not finite`);
    }
    return found;
  }

  async #bytesOf({ paths, weights }: Group): Promise<Uint8Array> {
    const manifest = join(this.folder, "model.json");
    const other = weights.find(({ dtype, quantization }) => dtype !== "float32" || quantization !== undefined);
    if (other) throw unreadable(manifest, `${other.name} as ${other.quantization ? "quantised" : other.dtype}`);
    const astray = paths.find((path) => !/^[^\\/]+$/.test(path) || path === "..");
    if (astray !== undefined) throw unreadable(manifest, `a file beyond the folder, ${JSON.stringify(astray)}`);
    const joined = Buffer.concat(await Promise.all(paths.map((path) => readBytes(join(this.folder, path)))));
    // A Buffer's slices are no copies, and its bytes need not begin at a multiple of four.
    const bytes = new Uint8Array(joined);
    const expected = weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    if (bytes.length !== expected) {
      throw new AndroscopeError("weights/truncated", {
        expected: `${expected} bytes`,
        found: `${bytes.length}`,
        where: join(this.folder, paths.join(" + ")),
        fix: "Copy the weights again; the download may have been cut short.",
      });
    }
    return bytes;
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(where, (cause as Error).message);
  }
}

function unreadable(where: string, found: string): AndroscopeError {
  return new AndroscopeError("weights/unreadable", {
    expected: "weights in TensorFlow.js's layers format, float32",
    found,
    where,
    fix: "docs/data.md says which weights are read.",
  });
}
