/** The program's networks as what the server asks: heads of photographs and of crops, by src/fields. */
import { type Analysis, estimateFrom, Analyser as Networks, type Outline } from "../../fields/index.ts";
import { readCrop, readImage } from "../../imaging/index.ts";
import type { ImageKind } from "../api.ts";
import type { Analyser } from "./analyser.ts";

/** @param model path of a model; the detector is the one that comes with the program. @throws `model/*`, `detector/*`, `file/*` */
export async function networkAnalyser(model: string, threads = 1): Promise<Analyser> {
  const networks = await Networks.open({ model, threads });
  return {
    kinds: ["crop", "field"],
    describe: () => networks.description,
    async analyse(path: string, kind: ImageKind) {
      if (kind === "crop") return cornersOnly(await networks.crop(await readCrop(path)));
      const image = await readImage(path);
      // Of this photograph alone: images of a sample may come from several microscopes, and come one by one.
      return cornersOnly(await networks.field(image, await estimateFrom([async () => image])));
    },
    dispose: () => networks.dispose(),
  };
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
