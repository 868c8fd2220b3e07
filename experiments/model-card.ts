/** The measured part of models/hushem.md. */

import { ALTERATIONS, type AlterationName, type RowSummary, type StudyResults } from "../src/evaluation/index.ts";
import { alteredAccuracy, percent } from "./sections.ts";
import type { Behaviour, ShippedModel } from "./shipped-model.ts";

const of = (part: number, whole: number) => `${part} of ${whole} (${percent(part / whole)})`;

function row({ what, images, refused, named, right }: Behaviour): string {
  const out = refused.mask + refused.size;
  const accepted = images - out;
  const classes = Object.entries(named)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
  const note = right === undefined || accepted === 0 ? "" : `; right ${of(right, accepted)}`;
  return `| ${what} | ${images} | ${percent(out / images)} (${refused.mask} for the mask, ${refused.size} for the size) | ${classes}${note} |`;
}

/** Where another laboratory may differ. */
const ELSEWHERE = [
  ...["pale-stain", "strong-stain", "other-stain", "tinted", "brighter", "darker", "grey", "35-pixels", "blurred"],
  ...["noisy", "turned", "other-background"],
] as AlterationName[];

/** @param recipe the same in the ablation, whose seeds are told: chance made one of them this model's */
export function modelCard(
  { training, temperature, acceptance, bytes, crossval, known, others }: ShippedModel,
  recipe: RowSummary,
  ablation: StudyResults,
): string {
  const chance = ` Seeds differ: the mean of ${recipe.seeds.length} is ${percent(recipe.mean)}.`;
  const lines = [
    `Trained on all ${training.images} images of HuSHeM with the default configuration (a network and, beside it, a linear probe on wavelets that learned every head in focus and out of it), seed ${training.seed}; ${(bytes / 1e6).toFixed(1)} MB, weights in half precision. Temperature ${temperature.toFixed(3)}.`,
    "",
    "## How good it is",
    "",
    `The model itself cannot be tested: it has seen every image. The same recipe and seed, cross-validated over the five published folds (fixed number of steps, averaged last weights, nothing chosen on test folds), has **${percent(crossval.accuracy)}** accuracy: ${crossval.correct} of ${crossval.count}, 95 % interval ${percent(crossval.accuracyInterval.low)} to ${percent(crossval.accuracyInterval.high)}; balanced accuracy ${percent(crossval.balancedAccuracy)}, macro F1 ${crossval.macroF1.toFixed(3)}, calibration error ${crossval.calibrationError.toFixed(3)} with each fold's temperature chosen on the others.${chance} All seeds, and how the recipe was chosen: [docs/results.md](../docs/results.md).`,
    "",
    "| class | images | recall | precision |",
    "|---|---|---|---|",
    ...crossval.classes.map(
      ({ name, support, recall, precision }) => `| ${name} | ${support} | ${percent(recall)} | ${percent(precision)} |`,
    ),
    "",
    "## Other stains, cameras and lenses",
    "",
    `The networks of the same recipe (mean of ${recipe.seeds.length} seeds) on altered versions of the images that each of them never saw. What they stand for is drawn, no other laboratory's classes were to be had:`,
    "",
    "| images | right |",
    "|---|---|",
    `| as they are | ${percent(recipe.mean)} |`,
    ...ELSEWHERE.map(
      (name) => `| ${ALTERATIONS[name].what} | ${percent(alteredAccuracy(ablation, recipe.name, name))} |`,
    ),
    "",
    "## What it refuses",
    "",
    ...(acceptance
      ? [
          `A crop is refused where its two masks overlap less than ${acceptance.agreement.toFixed(3)}, or where the head is not ${acceptance.length.map((px) => px.toFixed(0)).join(" to ")} pixels long and ${acceptance.width.map((px) => px.toFixed(0)).join(" to ")} wide: the limits of 99 in 100 of the heads that it learned from.`,
        ]
      : []),
    `Of HuSHeM's own heads ${of(known.refused.mask + known.refused.size, known.images)} are refused when each fold's network, with limits of its own, meets those that it never saw; of the rest ${percent(known.rightOfAccepted)} are right.`,
    "",
    "| crops | number | refused | named, where not refused |",
    "|---|---|---|---|",
    ...others.map(row),
    "",
    "The smears are those of the Sperm Parsing Dataset v2, used for evaluation only; nobody has sorted their heads into classes, so it can only be said what they are called, not whether that is right. Drawn heads have a class by construction.",
  ];
  return lines.join("\n");
}
