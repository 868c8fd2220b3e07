import type { Estimate } from "../data.ts";
import { fixed, linear } from "./svg.ts";

export const WHISKER = { width: 130, height: 22, left: 6, right: 6 };

export interface WhiskerOptions {
  /** A value to compare with, drawn dashed. */
  reference?: number;
  width?: number;
}

/**
 * A dot on its 95 % interval, as a cell of a table: all of one column share the scale 0 to 100 %. Hidden from screen
 * readers, since the figures stand beside it as text.
 */
export function dotWhisker(
  { value, low, high }: Estimate,
  { reference, width = WHISKER.width }: WhiskerOptions = {},
): string {
  const { height, left, right } = WHISKER;
  const x = linear([0, 1], [left, width - right]);
  const middle = height / 2;
  const vertical = (className: string, v: number) =>
    `<line class="${className}" x1="${fixed(x(v))}" x2="${fixed(x(v))}" y1="1" y2="${height - 1}"/>`;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((v) => vertical("grid", v)).join("");
  const dashed = reference === undefined ? "" : vertical("mean", reference);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="whiskers" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-hidden="true">${grid}${dashed}<line class="whisker" x1="${fixed(x(low))}" x2="${fixed(x(high))}" y1="${middle}" y2="${middle}"/><circle class="dot" cx="${fixed(x(value))}" cy="${middle}" r="4.5"/></svg>`;
}
