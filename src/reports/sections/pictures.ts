/** Crops with outlines, and the sections made of them. */
import type { Outlines, ReportCrop, RunReportData } from "../data.ts";
import { histogram } from "../figures/histogram.ts";
import { escapeHtml, figure, median, percent, plural, section } from "../html.ts";

/** So many probabilities are shown; the rest would fill a screen where there are ten classes. */
const SHOWN_CLASSES = 4;

/** Drawn twice, dark below bright, so that it shows on every ground. */
function outline(polygons: Outlines, className: string): string {
  const shapes = polygons.map((p) => `<polygon points="${p.map(([x, y]) => `${x},${y}`).join(" ")}"/>`).join("");
  return shapes ? `<g class="casing">${shapes}</g><g class="${className}">${shapes}</g>` : "";
}

function probabilityBars(probabilities: readonly number[], classes: readonly string[], truth?: string): string {
  const ranked = probabilities.map((p, c) => ({ p, name: classes[c]! })).sort((a, b) => b.p - a.p);
  const shown = ranked.filter(({ name }, i) => i < SHOWN_CLASSES || name === truth);
  const rows = shown.map(
    ({ p, name }) =>
      `<li><span>${escapeHtml(name)}</span><span class="track"><span style="width:${(100 * p).toFixed(1)}%"></span></span><span>${Math.round(100 * p)}</span></li>`,
  );
  return `<ul class="bars" aria-label="probabilities in percent">${rows.join("")}</ul>`;
}

/**
 * The part of a crop that is shown: a square about the head, twice its length, so that its shape can be judged. The
 * head is the largest outline; without one, the whole crop.
 */
export function viewOf({ width, height, outlines, pseudoOutlines = [] }: ReportCrop): [number, number, number, number] {
  const boxes = [...outlines, ...pseudoOutlines].map((polygon) => {
    const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
    return { x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys) };
  });
  const lengthOf = ({ x0, x1, y0, y1 }: (typeof boxes)[number]) => Math.max(x1 - x0, y1 - y0);
  const box = boxes.sort((a, b) => lengthOf(b) - lengthOf(a))[0];
  if (!box) return [0, 0, width, height];
  const [w, h] = [width, height].map((full) => Math.min(full, Math.max(2 * lengthOf(box), 32))) as [number, number];
  const within = (centre: number, part: number, full: number) =>
    Math.max(0, Math.min(full - part, Math.round(centre - part / 2)));
  return [within((box.x0 + box.x1) / 2, w, width), within((box.y0 + box.y1) / 2, h, height), w, h];
}

/** One crop, with what was given and predicted where that is known. */
export function cropFigure(crop: ReportCrop, classes: readonly string[]): string {
  const { id, picture, width, height, truth, predicted, probabilities, fold } = crop;
  const certainty = probabilities ? Math.max(...probabilities) : undefined;
  const [word, other] = crop.likely === undefined ? ["predicted", predicted] : ["likely", crop.likely];
  const verdict =
    truth === undefined
      ? ""
      : `<dl><dt>given</dt><dd>${escapeHtml(truth)}</dd><dt>${word}</dt><dd class="bad">${escapeHtml(other)}${certainty === undefined ? "" : `, ${percent(certainty, 0)}`}</dd></dl>`;
  const label = [`Crop ${id} with the outline of its mask`, truth && `given ${truth}, ${word} ${other}`]
    .filter(Boolean)
    .join(": ");
  const notes = [...(fold === undefined ? [] : [`fold ${fold}`]), ...(crop.notes ?? [])];
  return `<li class="crop"><svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewOf(crop).join(" ")}" role="img" aria-label="${escapeHtml(label)}"><image href="${escapeHtml(picture)}" width="${width}" height="${height}" preserveAspectRatio="none"/>${outline(crop.pseudoOutlines ?? [], "pseudo")}${outline(crop.outlines, "outline")}</svg>${verdict}${probabilities ? probabilityBars(probabilities, classes, truth) : ""}<p class="id">${[id, ...notes].map(escapeHtml).join("<br/>")}</p></li>`;
}

const gallery = (crops: readonly ReportCrop[], classes: readonly string[]) =>
  `<ul class="crops">${crops.map((c) => cropFigure(c, classes)).join("")}</ul>`;

export function mistakesSection({ mistakes, metrics, dataset }: RunReportData): string {
  const wrong = metrics.count - metrics.correct;
  return section(
    "mistakes",
    "Worst mistakes",
    wrong === 0
      ? "<p>None: every image was classified as labelled.</p>"
      : `<p>The ${mistakes.length === wrong ? plural(wrong, "mistake") : `${mistakes.length} most confident of ${plural(wrong, "mistake")}`}, the most confident first. How to read: the solid outline is the mask that stage 1 predicted, bars are the probabilities in percent; where the outline misses the head look at the mask, where it fits ask whether experts would agree on the label. Pictures show twice the length of the head.</p>${gallery(mistakes, dataset.classes)}`,
  );
}

export function labelsSection({ labels, dataset }: RunReportData): string {
  if (!labels) return "";
  const { count, doubted, crops } = labels;
  return section(
    "labels",
    "Labels to look at again",
    doubted === 0
      ? `<p>None: of ${plural(count, "training image")} every label is what the heads that look alike suggest.</p>`
      : `<p>${crops.length === doubted ? `The ${plural(doubted, "label")}` : `The ${crops.length} least believed of ${plural(doubted, "label")}`} of ${count} that the heads which look alike to stage 1 speak against, the least believed first. How to read: every image was weighed against the others without its own label; bars are what it is likely to be, in percent, its label included. Such a label may be wrong, or the head an unusual one of its class: an expert should look. labels.csv has all of them.</p>${gallery(crops, dataset.classes)}`,
  );
}

export function masksSection({ masks, doubtful, dataset, protocol }: RunReportData): string {
  const middle = (values: readonly number[]) => (values.length ? median(values) : undefined);
  const told = (values: readonly number[]) => (values.length ? ` Median ${median(values).toFixed(3)}, dashed.` : "");
  const figures = `<div class="grid2">${figure(
    "Reliability of the pseudo-masks",
    histogram(masks.reliability, "reliability of the pseudo-mask", { mark: middle(masks.reliability) }),
    `How to read: stage 0 rates each pseudo-mask from 0 to 1 by how little it changes under other settings and how plausible it is as a head; stage 1 trusts it that much.${told(masks.reliability)} ${masks.rejected ? `${plural(masks.rejected, "was", "were")} found implausible, rated 0 and taught nothing.` : "None was found implausible."}`,
  )}${figure(
    "Overlap with the pseudo-masks",
    histogram(masks.testOverlap, "IoU of stage 1's mask with the pseudo-mask", { mark: middle(masks.testOverlap) }),
    `How to read: how far the mask that stage 1 predicts on test images${protocol.transductive ? "" : ", which it never saw,"} covers the same pixels as the pseudo-mask; 1 is the same mask, and low values are failures of one of the two.${told(masks.testOverlap)} On training images the median is ${masks.trainingOverlap.toFixed(3)}; the teacher replaced ${masks.replaced} of ${masks.taught} pseudo-masks, all folds together.`,
  )}</div>`;
  const pictures = doubtful.length
    ? `<h3>Least reliable masks of test images</h3><p>How to read: the solid outline is stage 1's mask, the dotted one stage 0's pseudo-mask; agreement is the overlap of stage 1's masks of the crop and of the crop upside down.</p>${gallery(doubtful, dataset.classes)}`
    : "";
  return section("masks", "Masks", figures + pictures);
}
