/** Helpers of the figures: scales and axes. Colours come from the page, so that both themes work. */
import { escapeHtml } from "../html.ts";

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The right margin holds half of the last tick's text. */
export const FRAME: Frame = { width: 420, height: 280, left: 58, right: 24, top: 12, bottom: 46 };

/** A drawing with its name for those who do not see it; `title` also shows on hovering. */
export function svg({ width, height }: { width: number; height: number }, title: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${content}</svg>`;
}

export function linear(domain: readonly [number, number], range: readonly [number, number]): (value: number) => number {
  const span = domain[1] - domain[0] || 1;
  return (value) => range[0] + ((value - domain[0]) / span) * (range[1] - range[0]);
}

/** About `count` round numbers within a domain. */
export function ticks([low, high]: readonly [number, number], count = 5): number[] {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * (1 - 1e-9)) ?? raw;
  const first = Math.ceil(low / step - 1e-9) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) =>
    Number((first + i * step).toPrecision(10)),
  );
}

export interface Axis {
  domain: readonly [number, number];
  label: string;
  format?: (v: number) => string;
  /** At least this between ticks: 1 for counts. */
  least?: number;
}

/** The share axes of most figures. */
export const share = (v: number) => `${Math.round(v * 100)} %`;

const axisTicks = ({ domain, least = 0 }: Axis) =>
  ticks(domain).filter((v) => least === 0 || Math.abs(v / least - Math.round(v / least)) < 1e-9);

export function axes({ x, y, frame = FRAME }: { x: Axis; y: Axis; frame?: Frame }) {
  const { width, height, left, right, top, bottom } = frame;
  const sx = linear(x.domain, [left, width - right]);
  const sy = linear(y.domain, [height - bottom, top]);
  const lines = [
    ...axisTicks(y).map(
      (v) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${fixed(sy(v))}" y2="${fixed(sy(v))}"/><text class="tick" x="${left - 6}" y="${fixed(sy(v) + 4)}" text-anchor="end">${escapeHtml((y.format ?? String)(v))}</text>`,
    ),
    ...axisTicks(x).map(
      (v) =>
        `<line class="grid" x1="${fixed(sx(v))}" x2="${fixed(sx(v))}" y1="${height - bottom}" y2="${height - bottom + 4}"/><text class="tick" x="${fixed(sx(v))}" y="${height - bottom + 17}" text-anchor="middle">${escapeHtml((x.format ?? String)(v))}</text>`,
    ),
    `<text class="axis" x="${(left + width - right) / 2}" y="${height - 7}" text-anchor="middle">${escapeHtml(x.label)}</text>`,
    `<text class="axis" transform="translate(13 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`,
  ];
  return { sx, sy, markup: lines.join("") };
}

/** A coordinate, short. */
export const fixed = (value: number) => String(Number(value.toFixed(1)));

const pointList = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y]) => `${fixed(x)},${fixed(y)}`).join(" ");

/** @param title shown on hovering */
export function polyline(points: readonly (readonly [number, number])[], className: string, title?: string): string {
  const open = `<polyline class="${className}" points="${pointList(points)}"`;
  return title === undefined ? `${open}/>` : `${open}><title>${escapeHtml(title)}</title></polyline>`;
}

export function polygon(points: readonly (readonly [number, number])[], className: string): string {
  return `<polygon class="${className}" points="${pointList(points)}"/>`;
}
