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
export function coco(sample: AnalysedSample) {
  return { ...aboutSample(sample), annotations: [...annotationsOf(sample)] };
}

export type CocoDocument = ReturnType<typeof coco>;

/** The same document as text, piece by piece: a sample of thousands of photographs need not be in memory at once. */
export function* cocoText(sample: AnalysedSample): Generator<string> {
  const about = JSON.stringify(aboutSample(sample), null, 1);
  yield `${about.slice(0, about.lastIndexOf("}")).trimEnd()},\n "annotations": [`;
  let between = "\n  ";
  for (const annotation of annotationsOf(sample)) {
    yield between + JSON.stringify(annotation);
    between = ",\n  ";
  }
  yield "\n ]\n}\n";
}

function aboutSample({ analyser, pictures }: AnalysedSample) {
  const { classes } = analyser;
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
  };
}

function* annotationsOf({ analyser, pictures, criteria, normalClass }: AnalysedSample) {
  let id = 0;
  for (const [i, picture] of pictures.entries()) {
    for (const head of picture.analysis.heads) {
      const corners = simplified(head.outline);
      if (corners.length < 3) continue;
      const { umPerPx } = picture;
      const verdict = verdictOf(head, { umPerPx, normalClass, ...(criteria ? { criteria } : {}) });
      yield {
        id: ++id,
        image_id: i + 1,
        category_id: categoryOf(head, verdict.label, analyser.classes.length),
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
    }
  }
}

function categoryOf({ state }: FoundHead, label: number | undefined, classes: number): number {
  if (state === "head" && label !== undefined) return label + 1;
  return classes + (state === "cut" ? 2 : 1);
}
