/** The report of a cross-validation: one self-contained HTML file, no script, nothing from the network. */
import { confusionMatrix } from "./figures/confusion.ts";
import { coverageFigure } from "./figures/coverage.ts";
import { dotWhisker } from "./figures/dot-whisker.ts";
import { histogram } from "./figures/histogram.ts";
import { type Curve, learningCurves } from "./figures/learning-curves.ts";
import { reliabilityDiagram } from "./figures/reliability.ts";
import { escapeHtml, percent } from "./figures/svg.ts";
import { STYLE } from "./style.ts";

/** A crop with what was seen in it. */
export interface ReportCrop {
  id: string;
  /** PNG as base64. */
  png: string;
  width: number;
  height: number;
  /** Outlines of the mask in pixels. */
  outlines: readonly (readonly (readonly [number, number])[])[];
  truth?: string;
  predicted?: string;
  probabilities?: readonly number[];
  note?: string;
}

export interface RunReportData {
  title: string;
  protocol: string;
  /** Set where the literature's selection rule was computed too. */
  optimisticAccuracy?: number;
  dataset: {
    kind: string;
    images: number;
    skipped: number;
    hash: string;
    classes: readonly string[];
    counts: readonly number[];
  };
  metrics: {
    count: number;
    correct: number;
    accuracy: number;
    accuracyInterval: { low: number; high: number };
    balancedAccuracy: number;
    macroPrecision: number;
    macroRecall: number;
    macroF1: number;
    kappa: number;
    logLoss: number;
    brier: number;
    calibrationError: number;
    calibration: readonly { confidence: number; accuracy: number; count: number }[];
    perClass: readonly {
      name: string;
      support: number;
      precision: number;
      recall: number;
      recallInterval: { low: number; high: number };
      f1: number;
    }[];
    confusion: readonly (readonly number[])[];
    coverage: readonly { share: number; accuracy: number }[];
  };
  folds: readonly { name: string; train: number; test: number; correct: number; accuracy: number; seconds: number }[];
  curves: { stage1: readonly Curve[]; stage2: readonly Curve[]; trainingAccuracy: readonly Curve[] };
  /** Mask quality of the training images, over all folds. */
  masks: { reliability: readonly number[]; overlap: readonly number[]; replaced: number };
  mistakes: readonly ReportCrop[];
  doubtful: readonly ReportCrop[];
  problems: readonly { id: string; code: string; message: string }[];
  config: unknown;
  environment: Readonly<Record<string, unknown>>;
  seed: number;
  seconds: number;
  peakRssBytes: number;
  version: string;
  command: string;
}

const figure = (content: string, caption: string) =>
  content ? `<figure>${content}<figcaption>${caption}</figcaption></figure>` : "";

function cropFigure(
  { id, png, width, height, outlines, truth, predicted, probabilities, note }: ReportCrop,
  classes: readonly string[],
): string {
  const paths = outlines
    .map((polygon) => `<polygon points="${polygon.map(([x, y]) => `${x},${y}`).join(" ")}"/>`)
    .join("");
  const bars = probabilities
    ? `<div class="bars">${probabilities
        .map(
          (p, c) =>
            `<div class="row"><span>${escapeHtml(classes[c])}</span><b style="width:${(60 * p).toFixed(1)}px"></b><i>${Math.round(p * 100)}</i></div>`,
        )
        .join("")}</div>`
    : "";
  const verdict =
    truth === undefined
      ? ""
      : `<p><strong>${escapeHtml(truth)}</strong> read as <strong class="bad">${escapeHtml(predicted)}</strong></p>`;
  return `<div class="crop"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(id)}"><image href="data:image/png;base64,${png}" width="${width}" height="${height}"/><g class="outline">${paths}</g></svg>${verdict}${bars}<p class="id">${escapeHtml(id)}${note ? `<br>${escapeHtml(note)}` : ""}</p></div>`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `<table><thead><tr>${head.map((h) => `<th>${escapeHtml(h)}</th>`).join("")}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`)
    .join("")}</tbody></table>`;
}

const minutes = (seconds: number) => (seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`);

