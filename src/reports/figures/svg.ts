/** Helpers of the figures: escaped text, scales, axes. Colours come from the page, so that both themes work. */

export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export const FRAME: Frame = { width: 460, height: 300, left: 52, right: 14, top: 14, bottom: 44 };

export function svg({ width, height }: { width: number; height: number }, title: string, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}"><title>${escapeHtml(title)}</title>${content}</svg>`;
}

export function linear(domain: readonly [number, number], range: readonly [number, number]): (value: number) => number {
  const span = domain[1] - domain[0] || 1;
  return (value) => range[0] + ((value - domain[0]) / span) * (range[1] - range[0]);
}

/** About `count` round numbers within a domain. */
export function ticks([low, high]: readonly [number, number], count = 5): number[] {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
  const first = Math.ceil(low / step - 1e-9) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) =>
    Number((first + i * step).toPrecision(10)),
  );
}

export interface AxesOptions {
  x: { domain: readonly [number, number]; label: string; format?: (v: number) => string };
  y: { domain: readonly [number, number]; label: string; format?: (v: number) => string };
  frame?: Frame;
}

export function axes({ x, y, frame = FRAME }: AxesOptions) {
  const { width, height, left, right, top, bottom } = frame;
  const sx = linear(x.domain, [left, width - right]);
  const sy = linear(y.domain, [height - bottom, top]);
  const text = (v: number) => String(v);
  const lines = [
    ...ticks(y.domain).map(
      (v) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${sy(v).toFixed(1)}" y2="${sy(v).toFixed(1)}"/><text class="tick" x="${left - 6}" y="${(sy(v) + 4).toFixed(1)}" text-anchor="end">${escapeHtml((y.format ?? text)(v))}</text>`,
    ),
    ...ticks(x.domain).map(
      (v) =>
        `<text class="tick" x="${sx(v).toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle">${escapeHtml((x.format ?? text)(v))}</text>`,
    ),
    `<text class="axis" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(x.label)}</text>`,
    `<text class="axis" transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`,
  ];
  return { sx, sy, markup: lines.join("") };
}

export function polyline(points: readonly (readonly [number, number])[], className: string): string {
  return `<polyline class="${className}" points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}"/>`;
}

export const percent = (value: number, digits = 1) => `${(100 * value).toFixed(digits)} %`;
