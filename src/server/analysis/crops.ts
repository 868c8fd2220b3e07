/** Analyses crops, each of which was cut for one head: what the model says, as the nouns of src/fields. */
import { createHash } from "node:crypto";
import type { AnalyserDescription, Analysis, FoundHead, Outline } from "../../fields/index.ts";
import { type Image, outlines, readCrop } from "../../imaging/index.ts";
import { frameToCrop, Model, measure } from "../../learning/index.ts";
import { AndroscopeError, readBytes, version } from "../../runs/index.ts";
import type { ImageKind } from "../api.ts";
import type { Analyser } from "./analyser.ts";

/** @param path of a model. @throws `model/*`, `file/*` */
export async function cropAnalyser(path: string, threads = 1): Promise<Analyser> {
  const bytes = await readBytes(path);
  const model = await Model.from(bytes, path, { threads });
  const description: AnalyserDescription = {
    program: `androscope ${version()}`,
    classes: model.metadata.classes,
    model: createHash("sha256").update(bytes).digest("hex"),
    detector: "none: crops only",
    licence: model.metadata.training.licence,
  };
  return {
    kinds: ["crop"],
    describe: () => description,
    async analyse(file: string, kind: ImageKind) {
      // PLACE FOR FIELDS: src/fields finds and judges the heads of a photograph here; `kinds` and `detector` above then
      // name it.
      if (kind === "field") throw noDetector();
      return analysisOf(model, await readCrop(file));
    },
    dispose: () => model.dispose(),
  };
}

function noDetector(): AndroscopeError {
  return new AndroscopeError("analysis/no-detector", {
    expected: "a crop of one head",
    found: "a photograph of a smear, and no detector of heads",
    fix: "Upload crops, or use a version that finds heads in photographs.",
  });
}

/** At most one head: none where the model sees no outline at all. */
async function analysisOf(model: Model, image: Image): Promise<Analysis> {
  const { width, height } = image;
  const [prediction] = await model.predict([image]);
  const { viewSize, frameExtent } = model.metadata;
  const { mask, centre, axis, probabilities, agreement, refused } = prediction!;
  const outline = outerOutline(outlines(frameToCrop(mask, viewSize, frameExtent, width, height)));
  const measures = measure(image, { mask }, { viewSize, frameExtent });
  if (!outline || !measures) return { width, height, heads: [] };
  const head: FoundHead = {
    number: 1,
    ...(refused ? { state: "refused", reason: refused } : { state: "head" }),
    score: 1,
    ...{ outline, centre, axis, probabilities, agreement, measures },
  };
  return { width, height, heads: [head] };
}

/** The longest outline, without the points between corners. */
export function outerOutline(polygons: readonly Outline[]): Outline | undefined {
  const longest = polygons.toSorted((a, b) => b.length - a.length)[0];
  return longest?.filter(([x, y], i) => {
    const [px, py] = longest.at(i - 1)!;
    const [nx, ny] = longest[(i + 1) % longest.length]!;
    return (x - px) * (ny - y) !== (y - py) * (nx - x);
  });
}
