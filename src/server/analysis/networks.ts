/** The program's networks as what the server asks: heads of photographs and of crops, by src/fields. */
import { type Analysis, estimateFrom, Analyser as Networks, type Outline } from "../../fields/index.ts";
import { type Image, readCrop, readImage } from "../../imaging/index.ts";
import { isAndroscopeError } from "../../runs/index.ts";
import type { ImageKind } from "../api.ts";
import type { Analyser } from "./analyser.ts";

/** What finds and judges heads. */
export interface NetworkOptions {
  /** Path of a model. */
  model: string;
  /** Path of a detector; the one that comes with the program by default. */
  detector?: string;
  /** Pixels that a usual head is long in photographs; estimated in each of them by default. */
  headLength?: number;
}

/** @throws `model/*`, `detector/*`, `file/*` */
export async function networkAnalyser({ headLength, ...files }: NetworkOptions, threads = 1): Promise<Analyser> {
  const networks = await Networks.open({ ...files, threads });
  return {
    kinds: ["crop", "field"],
    settings: { headLength: headLength === undefined ? "estimated in each photograph" : `${headLength} px` },
    describe: () => networks.description,
    async analyse(path: string, kind: ImageKind) {
      if (kind === "crop") return cornersOnly(await networks.crop(await readCrop(path)));
      const image = await readImage(path);
      const length = headLength ?? (await lengthIn(image));
      const { width, height } = image;
      return length === undefined ? { width, height, heads: [] } : cornersOnly(await networks.field(image, length));
    },
    dispose: () => networks.dispose(),
  };
}

/**
 * How long heads are in this photograph alone: images of a sample may come from several microscopes, and come one by one.
 * Undefined where nothing in it looks like a head at any scale: then it holds none.
 */
export async function lengthIn(image: Image): Promise<number | undefined> {
  try {
    return await estimateFrom([async () => image]);
  } catch (error) {
    if (isAndroscopeError(error, "field/no-scale")) return undefined;
    throw error;
  }
}

/** Outlines along pixel edges have a point at every pixel; those between corners say nothing. */
const cornersOnly = (analysis: Analysis): Analysis => ({
  ...analysis,
  heads: analysis.heads.map((head) => ({ ...head, outline: withoutStraights(head.outline) })),
});

export function withoutStraights(outline: Outline): Outline {
  return outline.filter(([x, y], i) => {
    const [px, py] = outline.at(i - 1)!;
    const [nx, ny] = outline[(i + 1) % outline.length]!;
    return (x - px) * (ny - y) !== (y - py) * (nx - x);
  });
}
