import { memo } from "react";
import type { Head } from "../../../src/server/api.ts";
import { toScreen, type View } from "../geometry/view.ts";
import { shownClass } from "../review/values.ts";
import type { Heads } from "../state/heads.ts";
import { useSample } from "../state/sample.ts";

/** Screen pixels that a head must be long for its label to have room. */
const LABELLED = 34;

/** The outlines of an image's heads: colour and dashes by class, number and class's digit beside each. */
export function Outlines({ heads, view, current }: { heads: readonly Head[]; view: View; current: number | null }) {
  const { review, about, withModel } = useSample();
  const toneOf = (head: Head) => about.classes.indexOf(shownClass(head, withModel) ?? "");
  return (
    <>
      <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
        {heads.map((head) => (
          <Shape
            key={head.id}
            head={head}
            outline={review.heads.outlineOf(head)}
            tone={toneOf(head)}
            selected={head.id === current}
          />
        ))}
      </g>
      {heads.map((head) => {
        const reach = (head.measures?.lengthPx ?? 20) / 2;
        if (2 * reach * view.scale < LABELLED && head.id !== current) return null;
        const [x, y] = toScreen(view, [head.centre[0] + reach * 0.8, head.centre[1] - reach * 0.8]);
        const tone = toneOf(head);
        return (
          <text key={head.id} x={x} y={y} className={`head-label tone${tone}${head.id === current ? " selected" : ""}`}>
            {labelOf(head, tone)}
          </text>
        );
      })}
      {heads
        .filter(({ id }) => id === current)
        .map((head) => (
          <Axis key={head.id} head={head} view={view} />
        ))}
    </>
  );
}

/** The head's number, and what it is: a class's digit, ✕ left out, ✓ decided. */
function labelOf({ number, decision, state }: Head, tone: number): string {
  if (decision?.value.kind === "excluded") return `${number} ✕`;
  if (tone < 0) return state === "head" ? String(number) : `${number} ${state}`;
  return `${number} · ${tone + 1}${decision ? "✓" : ""}`;
}

const Shape = memo(function Shape({
  outline,
  tone,
  selected,
  head,
}: {
  head: Head;
  outline: ReturnType<Heads["outlineOf"]>;
  tone: number;
  selected: boolean;
}) {
  if (!outline) return null;
  const points = outline.map(([x, y]) => `${x},${y}`).join(" ");
  return (
    <g className={`tone${tone}${selected ? " selected" : ""}${head.state === "head" ? "" : " set-apart"}`}>
      <polygon className="casing" points={points} />
      <polygon className="line" points={points} />
    </g>
  );
});

function Axis({ head, view }: { head: Head; view: View }) {
  const half = (head.measures?.lengthPx ?? 0) / 2;
  if (half === 0) return null;
  const [cx, cy] = head.centre;
  const [ax, ay] = head.axis;
  const [x1, y1] = toScreen(view, [cx - ax * half, cy - ay * half]);
  const [x2, y2] = toScreen(view, [cx + ax * half * 1.3, cy + ay * half * 1.3]);
  return (
    <g className="axis">
      <line x1={x1} y1={y1} x2={x2} y2={y2} />
      <circle cx={x2} cy={y2} r={3} />
    </g>
  );
}
