/** How both stages learned, fold by fold. */
import type { RunReportData } from "../data.ts";
import { type Curve, foldLegend, learningCurves } from "../figures/learning-curves.ts";
import { figure, section, table } from "../html.ts";

const last = (curve: Curve | undefined) => curve?.points.at(-1)?.value;
const text = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(3));

export function learningSection({ curves, folds }: RunReportData): string {
  const { stage1, stage2, trainingAccuracy, testAccuracy } = curves;
  if ([stage1, stage2].every((list) => list.every((c) => c.points.length === 0))) return "";
  const looked = testAccuracy.some((c) => c.points.length > 0);
  const rows = folds.map(({ name }, i) => [
    name,
    text(last(stage1[i])),
    text(last(stage2[i])),
    text(last(trainingAccuracy[i])),
  ]);
  return section(
    "learning",
    "Learning",
    `${foldLegend(folds.map((f) => f.name))}<div class="grid2">${figure(
      "Stage 1, distillation",
      learningCurves(stage1, "loss of stage 1"),
      "How to read: the spatial tasks learned from pseudo-masks, without labels; every fold should fall and flatten, and a fold far from the others deserves a look.",
    )}${figure(
      "Stage 2, tuning",
      learningCurves(stage2, "loss of stage 2"),
      "How to read: the classifier's loss on training images; label smoothing keeps it above zero.",
    )}${figure(
      "Training accuracy",
      learningCurves(trainingAccuracy, "training accuracy", { shares: true }),
      `How to read: accuracy on the augmented training images of each step; an end far above the test accuracy means that images were learned by heart. ${looked ? "" : "The test fold was not looked at while training."}`,
    )}${figure(
      "Looks at the test fold (optimistic)",
      looked ? learningCurves(testAccuracy, "test accuracy", { shares: true }) : "",
      "How to read: accuracy on the test fold at every epoch, looked at for the literature's rule alone; the headline uses the last weights, whatever this shows.",
    )}${figure(
      "Where the curves end",
      table(
        "Last values of the learning curves",
        [
          { name: "fold" },
          { name: "stage 1 loss", number: true },
          { name: "stage 2 loss", number: true },
          { name: "training accuracy", number: true },
        ],
        rows,
      ),
      "How to read: the last value of each curve, a mean over the steps since the one before.",
    )}</div>`,
  );
}
