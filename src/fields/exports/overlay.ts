/** The outlines and numbers of what was found, drawn on the photograph. */
import sharp from "sharp";
import type { Image } from "../../imaging/index.ts";
import { classOf, isCounted } from "../counts.ts";
import type { FoundHead, Outline } from "../head.ts";
import { colourOf, GREY } from "./colours.ts";
import { boundingBox } from "./polygon.ts";

export interface OverlayOptions {
  /** JPEG is a tenth of PNG for a photograph, and blurs thin lines a little. Default: png. */
  readonly format?: "png" | "jpeg";
  /** Numbers of the heads that a person took out of the count. */
  readonly excluded?: ReadonlySet<number>;
}

/**
 * Counted heads have a full line in their class's colour, excluded ones a dashed one; what is refused has a dashed grey
 * line, what is cut a dotted grey one. The lines have a light rim, so that they are seen on any stain.
 */
export async function overlay(
  { width, height, data }: Image,
  heads: readonly FoundHead[],
  { format = "png", excluded }: OverlayOptions = {},
): Promise<Uint8Array> {
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  const drawing = Buffer.from(overlaySvg(width, height, heads, excluded));
  // The drawing is ours: librsvg's guard against large ones is for those of others.
  const drawn = picture.composite([{ input: drawing, unlimited: true, limitInputPixels: false }]);
  return format === "png" ? drawn.png({ compressionLevel: 6 }).toBuffer() : drawn.jpeg({ quality: 90 }).toBuffer();
}

export function overlaySvg(
  width: number,
  height: number,
  heads: readonly FoundHead[],
  excluded?: ReadonlySet<number>,
): string {
  const sides = heads.map(({ outline }) => Math.max(...boundingBox(outline).slice(2))).sort((a, b) => a - b);
  const typical = sides[sides.length >> 1] ?? 40;
  // In pixels of the photograph: thin beside a head, and still a line where heads are small.
  const line = Math.min(5, Math.max(1.2, typical / 32));
  const shapes = heads.map((head) => {
    const rgb = (isCounted(head, excluded) ? colourOf(classOf(head)) : colourOfUncounted(head)).rgb.join(",");
    const dash =
      head.state === "cut"
        ? ` stroke-dasharray="0.1 ${two(2.4 * line)}"`
        : isCounted(head, excluded)
          ? ""
          : ` stroke-dasharray="${two(3.5 * line)} ${two(3 * line)}"`;
    const label = numberAt(head, Math.max(9, typical / 4), width, height);
    const path = pathOf(head.outline);
    return [
      `<g stroke="#fff" stroke-opacity="0.75" stroke-width="${two(2.1 * line)}"><path d="${path}"/>${label(2.1 * line)}</g>`,
      `<g stroke="rgb(${rgb})" stroke-width="${two(line)}"><path d="${path}"${dash}/>${label(line)}</g>`,
    ].join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><g fill="none" stroke-linejoin="round" stroke-linecap="round">${shapes.join("")}</g></svg>`;
}

/** A head that a person excluded keeps its class's colour. */
const colourOfUncounted = (head: FoundHead) => (head.state === "head" ? colourOf(classOf(head)) : GREY);

const two = (value: number) => String(Math.round(value * 100) / 100);

const pathOf = (outline: Outline) =>
  outline.length === 0 ? "" : `M${outline.map(([x, y]) => `${two(x)} ${two(y)}`).join("L")}Z`;

/** Digits as strokes in a box of 2 × 4: a server may have no font. */
const DIGITS = [
  "M0 0H2V4H0Z",
  "M0.2 1L1.2 0V4",
  "M0 0H2V2H0V4H2",
  "M0 0H2V4H0M0.4 2H2",
  "M0 0V2H2M2 0V4",
  "M2 0H0V2H2V4H0",
  "M2 0H0V4H2V2H0",
  "M0 0H2L0.8 4",
  "M0 0H2V4H0ZM0 2H2",
  "M2 2H0V0H2V4H0",
];

/** The head's number above its outline, or below where there is no room, always inside the picture. */
function numberAt({ number, outline, centre }: FoundHead, size: number, width: number, height: number) {
  const digits = [...String(number)];
  const scale = size / 4;
  const across = (3 * digits.length - 1) * scale;
  const [left, top, wide, high] = outline.length > 0 ? boundingBox(outline) : [...centre, 0, 0];
  const gap = 0.4 * size;
  const inside = (value: number, most: number) => Math.min(Math.max(value, gap / 2), Math.max(gap / 2, most - gap / 2));
  const x = inside(left + wide / 2 - across / 2, width - across);
  const above = top - size - gap;
  const y = inside(above >= gap / 2 ? above : top + high + gap, height - size);
  return (line: number) =>
    digits
      .map(
        (digit, i) =>
          `<path transform="translate(${two(x + 3 * scale * i)} ${two(y)}) scale(${two(scale)})" stroke-width="${two(line / scale)}" d="${DIGITS[Number(digit)]}"/>`,
      )
      .join("");
}
