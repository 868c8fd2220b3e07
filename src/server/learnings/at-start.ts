/** The learned model in use when the app starts: its file may be lost or damaged, and the app must start all the same. */
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import type { About } from "../api.ts";
import { apiError } from "../http/failures.ts";
import { type Learner, MODELS, modelFile } from "./learner.ts";
import { openLearned } from "./opening.ts";

/** A learned model that is chosen in the data folder and cannot judge. */
export type LostModel = NonNullable<About["lostModel"]>;

/** @returns what judges with it, or why nothing does; the log, and what is chosen, stay as they are */
export async function openAtStart(
  learner: Learner,
  folder: string,
  chosen: { learning: number; model: string },
): Promise<{ analyser: Analyser } | { lost: LostModel }> {
  try {
    return { analyser: await openLearned(learner, folder, chosen.model) };
  } catch (error) {
    return { lost: { ...chosen, error: apiError(lost(chosen.model, error)) } };
  }
}

const lost = (model: string, cause: unknown) =>
  new AndroscopeError("learning/model-lost", {
    expected: "the learned model that is in use here",
    found: isAndroscopeError(cause, "file/not-found") ? "no file" : "a file that is damaged or cannot be loaded",
    where: `${MODELS}/${modelFile(model)}`,
    fix: "The original model judges meanwhile: put the file back into the data folder and start the app again, or choose another model.",
    cause,
  });
