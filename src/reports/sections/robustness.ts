/** What the networks say of altered test images: other microscopes and stains, and no head at all. */
import type { RunReportData } from "../data.ts";
import { figure, percent, section, table } from "../html.ts";
import { whiskerCell } from "./classes.ts";

export function robustnessSection({ robustness, dataset }: RunReportData): string {
  if (!robustness) return "";
  const { plain, rows } = robustness;
  const most = Math.max(...dataset.counts) / dataset.counts.reduce((sum, count) => sum + count, 0);
  const columns = [{ name: "test images" }, { name: "accuracy" }, { name: "prediction changed", number: true }];
  const cells = (kind: "shift" | "shortcut", reference: number) =>
    rows
      .filter((row) => row.kind === kind)
      .map(({ what, accuracy, interval, changed }) => [
        what,
        whiskerCell({ value: accuracy, ...interval }, { reference }),
        percent(changed),
      ]);
  const parts = [
    figure(
      "What should change nothing",
      table("Accuracy on altered test images", columns, cells("shift", plain.accuracy)),
      `How to read: the same networks, the same images, altered. Dashed: the accuracy without alteration, ${percent(plain.accuracy)}. A row far left of it tells what the network must not meet in use.`,
    ),
    figure(
      "Shortcuts",
      table("Accuracy where the head is gone or bare", columns, cells("shortcut", most)),
      `How to read: dashed is the share of the most frequent class, ${percent(most)}. Without a head nothing should be found beyond it; what the outline alone finds is no shortcut, but shows what the rest adds; the head on another class's background should fare as without alteration.`,
    ),
  ];
  return section("robustness", "Altered images", parts.join(""));
}
