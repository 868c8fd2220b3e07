/** Opening the file of a learned model: what is opened must be what was learned. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { AndroscopeError, fileError, isAndroscopeError } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import { type Learner, MODELS, modelFile } from "./learner.ts";

/** @param model SHA-256 @throws `file/*`, `model/*`, `learning/model-lost` where the file is another one */
export async function openLearned(learner: Learner, folder: string, model: string): Promise<Analyser> {
  const path = join(folder, MODELS, modelFile(model));
  await access(path).catch((cause) => {
    const error = fileError(cause, path);
    if (!isAndroscopeError(error, "file/not-found")) throw error;
    const { code, expected, found } = error;
    throw new AndroscopeError(code, {
      expected,
      found,
      where: path,
      fix: "Put the model's file back into models/ of the data folder, or choose another model.",
      cause,
    });
  });
  const analyser = await learner.open(path);
  const found = analyser.describe().model;
  if (found === model) return analyser;
  await analyser.dispose();
  throw new AndroscopeError("learning/model-lost", {
    expected: `the model that was learned, ${model}`,
    found: `another one, ${found}`,
    where: path,
    fix: "Put the file back as it was, or choose another model.",
  });
}
