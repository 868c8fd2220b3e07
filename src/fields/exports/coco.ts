/** Found heads in COCO's format for instance segmentation, all pictures in one document. */
import { isCounted } from "../counts.ts";
import type { FoundHead } from "../head.ts";
import { boundingBox, signedArea, simplified } from "./polygon.ts";
import { type AnalysedSample, RESEARCH_USE } from "./sample.ts";
import { verdictOf } from "./verdicts.ts";

/** Categories after the model's classes, for what is not counted. Their names are told apart from any class's. */
const NOT_COUNTED = ["refused (not counted)", "cut (not counted)"] as const;

/**
 * Category 1 is the model's first class. A head that a person excluded keeps its class and has `accepted` false. `score` is
 * the detector's; the class's probabilities are under `attributes`, which is not COCO's own.
 */
export function coco({ analyser, pictures, criteria, normalClass }: AnalysedSample) {
  const { classes } = analyser;
  const found = pictures.flatMap((picture, i) =>
    picture.analysis.heads
      .filter(({ outline }) => simplified(outline).length >= 3)
      .map((head) => ({ head, picture, image: i + 1 })),
  );
  return {
    info: {
      description: `Sperm heads found and classified by ${analyser.program}. ${RESEARCH_USE}`,
      version: "1.0",
      contributor: analyser.program,
      model: analyser.model,
      detector: analyser.detector,
    },
    licenses: [{ id: 1, name: `of the models: ${analyser.licence}`, url: "" }],
    images: pictures.map(({ path, analysis: { width, height } }, i) => ({
      id: i + 1,
      file_name: path.replaceAll("\\", "/"),
      width,
      height,
    })),
    categories: [
      ...classes.map((name, c) => ({ id: c + 1, name, supercategory: "sperm head" })),
      ...NOT_COUNTED.map((name, k) => ({ id: classes.length + k + 1, name, supercategory: "not counted" })),
    ],
    annotations: found.map(({ head, picture, image }, i) => {
      const corners = simplified(head.outline);
      const verdict = verdictOf(head, {
        umPerPx: picture.umPerPx,
        normalClass,
        ...(criteria ? { criteria } : {}),
      });
      return {
        id: i + 1,
        image_id: image,
        category_id: categoryOf(head, verdict.label, classes.length),
        segmentation: [corners.flat()],
        bbox: boundingBox(corners),
        area: Math.abs(signedArea(corners)),
        iscrowd: 0 as const,
        score: head.score,
        attributes: {
          number: head.number,
          state: head.state,
          ...(head.reason ? { reason: head.reason } : {}),
          accepted: isCounted(head, picture.excluded),
          probabilities: [...head.probabilities],
          against: [...verdict.against],
        },
      };
    }),
  };
}

export type CocoDocument = ReturnType<typeof coco>;

function categoryOf({ state }: FoundHead, label: number | undefined, classes: number): number {
  if (state === "head" && label !== undefined) return label + 1;
  return classes + (state === "cut" ? 2 : 1);
}
