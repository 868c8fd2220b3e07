/**
 * Learning from what readers decided, with the program's networks: every reviewed head is shown to the model that the
 * program was started with, its last layer is learned again from some of them, and the result is compared on the others
 * with the model that judges now.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  adaptLastLayer,
  argmax,
  compareModels,
  type JudgedHead,
  LEAST_TO_ADAPT as LEAST,
  type ReviewedHead,
} from "../../evaluation/index.ts";
import { Analyser as Networks } from "../../fields/index.ts";
import { lastLayer, type Prediction, withLastLayer } from "../../learning/index.ts";
import { AndroscopeError, makeFolder, readBytes, version, writeFileAtomic } from "../../runs/index.ts";
import { judgeKnown, type NetworkOptions } from "../analysis/networks.ts";
import { type Learned, type LearningNews, type LearningOrder, modelFile, type ReviewedImage } from "./learner.ts";

/** Of the dealing of photographs into parts. */
const SEED = 1;
/** What one training weighs against showing a head to a model, in the progress. */
const TRAINING = 10;

export async function learn(
  { images, before, folder }: LearningOrder,
  networks: NetworkOptions,
  threads: number,
  tell: (news: LearningNews) => void,
): Promise<Learned> {
  const held = images.filter((image) => image.held);
  const toLearn = images.filter((image) => !image.held);
  const count = (some: readonly ReviewedImage[]) => some.reduce((sum, { heads }) => sum + heads.length, 0);
  const judgings = count(images) + count(held) * (before === undefined ? 1 : 2);
  let [done, trainings] = [0, 31];
  const news = () => tell({ done, of: judgings + trainings * TRAINING });

  const root = networks.model;
  const bytes = await readBytes(root);
  const { layer, metadata } = lastLayer(bytes, root);
  const { classes, temperature } = metadata;
  const judgedBy = async (model: string, some: readonly ReviewedImage[]) => {
    const opened = await Networks.open({ ...files(networks), model, threads });
    const judged = new Map<number, Prediction>();
    try {
      if (opened.description.classes.join("\n") !== classes.join("\n"))
        throw otherClasses(classes, opened.description.classes);
      for (const image of some) {
        const known = { ...image, centres: image.heads.map(({ centre }) => centre) };
        const predictions = await judgeKnown(opened, known, networks.headLength);
        for (const [i, { id }] of image.heads.entries()) if (predictions[i]) judged.set(id, predictions[i]);
        done += image.heads.length;
        news();
      }
    } finally {
      opened.dispose();
    }
    return judged;
  };

  const first = await judgedBy(root, images);
  const reviewed = toLearn.flatMap(({ sha256, heads }) =>
    heads.flatMap(({ id, label }): ReviewedHead[] => {
      const features = first.get(id)?.features;
      return features ? [{ id: String(id), label: classes.indexOf(label), group: sha256, features }] : [];
    }),
  );
  requireJudged(reviewed, held.flatMap(({ heads }) => heads.filter(({ id }) => first.has(id))).length);
  // A model that cannot be compared with is refused before anything is trained.
  const now = before === undefined ? first : await judgedBy(before, held);
  const from = done;
  const adapted = await adaptLastLayer(layer, reviewed, {
    ...{ temperature, seed: SEED, threads },
    onDone(training, of) {
      trainings = of;
      done = from + training * TRAINING;
      news();
    },
  });

  let model: string | undefined;
  let after = first;
  if (Number.isFinite(adapted.strength)) {
    const changed = await withLastLayer(bytes, root, adapted.layer, {
      ...{ program: `androscope ${version()}`, heads: reviewed.length, strength: adapted.strength },
    });
    model = createHash("sha256").update(changed).digest("hex");
    await makeFolder(folder);
    const path = join(folder, modelFile(model));
    await writeFileAtomic(path, changed);
    // The very file that would be used judges the heads that it is compared on.
    after = await judgedBy(path, held);
  }
  const compared = held.flatMap(({ sha256, heads }) =>
    heads.flatMap(({ id, label }) => {
      const [old, next] = [now.get(id), after.get(id)];
      if (!old || !next) return [];
      const judged: JudgedHead = {
        ...{ label: classes.indexOf(label), group: sha256, before: old.probabilities, after: next.probabilities },
      };
      return [{ id, judged }];
    }),
  );
  const nameOf = (probabilities: readonly number[]) => classes[argmax(probabilities)]!;
  return {
    ...(model === undefined ? {} : { model, strength: adapted.strength }),
    learned: { heads: reviewed.length, images: new Set(reviewed.map(({ group }) => group)).size },
    comparison: compareModels(
      compared.map(({ judged }) => judged),
      classes.length,
    ),
    changed: compared.flatMap(({ id, judged }) => {
      const [old, next] = [nameOf(judged.before), nameOf(judged.after)];
      return old === next ? [] : [{ id, label: classes[judged.label]!, before: old, after: next }];
    }),
  };
}

/** Enough was decided; where a photograph does not tell how long heads are, its heads cannot be shown to a model. */
function requireJudged(learned: readonly ReviewedHead[], held: number): void {
  const count = (of: (head: ReviewedHead) => unknown) => new Set(learned.map(of)).size;
  const [classes, groups] = [count(({ label }) => label), count(({ group }) => group)];
  if (learned.length >= LEAST.learned && held >= LEAST.held && classes >= LEAST.classes && groups >= LEAST.groups)
    return;
  throw new AndroscopeError("learning/too-few", {
    expected: `${LEAST.learned} heads of ${LEAST.classes} classes in ${LEAST.groups} images that a model can be shown, and ${LEAST.held} in others to compare on`,
    found: `${learned.length} of ${classes} in ${groups}, and ${held}`,
    fix: "Decide heads of other images; in photographs, check --head-length.",
  });
}

const otherClasses = (expected: readonly string[], found: readonly string[]) =>
  new AndroscopeError("learning/not-here", {
    expected: `a model in use of the classes ${expected.join(", ")}`,
    found: found.join(", "),
    fix: "Use the original model again, and then learn.",
  });

const files = ({ headLength: _, ...named }: NetworkOptions) => named;
