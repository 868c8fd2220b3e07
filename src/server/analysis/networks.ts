/** The program's networks as what the server asks: heads of photographs and of crops, by src/fields. */
import { type Analysis, estimateFrom, Analyser as Networks, type Outline } from "../../fields/index.ts";
import { type Image, readCrop, readImage } from "../../imaging/index.ts";
import type { Prediction } from "../../learning/index.ts";
import { isAndroscopeError } from "../../runs/index.ts";
import type { Analyser, KnownHeads, Opinion } from "./analyser.ts";

/** What finds and judges heads. */
export interface NetworkOptions {
  /** Path of a model. */
  model: string;
  /** Path of a detector; the one that comes with the program by default. */
  detector?: string;
  /** Pixels that a usual head is long in photographs; estimated by default. */
  headLength?: number;
}

/** @throws `model/*`, `detector/*`, `file/*` */
export async function networkAnalyser({ headLength, ...files }: NetworkOptions, threads = 1): Promise<Analyser> {
  const networks = await Networks.open({ ...files, threads });
  const scales = new Scales();
  return {
    kinds: ["crop", "field"],
    settings: {
      headLength:
        headLength === undefined ? "estimated in the sample's first photographs of a size" : `${headLength} px`,
    },
    describe: () => networks.description,
    async analyse(path, kind, _, scaleFrom = [path]) {
      if (kind === "crop") return cornersOnly(await networks.crop(await readCrop(path)));
      const image = await readImage(path);
      // Where they tell nothing, this one may.
      const length = headLength ?? (await scales.of(scaleFrom)) ?? (await lengthIn(image));
      const { width, height } = image;
      if (length === undefined) return { width, height, heads: [] };
      return { ...cornersOnly(await networks.field(image, length)), headLength: length };
    },
    judge: async (known) => (await judgeKnown(networks, known, headLength)).map((prediction) => opinionOf(prediction)),
    dispose: () => networks.dispose(),
  };
}

/**
 * What a model says of heads whose places are known. Undefined for all where nothing in the photograph tells how long heads are.
 * @param given pixels that a usual head is long where nobody noted it
 */
export async function judgeKnown(
  networks: Networks,
  { path, kind, centres, headLength }: KnownHeads,
  given: number | undefined,
): Promise<(Prediction | undefined)[]> {
  if (kind === "crop") {
    const prediction = await networks.judgeCrop(await readCrop(path));
    return centres.map(() => prediction);
  }
  const image = await readImage(path);
  const length = headLength ?? given ?? (await lengthIn(image));
  return length === undefined ? centres.map(() => undefined) : networks.judge(image, length, centres);
}

/** Without masks and features, which no answer needs. */
const opinionOf = (prediction: Prediction | undefined): Opinion | undefined =>
  prediction && {
    state: prediction.refused ? "refused" : "head",
    ...(prediction.refused ? { reason: prediction.refused } : {}),
    probabilities: [...prediction.probabilities],
    agreement: prediction.agreement,
  };

/** Estimates are dear, and those of a sample are asked for again with each of its photographs. */
class Scales {
  readonly #known = new Map<string, number | undefined>();

  async of(paths: readonly string[]): Promise<number | undefined> {
    const key = paths.join("\n");
    if (!this.#known.has(key)) {
      const estimate = estimateFrom(paths.map((path) => () => readImage(path)));
      this.#known.set(key, await estimate.catch(unlessOurs));
      if (this.#known.size > MOST_SCALES) this.#known.delete(this.#known.keys().next().value!);
    }
    return this.#known.get(key);
  }
}
const MOST_SCALES = 100;

/** How long heads are in one photograph. Undefined where nothing in it looks like a head at any scale: it may hold none. */
export const lengthIn = (image: Image): Promise<number | undefined> =>
  estimateFrom([async () => image]).catch(unlessOurs);

/** No scale, or photographs that cannot be read, tell nothing; what else goes wrong is told. */
function unlessOurs(error: unknown): undefined {
  if (!isAndroscopeError(error)) throw error;
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
