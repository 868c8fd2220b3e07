/** The head of the report: what came out, of what, and how far to believe it. */
import { formatDuration } from "../../runs/index.ts";
import type { RunReportData } from "../data.ts";
import { cards, escapeHtml, gigabytes, interval, percent, plural, points } from "../html.ts";

export function headline(data: RunReportData): string {
  const { metrics: m, dataset } = data;
  const majority = Math.max(0, ...dataset.counts) / Math.max(1, m.count);
  const figures = cards([
    ["balanced accuracy", percent(m.balancedAccuracy)],
    ["macro F1", m.macroF1.toFixed(3)],
    ["macro precision", percent(m.macroPrecision)],
    ["macro recall", percent(m.macroRecall)],
    ["Cohen's κ", m.kappa.toFixed(3), "0 as chance, 1 perfect"],
    ...(m.matthews === undefined
      ? []
      : [["Matthews' correlation", m.matthews.toFixed(3), "0 as chance, 1 perfect"] as const]),
    ...(m.rocArea === undefined ? [] : [["area under ROC", m.rocArea.toFixed(3), "0.5 as chance, 1 perfect"] as const]),
    ...(m.fHalf ?? []).map((f, c) => [`F0.5, ${dataset.classes[c]} positive`, f.toFixed(3)] as const),
    ["log-loss", m.logLoss.toFixed(3), `${Math.log(dataset.classes.length).toFixed(3)} for knowing nothing`],
    ["Brier score", m.brier.toFixed(3), "0 perfect, 2 worst"],
    ["calibration error", m.calibrationError.toFixed(3), "ten bins; 0 perfect"],
  ]);
  const facts = cards([
    ["images", String(m.count), dataset.skipped ? `${dataset.skipped} skipped` : "none skipped"],
    ["classes", String(dataset.classes.length)],
    ["folds", String(data.folds.length)],
    ...data.protocol.grouping.map(
      ({ key, count, divided }) =>
        [`${key}s`, String(count), divided ? `${divided} in several folds` : "none divided"] as const,
    ),
    ...(data.protocol.grouping.length ? [] : [groupless(dataset.kind)]),
    ["seed", String(data.seed)],
    ["threads", String(data.threads)],
    ["device", data.device ?? "cpu"],
    ["time", formatDuration(data.seconds), (data.workers ?? 1) > 1 ? `${data.workers} folds at one time` : undefined],
    ["peak memory", gigabytes(data.peakRssBytes)],
  ]);
  return `<header><p class="use"><strong>Research use only, not for diagnosis.</strong></p><h1>${escapeHtml(data.title)}</h1>
<div class="headline"><div class="big">${percent(m.accuracy)}</div><div><p><strong>accuracy</strong>: ${m.correct} of ${plural(m.count, "image")} right; 95 % interval ${interval(m.accuracyInterval)} (Wilson). Always answering the most frequent class would give ${percent(majority)}.</p><p><span class="tag">honest protocol</span> ${escapeHtml(data.protocol.text)}</p></div></div>${optimistic(data)}${cautions(data)}${figures}<h2 class="quiet">What was run</h2>${facts}<p>${escapeHtml(data.protocol.split)}</p></header>`;
}

const groupless = (kind: string) =>
  kind === "phantoms"
    ? (["groups", "none", "every phantom is drawn by itself"] as const)
    : (["groups", "unknown"] as const);

function optimistic({ optimisticAccuracy, metrics }: RunReportData): string {
  if (optimisticAccuracy === undefined) return "";
  return `<p class="warning"><span class="tag bad">optimistic</span> <strong>${percent(optimisticAccuracy)} by the literature's rule.</strong> The mean of the five best test epochs of every fold, as published code of this field computes it. It is chosen on test data, ${points(Math.abs(optimisticAccuracy - metrics.accuracy))} ${optimisticAccuracy >= metrics.accuracy ? "more" : "less"} than the figure above, and no estimate of accuracy: use it for nothing but a comparison with figures that were computed in the same way.</p>`;
}

/** Kinds of datasets that nobody photographed. */
const DRAWN = ["phantoms", "scian-stand-ins"];

/** What makes the figures flatter than they look. */
function cautions({ protocol, dataset }: RunReportData): string {
  const found: string[] = [];
  if (DRAWN.includes(dataset.kind)) {
    found.push(
      "These are generated phantoms, not cells: the figures show that the program works, and say nothing about accuracy on real smears.",
    );
  } else if (protocol.grouping.length === 0) {
    found.push(
      "The data do not say which images come from one person or one smear. Such images may lie on both sides of a fold, so that accuracy on new people may be lower.",
    );
  }
  for (const { key, count, divided } of protocol.grouping) {
    if (divided > 0) {
      found.push(
        `${divided} of ${plural(count, key)} have images in more than one fold: the network was tested on ${key}s it had already seen, and accuracy on new ones may be lower.`,
      );
    }
  }
  if (protocol.transductive) {
    found.push(
      "Transductive: stage 1 also learned from the test images, without their labels. Accuracy on images that come later may be lower.",
    );
  }
  return found.map((text) => `<p class="warning"><strong>Caution.</strong> ${escapeHtml(text)}</p>`).join("");
}
