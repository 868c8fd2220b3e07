import type { Head } from "../../../src/server/api.ts";
import { urlOf } from "../api/routes.ts";
import type { Heads } from "../state/heads.ts";

/** Addresses of pictures that were asked for ahead of their place on the page, the oldest first. */
const asked = new Map<string, Promise<void>>();
const MOST_ASKED = 500;

/** Done when a head's picture can be drawn at once, or cannot be had. */
export function pictureReady({ thumbnail: { key } }: Head): Promise<void> {
  const address = urlOf("thumbnail", { params: { key } });
  let ready = asked.get(address);
  if (!ready) {
    const picture = new Image();
    picture.src = address;
    ready = picture.decode().catch(() => {});
    asked.set(address, ready);
    if (asked.size > MOST_ASKED) asked.delete(asked.keys().next().value!);
  }
  return ready;
}

/** A head's square of its image with its outline and its axis towards the tail. Watches nothing: give it a new head. */
export function HeadPicture({
  head,
  heads,
  size,
  tone,
  outlines = true,
  axis = false,
}: {
  head: Head;
  /** Where outlines are known; none are drawn without. */
  heads?: Heads;
  /** Pixels on the screen. */
  size: number;
  /** Place of the class whose colour and dashes the outline has; −1: none. */
  tone: number;
  outlines?: boolean;
  axis?: boolean;
}) {
  const { key, x, y, side } = head.thumbnail;
  const outline = outlines ? heads?.plainOutlineOf(head) : undefined;
  const place = ([px, py]: readonly [number, number]) => `${round(px - x)},${round(py - y)}`;
  const points = outline?.map(place).join(" ");
  const half = (head.measures?.lengthPx ?? 0) / 2;
  // A pixel of the screen. Strokes that do not scale (vector-effect) would be as good, but are slow to paint by thousands.
  const unit = side / size;
  const [cx, cy] = [head.centre[0] - x, head.centre[1] - y];
  return (
    <span className="head-picture">
      <img
        src={urlOf("thumbnail", { params: { key } })}
        width={size}
        height={size}
        alt=""
        decoding="async"
        draggable={false}
      />
      {points && (
        <svg viewBox={`0 0 ${side} ${side}`} width={size} height={size} aria-hidden="true" className={`tone${tone}`}>
          <polygon className="thin-casing" points={points} strokeWidth={2.8 * unit} />
          <polygon className="thin-line" points={points} strokeWidth={1.4 * unit} />
          {axis && half > 0 && (
            <g className="axis">
              <line
                x1={cx - head.axis[0] * half}
                y1={cy - head.axis[1] * half}
                x2={cx + head.axis[0] * (half + side / 16)}
                y2={cy + head.axis[1] * (half + side / 16)}
              />
              <circle
                cx={cx + head.axis[0] * (half + side / 16)}
                cy={cy + head.axis[1] * (half + side / 16)}
                r={side / 64}
              />
            </g>
          )}
        </svg>
      )}
    </span>
  );
}

const round = (value: number) => Math.round(value * 10) / 10;
