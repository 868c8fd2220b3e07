import {
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Point } from "../geometry/outline.ts";
import { fitted, reveal, type Size, toImage, type View, zoom } from "../geometry/view.ts";
import { useKeys } from "./shortcuts.ts";

export interface ViewerControl {
  /** Brings a point of the image into view. */
  reveal(point: Point): void;
  /** Where the frame's middle is in the image. */
  middle(): [number, number];
}

/** What the overlay may do with the pointer. Points are of the image. */
export interface PointerPlan {
  /** True: the overlay takes this press; otherwise it moves the picture. */
  down(point: Point, event: PointerEvent): boolean;
  move(point: Point): void;
  up(point: Point): void;
}

interface Props {
  size: Size;
  /** The picture, drawn `size` large; told how many screen pixels one of its pixels takes. */
  picture: (scale: number) => ReactNode;
  /** In coordinates of the screen; the view tells where the image lies. */
  overlay: (view: View) => ReactNode;
  plan?: PointerPlan;
  control?: RefObject<ViewerControl | null>;
  keys?: boolean;
  label: string;
}

const STEP = 1.25;

/** A picture to go near to and to move about in, by wheel, pointer and keys. */
export function Viewer({ size, picture, overlay, plan, control, keys = true, label }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<View>({ scale: 1, x: 0, y: 0 });
  const taken = useRef<"overlay" | "picture" | undefined>(undefined);
  const before = useRef<Point>([0, 0]);

  useLayoutEffect(() => {
    const measure = () => setFrame({ width: element.current!.clientWidth, height: element.current!.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    measure();
    return () => observer.disconnect();
  }, []);

  const whole = useCallback(() => setView(fitted(size, frame)), [size, frame]);
  useLayoutEffect(() => {
    if (frame.width > 0) whole();
  }, [frame, whole]);

  const near = useCallback(
    (factor: number, at?: Point) =>
      setView((now) => zoom(now, factor, at ?? [frame.width / 2, frame.height / 2], size, frame)),
    [size, frame],
  );

  useEffect(() => {
    const target = element.current!;
    // React listens passively, which could not keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = target.getBoundingClientRect();
      near(1.0015 ** -event.deltaY, [event.clientX - box.left, event.clientY - box.top]);
    };
    target.addEventListener("wheel", wheel, { passive: false });
    return () => target.removeEventListener("wheel", wheel);
  }, [near]);

  useImperativeHandle(
    control,
    () => ({
      reveal: (point) =>
        setView((now) => (frame.width > 0 ? reveal(now, point, frame, Math.min(80, frame.width / 4)) : now)),
      middle: () => toImage(view, [frame.width / 2, frame.height / 2]),
    }),
    [frame, view],
  );

  const pan = (x: number, y: number) => () => setView((now) => ({ ...now, x: now.x + x, y: now.y + y }));
  useKeys(
    {
      "+": () => near(STEP),
      "=": () => near(STEP),
      "-": () => near(1 / STEP),
      0: whole,
      "Shift+ArrowLeft": pan(60, 0),
      "Shift+ArrowRight": pan(-60, 0),
      "Shift+ArrowUp": pan(0, 60),
      "Shift+ArrowDown": pan(0, -60),
    },
    keys,
  );

  const at = (event: PointerEvent): Point => {
    const box = element.current!.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  return (
    <div
      ref={element}
      className="viewer"
      role="application"
      aria-label={label}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        before.current = at(event);
        taken.current = plan?.down(toImage(view, before.current), event) ? "overlay" : "picture";
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (!taken.current) return;
        const [x, y] = at(event);
        if (taken.current === "overlay") plan?.move(toImage(view, [x, y]));
        else pan(x - before.current[0], y - before.current[1])();
        before.current = [x, y];
      }}
      onPointerUp={(event) => {
        if (taken.current === "overlay") plan?.up(toImage(view, at(event)));
        taken.current = undefined;
      }}
      onPointerCancel={() => {
        taken.current = undefined;
      }}
    >
      <div className="stage" style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}>
        {picture(view.scale)}
      </div>
      <svg className="overlay" width={frame.width} height={frame.height} aria-hidden="true">
        {overlay(view)}
      </svg>
      <div className="zoom" role="group" aria-label="Zoom">
        <button type="button" onClick={() => near(STEP)} aria-label="Nearer" title="Nearer (+)">
          +
        </button>
        <button type="button" onClick={() => near(1 / STEP)} aria-label="Farther" title="Farther (−)">
          −
        </button>
        <button type="button" onClick={whole} title="Whole picture (0)">
          Whole
        </button>
        <output>{Math.round(100 * view.scale)} %</output>
      </div>
    </div>
  );
}