/** Renders the report. */
export function renderRunReport(data: RunReportData): string {
  const { metrics: m, dataset, folds, config } = data;
  const interval = `${percent(m.accuracyInterval.low)} to ${percent(m.accuracyInterval.high)}`;
  const optimistic =
    data.optimisticAccuracy === undefined
      ? ""
      : `<p class="warning"><strong>Optimistic, for comparison with the literature only: ${percent(data.optimisticAccuracy)}.</strong> The mean of the five best test epochs of every fold, as published code of this field computes it. It is chosen on test data and is no estimate of accuracy.</p>`;
  const sections = [
    `<header><p class="use">Research use only; not for diagnosis.</p><h1>${escapeHtml(data.title)}</h1>
<div class="headline"><div class="big">${percent(m.accuracy)}</div><div><p>accuracy, ${m.correct} of ${m.count} images; 95 % interval ${interval} (Wilson)</p><p>${escapeHtml(data.protocol)}</p></div></div>${optimistic}
<dl class="cards">${[
      ["balanced accuracy", percent(m.balancedAccuracy)],
      ["macro F1", m.macroF1.toFixed(3)],
      ["macro precision", percent(m.macroPrecision)],
      ["Cohen's κ", m.kappa.toFixed(3)],
      ["log-loss", m.logLoss.toFixed(3)],
      ["Brier score", m.brier.toFixed(3)],
      ["calibration error", m.calibrationError.toFixed(3)],
      ["time", minutes(data.seconds)],
      ["peak memory", `${(data.peakRssBytes / 1e9).toFixed(2)} GB`],
    ]
      .map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`)
      .join("")}</dl></header>`,
    `<section><h2>Which classes, which mistakes</h2><div class="grid2">${figure(confusionMatrix(m.confusion, dataset.classes), "Rows are the given labels, columns the predictions; shade and percentage are shares of the row.")}${figure(
      dotWhisker(
        m.perClass.map((c) => ({
          name: c.name,
          value: c.recall,
          low: c.recallInterval.low,
          high: c.recallInterval.high,
        })),
        "recall with 95 % interval",
      ),
      "Share of each class that was found.",
    )}</div>${table(
      ["class", "images", "precision", "recall", "F1"],
      m.perClass.map((c) => [c.name, c.support, percent(c.precision), percent(c.recall), c.f1.toFixed(3)]),
    )}</section>`,
    `<section><h2>Folds</h2><div class="grid2">${figure(
      dotWhisker(
        folds.map((f) => ({ name: `fold ${f.name}`, value: f.accuracy })),
        "accuracy on the fold",
        m.accuracy,
      ),
      "Each fold was tested once; the line is the accuracy over all images.",
    )}<div>${table(
      ["fold", "trained on", "tested on", "right", "accuracy", "time"],
      folds.map((f) => [f.name, f.train, f.test, f.correct, percent(f.accuracy), minutes(f.seconds)]),
    )}</div></div></section>`,
    `<section><h2>How sure it is</h2><div class="grid2">${figure(reliabilityDiagram(m.calibration), "Dots are ten bins of confidence, with their number of images; on the diagonal, confidence is deserved.")}${figure(coverageFigure(m.coverage), "Accuracy of the images that remain when the least sure are left to a person.")}</div></section>`,
    `<section><h2>Learning</h2><div class="grid3">${figure(learningCurves(data.curves.stage1, "stage 1 loss"), "Distillation, without labels. Thin: folds; bold: mean.")}${figure(learningCurves(data.curves.stage2, "stage 2 loss"), "Tuning, on training images only.")}${figure(learningCurves(data.curves.trainingAccuracy, "training accuracy"), "Accuracy on augmented training images. The test fold was not looked at while training.")}</div></section>`,
    `<section><h2>Mistakes, the surest first</h2><p>${data.mistakes.length} of ${m.count - m.correct} shown. The outline is the mask that stage 1 predicted.</p><div class="crops">${data.mistakes.map((c) => cropFigure(c, dataset.classes)).join("")}</div></section>`,
    `<section><h2>Masks</h2><div class="grid2">${figure(histogram(data.masks.reliability, "reliability of the pseudo-mask"), "Stage 0: stability under other settings times plausibility.")}${figure(histogram(data.masks.overlap, "IoU of stage 1's mask with the pseudo-mask"), `Stage 1 on its training images, all folds. The teacher replaced ${data.masks.replaced} pseudo-masks.`)}</div><h3>Least certain masks of test images</h3><div class="crops">${data.doubtful.map((c) => cropFigure(c, dataset.classes)).join("")}</div></section>`,
    `<section><h2>Data</h2><p>${escapeHtml(dataset.kind)}, ${dataset.images} images used, ${dataset.skipped} skipped. SHA-256 of the dataset: <code>${escapeHtml(dataset.hash)}</code></p>${table(
      ["class", "images"],
      dataset.classes.map((c, i) => [c, dataset.counts[i] ?? 0]),
    )}${
      data.problems.length
        ? `<h3>Skipped</h3>${table(
            ["image", "reason"],
            data.problems.map((p) => [p.id, `${p.message} [${p.code}]`]),
          )}`
        : ""
    }</section>`,
    `<section><h2>How to repeat this</h2><pre>${escapeHtml(data.command)}</pre><p>Seed ${data.seed}, Androscope ${escapeHtml(data.version)}. ${escapeHtml(
      Object.entries(data.environment)
        .map(([k, v]) => `${k}: ${v}`)
        .join("; "),
    )}.</p><details><summary>Full configuration</summary><pre>${escapeHtml(JSON.stringify(config, null, 2))}</pre></details></section>`,
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(data.title)}</title><style>${STYLE}</style></head><body><main>${sections.join("\n")}<footer>Androscope ${escapeHtml(data.version)}. Research use only; not for diagnosis.</footer></main></body></html>\n`;
}
