import type { Head } from "../../../src/server/api.ts";
import { MEASURES, type MeasureKind, measureOf, shownValue, unitOf } from "../numbers/measures.ts";
import { histogram } from "./histogram.ts";
import { type Basis, classIn } from "./tally.ts";

const [WIDTH, HEIGHT] = [210, 78];

/** How the measures of the heads that have a class are spread. */
export function Histograms({
  heads,
  basis,
  umPerPx,
}: {
  heads: readonly Head[];
  basis: Basis;
  umPerPx: number | null;
}) {
  const measured = heads.flatMap((head) => (head.measures && classIn(head, basis) !== null ? [head.measures] : []));
  if (measured.length === 0) return null;
  return (
    <section>
      <h2>Morphometry</h2>
      <p className="soft">
        {measured.length} heads with a class ({basis === "final" ? "readers' final" : "model's"}). Below each: median
        and quartiles.
      </p>
      <div className="histograms">
        {MEASURES.map((kind) => (
          <Spread
            key={kind.key}
            kind={kind}
            values={measured.map((one) => measureOf(kind, one, umPerPx))}
            umPerPx={umPerPx}
          />
        ))}
      </div>
    </section>
  );
}

function Spread({ kind, values, umPerPx }: { kind: MeasureKind; values: readonly number[]; umPerPx: number | null }) {
  const found = histogram(values, kind.digits === 0 ? 1 : 0);
  if (!found) return null;
  const { edges, counts, quartiles } = found;
  const [low, high, most] = [edges[0]!, edges.at(-1)!, Math.max(...counts)];
  const x = (value: number) => ((value - low) / (high - low)) * WIDTH;
  const shown = (value: number) => shownValue(kind, value, umPerPx);
  const unit = unitOf(kind, umPerPx);
  const [q1, median, q3] = quartiles;
  return (
    <figure>
      <figcaption>
        {kind.name} {unit && <span className="soft">{unit}</span>}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 14}`}
        width={WIDTH}
        height={HEIGHT + 14}
        role="img"
        aria-label={`${kind.name}: median ${shown(median)} ${unit}, quartiles ${shown(q1)} and ${shown(q3)}`}
      >
        {counts.map((count, i) => {
          const height = (count / most) * (HEIGHT - 4);
          return (
            <rect
              key={edges[i]}
              x={x(edges[i]!) + 0.5}
              width={Math.max(0.5, WIDTH / counts.length - 1)}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
        <line className="ground" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <line className="median" x1={x(median)} x2={x(median)} y1="0" y2={HEIGHT} />
        <text x="0" y={HEIGHT + 12}>
          {shown(low)}
        </text>
        <text x={WIDTH} y={HEIGHT + 12} textAnchor="end">
          {shown(high)}
        </text>
      </svg>
      <p>
        {shown(median)}{" "}
        <span className="soft">
          ({shown(q1)} to {shown(q3)})
        </span>
      </p>
    </figure>
  );
}
