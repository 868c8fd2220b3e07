/** Drawing an outline, corner by corner or in one stroke, by pointer or by keys alone. */
import { useState } from "react";
import type { Head, ImageRecord } from "../../../src/server/api.ts";
import { useKeys } from "../components/shortcuts.ts";
import type { PointerPlan } from "../components/Viewer.tsx";
import { circle, distance, distanceToSegment, grow, type Point, plainer, shift, within } from "../geometry/outline.ts";
import { toScreen, type View } from "../geometry/view.ts";
import { say } from "../state/announce.ts";
import type { Review } from "../state/review.ts";

/** Screen pixels within which a press takes a corner. */
const REACH = 10;

interface State {
  /** Undefined: a new head. */
  head: number | undefined;
  points: readonly Point[];
  corner: number;
  /** Arrows move all corners. */
  whole: boolean;
  tracing: boolean;
  /** What it began with. */
  first: readonly Point[];
}

export function useOutlineEditor(
  review: Review,
  image: ImageRecord | undefined,
  head: Head | undefined,
  middle: () => Point,
) {
  const [state, setState] = useState<State | undefined>(undefined);
  const [saving, setSaving] = useState(false);
  const set = (some: Partial<State>) => setState((now) => now && { ...now, ...some });
  const begin = (of: number | undefined, points: readonly Point[]) => {
    setState({ head: of, points, first: points, corner: 0, whole: of === undefined, tracing: false });
    say(of === undefined ? "A new head: arrows move it." : "The outline can be changed. Enter saves it.");
  };
  const { points = [], corner = 0, whole = false, tracing = false } = state ?? {};
  const place = (next: readonly Point[]) => image && set({ points: within(next, image.width, image.height) });
  const move = (dx: number, dy: number) =>
    place(
      whole ? shift(points, dx, dy) : points.map((point, i) => (i === corner ? [point[0] + dx, point[1] + dy] : point)),
    );
  const turn = (by: number) =>
    points.length > 0 && set({ corner: (corner + by + points.length) % points.length, whole: false });
  const insert = () => {
    const [[ax, ay], [bx, by]] = [points[corner]!, points[(corner + 1) % points.length]!];
    set({ points: points.toSpliced(corner + 1, 0, [(ax + bx) / 2, (ay + by) / 2]), corner: corner + 1, whole: false });
  };
  const remove = () => {
    if (points.length > 3) set({ points: points.toSpliced(corner, 1), corner: corner % (points.length - 1) });
  };
  const cancel = () => {
    setState(undefined);
    say("The outline is as it was.");
  };
  const finish = async (outline: [number, number][] | null) => {
    if (!state || !image || saving) return;
    setSaving(true);
    if (await review.draw(image.id, state.head, outline)) setState(undefined);
    setSaving(false);
  };
  const save = () => {
    // An outline that nobody touched stays the analysis's own.
    if (state?.head !== undefined && points === state.first) cancel();
    else if (image && points.length >= 3) void finish(within(points, image.width, image.height));
  };
  const original = () => {
    if (state?.head !== undefined) void finish(null);
  };
  const trace = () => set({ tracing: !tracing });

  const step = (dx: number, dy: number) => () => move(dx, dy);
  useKeys(
    {
      ...{ Tab: () => turn(1), "Shift+Tab": () => turn(-1), "]": () => turn(1), "[": () => turn(-1) },
      ...{ ArrowLeft: step(-1, 0), ArrowRight: step(1, 0), ArrowUp: step(0, -1), ArrowDown: step(0, 1) },
      ...{ "Shift+ArrowLeft": step(-5, 0), "Shift+ArrowRight": step(5, 0) },
      ...{ "Shift+ArrowUp": step(0, -5), "Shift+ArrowDown": step(0, 5) },
      ...{ "+": () => place(grow(points, 1)), "=": () => place(grow(points, 1)), "-": () => place(grow(points, -1)) },
      ...{ w: () => set({ whole: !whole }), i: insert, Delete: remove, d: trace },
      ...{ Backspace: original, Enter: save, Escape: cancel },
    },
    state !== undefined,
  );

  /** What the pointer holds: a corner, or a stroke. */
  const plan: PointerPlan = {
    down(point, event) {
      if (tracing) {
        set({ points: [point] });
        return true;
      }
      const scale = scaleOf(event.currentTarget as HTMLElement);
      const near = points.findIndex((one) => distance(one, point) * scale < REACH);
      if (near >= 0) {
        set({ corner: near, whole: false });
        return true;
      }
      // A press on a side puts a corner there.
      const side = points.findIndex(
        (one, i) => distanceToSegment(point, one, points[(i + 1) % points.length]!) * scale < REACH / 2,
      );
      if (side < 0) return false;
      set({ points: points.toSpliced(side + 1, 0, point), corner: side + 1, whole: false });
      return true;
    },
    move(point) {
      if (tracing) setState((now) => now && { ...now, points: [...now.points, point] });
      else setState((now) => now && { ...now, points: now.points.map((one, i) => (i === now.corner ? point : one)) });
    },
    up() {
      setState((now) => {
        if (!now || !image || now.points === now.first) return now;
        const points = now.tracing ? plainer(now.points, false) : now.points;
        return { ...now, points: within(points, image.width, image.height), tracing: false };
      });
    },
  };

  return {
    open: state !== undefined,
    isNew: state?.head === undefined,
    ...{ points, corner, whole, tracing, plan, save, cancel, original, trace },
    fix() {
      const outline = head && review.heads.outlineOf(head);
      if (head && outline) begin(head.id, plainer(outline, head.outlineBy === "model"));
      else say("The outline is still being loaded.");
    },
    add() {
      if (!image) return;
      const lengths = review.heads.all().flatMap(({ measures }) => measures?.lengthPx ?? []);
      const radius = (lengths.sort((a, b) => a - b)[lengths.length >> 1] ?? image.width / 8) / 2.4;
      begin(undefined, within(circle(middle(), radius), image.width, image.height));
    },
  };
}

/** Screen pixels per pixel of the image, as the stage beside the overlay is drawn. */
function scaleOf(viewer: HTMLElement): number {
  const stage = viewer.querySelector(".stage");
  return stage ? new DOMMatrix(getComputedStyle(stage).transform).a : 1;
}

type Editor = ReturnType<typeof useOutlineEditor>;

export function OutlineEditor({ editor: { points, corner, whole, tracing }, view }: { editor: Editor; view: View }) {
  const shown = points.map((point) => toScreen(view, point));
  const text = shown.map(([x, y]) => `${x},${y}`).join(" ");
  return (
    <g className="editor">
      {tracing ? (
        <>
          <polyline className="casing" points={text} />
          <polyline className="line" points={text} />
        </>
      ) : (
        <>
          <polygon className="casing" points={text} />
          <polygon className="line" points={text} />
        </>
      )}
      {!tracing &&
        shown.map(([x, y], i) => (
          <circle
            // biome-ignore lint/suspicious/noArrayIndexKey: a corner is its place in the outline
            key={i}
            cx={x}
            cy={y}
            r={i === corner && !whole ? 6 : 4}
            className={whole || i === corner ? "held" : ""}
          />
        ))}
    </g>
  );
}
