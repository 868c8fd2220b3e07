/** A classifier's confusion in its cross-validation, from the files that hold it. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { AndroscopeError, fileError, readJson } from "../runs/index.ts";
import { type Confusion, requireConfusion } from "./correction.ts";

/** Of the model that comes with the program: made by experiments/bundled-confusion.ts. */
export const BUNDLED_CONFUSION = fileURLToPath(new URL("../../models/hushem.confusion.json", import.meta.url));

const schema = z.object({ confusion: z.array(z.array(z.number())) });

/**
 * @param path metrics.json of a cross-validation, or the folder of one @param classes of the model, in its order
 * @throws `file/*`, `field/bad-confusion`
 */
export async function loadConfusion(path: string, classes: readonly string[]): Promise<Confusion> {
  const info = await stat(path).catch((error) => {
    throw fileError(error, path);
  });
  const file = info.isDirectory() ? join(path, "metrics.json") : path;
  const parsed = schema.safeParse(await readJson(file));
  if (!parsed.success) {
    throw new AndroscopeError("field/bad-confusion", {
      expected: "metrics.json of androscope crossval, with its confusion matrix",
      found: "a document without one",
      where: file,
      fix: "Name the folder of a finished cross-validation.",
    });
  }
  requireConfusion(parsed.data.confusion, classes);
  return parsed.data.confusion;
}
