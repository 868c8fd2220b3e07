/** Pieces of HTML that the sections share. All of it is well-formed XML too, which a test relies on. */

/** Text for content or a quoted attribute; control characters, which no document may hold, become spaces. */
export function escapeHtml(text: unknown): string {
  return String(text)
    .replace(/\p{Cc}/gu, (c) => (c === "\n" || c === "\t" ? c : " "))
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\uFFFE\uFFFF]/g, "\uFFFD")
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A share as text. Its space does not break. */
export const percent = (value: number, digits = 1) => `${(100 * value).toFixed(digits)}\u00a0%`;

/** A difference of shares as text. */
export const points = (value: number) => `${(100 * value).toFixed(1)}\u00a0percentage points`;

/** A share's interval as text. */
export const interval = ({ low, high }: { low: number; high: number }, digits = 1) =>
  `${(100 * low).toFixed(digits)} to ${percent(high, digits)}`;

/** Middle value; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

/** "1 fold", "5 folds". */
export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** A section with an address of its own. */
export function section(id: string, title: string, content: string): string {
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>${content}</section>`;
}

/** A figure under its name, with a sentence on how to read it. @param reading HTML */
export function figure(title: string, content: string, reading: string): string {
  return content ? `<figure><h3>${escapeHtml(title)}</h3>${content}<figcaption>${reading}</figcaption></figure>` : "";
}

/** What may be wider than a narrow screen scrolls by itself. */
export function scrolling(label: string, content: string): string {
  return `<div class="scroll" role="region" aria-label="${escapeHtml(label)}" tabindex="0">${content}</div>`;
}

export interface Column {
  name: string;
  /** Numbers stand at the right. */
  number?: boolean;
  /** Names may be long: they break anywhere rather than push the table wide. */
  long?: boolean;
}

/** Content that is HTML already. */
export interface Html {
  html: string;
}

/** A table whose first column names its rows. */
export function table(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | number | Html)[])[],
): string {
  const kind = ({ number, long }: Column) => (number ? ' class="number"' : long ? ' class="long"' : "");
  const head = columns.map((c) => `<th scope="col"${kind(c)}>${escapeHtml(c.name)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const content = typeof cell === "object" ? cell.html : escapeHtml(cell);
      return i === 0
        ? `<th scope="row"${kind(columns[i]!)}>${content}</th>`
        : `<td${kind(columns[i]!)}>${content}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return scrolling(label, `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`);
}

/** Names and values side by side. */
export function cards(entries: readonly (readonly [name: string, value: string, note?: string])[]): string {
  const card = ([name, value, note]: (typeof entries)[number]) =>
    `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}${note ? `<small>${escapeHtml(note)}</small>` : ""}</dd></div>`;
  return `<dl class="cards">${entries.map(card).join("")}</dl>`;
}
