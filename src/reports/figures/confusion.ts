/** A table rather than a drawing: it can be read aloud and copied, and names of any length fit. */
import { escapeHtml, percent, scrolling } from "../html.ts";

/** Counts with their share of the row; the share is the shade, and the right answers are framed. */
export function confusionMatrix(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const steep = classes.length > 4 || classes.some((name) => name.length > 12);
  const predicted = classes.map((_, j) => confusion.reduce((sum, row) => sum + row[j]!, 0));
  const head = classes.map((name) => `<th scope="col"><span>${escapeHtml(name)}</span></th>`).join("");
  const rows = confusion.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map((count, j) => {
      const share = total ? count / total : 0;
      const kind = i === j ? "right" : "wrong";
      return `<td class="${kind}" style="--share:${share.toFixed(3)}"><b>${count}</b><small>${percent(share, 0)}</small></td>`;
    });
    return `<tr><th scope="row"><span>${escapeHtml(classes[i])}</span></th>${cells.join("")}<td class="sum">${total}</td></tr>`;
  });
  const sums = predicted.map((n) => `<td class="sum">${n}</td>`).join("");
  const all = predicted.reduce((a, b) => a + b, 0);
  return scrolling(
    "Confusion matrix",
    `<table class="confusion${steep ? " steep" : ""}"><thead><tr><td rowspan="2" class="corner">given label</td><th scope="colgroup" colspan="${classes.length}" class="over">predicted</th><td rowspan="2" class="sum">images</td></tr><tr>${head}</tr></thead><tbody>${rows.join("")}<tr><th scope="row" class="sum">images</th>${sums}<td class="sum">${all}</td></tr></tbody></table>`,
  );
}
