/** The crops that a report shows: the worst mistakes, the masks to doubt and the labels to doubt. */
import { intersectionOverUnion } from "../heads/index.ts";
import type { Mask } from "../imaging/index.ts";
import { cropOf, doubted, frameToCrop, type LabelOpinion, likeliest, pseudoMaskOf } from "../learning/index.ts";
import { pictureOf, type ReportCrop, softOutlines } from "../reports/index.ts";
import type { CrossvalRun } from "./crossval.ts";
import { argmax } from "./metrics.ts";

const SHOWN_MISTAKES = 24;
const SHOWN_DOUBTFUL = 12;
const SHOWN_LABELS = 24;

/** Stage 1's mask of a test image, on its crop. */
function predictedMask({ set, masks }: CrossvalRun, index: number): Mask | undefined {
  const frame = masks.get(index);
  const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
  return frame && frameToCrop(frame, Math.round(Math.sqrt(frame.length)), set.frameExtent, width, height);
}

/** IoU of stage 1's masks with the pseudo-masks, test images only. */
export function testOverlaps(run: CrossvalRun): number[] {
  return run.records.flatMap(({ predictions }) =>
    predictions.flatMap(({ index }) => {
      const mask = predictedMask(run, index);
      return mask ? [intersectionOverUnion(mask, pseudoMaskOf(run.set, index))] : [];
    }),
  );
}

async function reportCrop(run: CrossvalRun, index: number, more: Partial<ReportCrop>): Promise<ReportCrop> {
  const image = cropOf(run.set, index);
  const mask = predictedMask(run, index);
  return {
    id: run.set.ids[index]!,
    picture: await pictureOf(image),
    width: image.width,
    height: image.height,
    outlines: mask ? softOutlines(mask) : [],
    ...more,
  };
}

/** The wrong ones, the most confident first. */
export async function mistakeCrops(run: CrossvalRun): Promise<ReportCrop[]> {
  const { rows, set } = run;
  const indexOf = new Map(set.ids.map((id, i) => [id, i]));
  const wrong = rows
    .filter((row) => argmax(row.probabilities) !== row.label)
    .sort((a, b) => Math.max(...b.probabilities) - Math.max(...a.probabilities) || (a.id < b.id ? -1 : 1))
    .slice(0, SHOWN_MISTAKES);
  const crops: ReportCrop[] = [];
  for (const { id, label, fold, probabilities } of wrong) {
    const [truth, predicted] = [set.classes[label]!, set.classes[argmax(probabilities)]!];
    crops.push(await reportCrop(run, indexOf.get(id)!, { truth, predicted, probabilities, fold }));
  }
  return crops;
}

/** The test images on whose masks stage 1 agrees least with itself. */
export async function doubtfulCrops(run: CrossvalRun): Promise<ReportCrop[]> {
  const { records, set } = run;
  const doubtful = records
    .flatMap((r) => r.predictions.map((p) => ({ ...p, fold: r.name })))
    .sort((a, b) => a.agreement - b.agreement || a.index - b.index)
    .slice(0, SHOWN_DOUBTFUL);
  const crops: ReportCrop[] = [];
  for (const { index, agreement, fold } of doubtful) {
    const pseudo = pseudoMaskOf(set, index);
    const mask = predictedMask(run, index);
    const reliability = set.reliability[index]!;
    crops.push(
      await reportCrop(run, index, {
        fold,
        pseudoOutlines: softOutlines(pseudo),
        notes: [
          `agreement ${agreement.toFixed(2)}`,
          reliability > 0 ? `pseudo-mask rated ${reliability.toFixed(2)}` : "pseudo-mask rejected",
          ...(mask ? [`IoU of the two ${intersectionOverUnion(mask, pseudo).toFixed(2)}`] : []),
        ],
      }),
    );
  }
  return crops;
}

/** The images whose label is likelier another, the least believed first. */
export async function labelCrops(run: CrossvalRun, opinions: readonly LabelOpinion[]): Promise<ReportCrop[]> {
  const { classes } = run.set;
  const crops: ReportCrop[] = [];
  for (const opinion of doubted(opinions).slice(0, SHOWN_LABELS)) {
    const [truth, likely] = [classes[opinion.given]!, classes[likeliest(opinion)]!];
    crops.push(await reportCrop(run, opinion.index, { truth, likely, probabilities: opinion.likely }));
  }
  return crops;
}
