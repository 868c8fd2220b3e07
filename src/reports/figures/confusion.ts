import { escapeHtml, percent, svg } from "./svg.ts";

/** Counts, with the share of the true class as the shade. */
export function confusionMatrix(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const cell = 74;
  const [left, top] = [110, 64];
  const size = { width: left + cell * classes.length + 10, height: top + cell * classes.length + 10 };
  const cells = confusion.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0) || 1;
    return row.map((count, j) => {
      const share = count / total;
      const [x, y] = [left + j * cell, top + i * cell];
      return `<rect class="${i === j ? "right" : "wrong"}" fill-opacity="${(0.06 + 0.84 * share).toFixed(3)}" x="${x}" y="${y}" width="${cell - 2}" height="${cell - 2}"/><text class="count${share > 0.55 ? " on" : ""}" x="${x + cell / 2}" y="${y + cell / 2}" text-anchor="middle">${count}</text><text class="tick${share > 0.55 ? " on" : ""}" x="${x + cell / 2}" y="${y + cell / 2 + 18}" text-anchor="middle">${percent(share, 0)}</text>`;
    });
  });
  const names = classes.flatMap((name, i) => [
    `<text class="tick" x="${left - 8}" y="${top + i * cell + cell / 2 + 4}" text-anchor="end">${escapeHtml(name)}</text>`,
    `<text class="tick" x="${left + i * cell + cell / 2}" y="${top - 8}" text-anchor="middle">${escapeHtml(name)}</text>`,
  ]);
  const titles = `<text class="axis" x="${left + (cell * classes.length) / 2}" y="18" text-anchor="middle">predicted</text><text class="axis" transform="translate(14 ${top + (cell * classes.length) / 2}) rotate(-90)" text-anchor="middle">true</text>`;
  return svg(size, "Confusion matrix", cells.join("") + names.join("") + titles);
}
