import type { Head } from "../../../src/server/api.ts";
import { MEASURES, measureOf, shownValue, unitOf } from "../numbers/measures.ts";
import { useSample } from "../state/sample.ts";

export function Measures({ head }: { head: Head }) {
  const { sample } = useSample();
  const { measures } = head;
  if (!measures) return <p className="soft">Not measured.</p>;
  return (
    <dl className="measures" aria-label="Morphometry">
      {MEASURES.map((kind) => (
        <div key={kind.key}>
          <dt>{kind.name}</dt>
          <dd>
            {shownValue(kind, measureOf(kind, measures, sample.umPerPx), sample.umPerPx)} {unitOf(kind, sample.umPerPx)}
          </dd>
        </div>
      ))}
      <div>
        <dt title="Overlap of the masks of the upright and the turned head">Agreement</dt>
        <dd>{head.agreement.toFixed(2)}</dd>
      </div>
      <div>
        <dt>Detector</dt>
        <dd>{head.score.toFixed(2)}</dd>
      </div>
    </dl>
  );
}
