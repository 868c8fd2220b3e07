import { useEffect, useRef, useState } from "react";
import type { ImageRecord } from "../../../src/server/api.ts";
import { ServerImage } from "../components/ServerImage.tsx";
import { type PointerPlan, Viewer } from "../components/Viewer.tsx";
import { distance, type Point } from "../geometry/outline.ts";
import { type Size, toScreen } from "../geometry/view.ts";

/** An image of the server, or a file of this computer that goes nowhere. */
export interface MicrometerPicture {
  name: string;
  size: Size;
  image?: ImageRecord;
  bitmap?: ImageBitmap;
}

type Ends = readonly [Point, Point];

/** A line to lay over a known length: by pointer, or an end at a time by arrows (Shift: ten pixels). */
export function MicrometerLine({
  picture,
  ends,
  onEnds,
}: {
  picture: MicrometerPicture;
  ends: Ends;
  onEnds: (ends: Ends) => void;
}) {
  const [held, setHeld] = useState<0 | 1>(0);
  const put = (end: 0 | 1, point: Point) => onEnds(end === 0 ? [point, ends[1]] : [ends[0], point]);
  const plan: PointerPlan = {
    down(point, event) {
      const end = distance(point, ends[0]) <= distance(point, ends[1]) ? 0 : 1;
      // With Shift the picture is moved.
      if (event.shiftKey) return false;
      setHeld(end);
      put(end, point);
      return true;
    },
    move: (point) => put(held, point),
    up: () => {},
  };
  return (
    <>
      <Viewer
        size={picture.size}
        label={`${picture.name}: drag the ends of the line; with Shift, the picture`}
        keys={false}
        plan={plan}
        picture={(scale) =>
          picture.image ? <ServerImage image={picture.image} scale={scale} /> : <Bitmap bitmap={picture.bitmap!} />
        }
        overlay={(view) => {
          const [[x1, y1], [x2, y2]] = [toScreen(view, ends[0]), toScreen(view, ends[1])];
          return (
            <g className="editor">
              <line className="casing" x1={x1} y1={y1} x2={x2} y2={y2} />
              <line className="line" x1={x1} y1={y1} x2={x2} y2={y2} />
              <circle cx={x1} cy={y1} r={6} className={held === 0 ? "held" : ""} />
              <circle cx={x2} cy={y2} r={6} className={held === 1 ? "held" : ""} />
            </g>
          );
        }}
      />
      <div className="line" role="group" aria-label="Ends of the line">
        {([0, 1] as const).map((end) => (
          <button
            key={end}
            type="button"
            aria-pressed={held === end}
            onFocus={() => setHeld(end)}
            onClick={() => setHeld(end)}
            onKeyDown={(event) => {
              const step = STEPS[event.key];
              if (!step) return;
              event.preventDefault();
              const by = event.shiftKey ? 10 : 1;
              put(end, [ends[end][0] + by * step[0], ends[end][1] + by * step[1]]);
            }}
          >
            End {end + 1}: {ends[end][0].toFixed(0)}, {ends[end][1].toFixed(0)}
          </button>
        ))}
        <output>{distance(...ends).toFixed(1)} px</output>
        <span className="soft">arrows move the end that has the focus</span>
      </div>
    </>
  );
}

const STEPS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function Bitmap({ bitmap }: { bitmap: ImageBitmap }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current!.getContext("2d")!.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return <canvas ref={canvas} width={bitmap.width} height={bitmap.height} />;
}
