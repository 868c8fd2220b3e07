/** What was learned from, and what was left out. */
import type { RunReportData } from "../data.ts";
import { escapeHtml, percent, plural, section, table } from "../html.ts";

/** More would make the page long; report-data.json holds them all. */
const SHOWN_PROBLEMS = 200;

export function datasetSection({ dataset, problems }: RunReportData): string {
  const counted = table(
    "Images of each class",
    [
      { name: "class", long: true },
      { name: "images", number: true },
      { name: "share", number: true },
    ],
    dataset.classes.map((name, c) => [
      name,
      dataset.counts[c] ?? 0,
      percent((dataset.counts[c] ?? 0) / Math.max(1, dataset.tested)),
    ]),
  );
  const rows = problems.slice(0, SHOWN_PROBLEMS).map((p) => [p.id, p.message, p.code]);
  const skipped = table(
    "Skipped images",
    [{ name: "image", long: true }, { name: "reason", long: true }, { name: "code" }],
    rows,
  );
  const more =
    problems.length > rows.length ? `<p>And ${problems.length - rows.length} more, in report-data.json.</p>` : "";
  const unlabelled = dataset.images - dataset.tested;
  return section(
    "data",
    "Data",
    `<p>${escapeHtml(dataset.kind)}: ${plural(dataset.tested, "labelled image")}${unlabelled ? `, ${unlabelled} without a label (stage 1 only)` : ""}, ${dataset.skipped} skipped.</p><p>SHA-256 of the dataset: <code>${escapeHtml(dataset.hash)}</code></p>${counted}${
      rows.length
        ? `<h3>Skipped images</h3>${rows.length > 10 ? `<details><summary>${plural(problems.length, "image")}</summary>${skipped}${more}</details>` : skipped}`
        : "<p>No image was skipped.</p>"
    }`,
  );
}
