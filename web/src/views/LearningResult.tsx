import { useState } from "react";
import { verdictOf } from "../../../src/evaluation/metrics.ts";
import type { ChangedHead, Learning, Reader } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { percent, plural, timeInWords } from "../numbers/format.ts";
import { useAsked } from "../state/asked.ts";

type Result = NonNullable<Learning["result"]>;

/** One learning that has ended: how the old and the new model do on heads that neither learned from, and the choice. */
export function LearningResult({
  learning,
  reader,
  classes,
  inUse,
  first,
  onUse,
}: {
  learning: Learning;
  reader: Reader;
  classes: readonly string[];
  /** Its model judges now. */
  inUse: boolean;
  /** The newest: shown opened. */
  first: boolean;
  onUse: () => void;
}) {
  const { result, error, model, stoppedBy, finished } = learning;
  const [open, setOpen] = useState(first);
  /** What the old model was compared with. */
  const other = model === null ? "original" : "new";
  return (
    <details className="card" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {timeInWords(learning.begun)}, {learning.reader.name}, from{" "}
        {learning.samples.map(({ name }) => name).join(", ")}
        {inUse && <span className="tag">in use</span>}
        {error && <span className="tag trouble">not finished</span>}
      </summary>
      {learning.hidden && (
        <p>You read one of these samples blind: the result is shown when you have decided its heads.</p>
      )}
      {error && (
        <p className="trouble">
          {stoppedBy && finished ? `${stoppedBy.name} stopped it, ${timeInWords(finished)}.` : error.message}
        </p>
      )}
      {result && (
        <>
          <Verdict result={result} other={other} />
          {model === null && (
            <p>
              Nothing better than the original model was found in what was learned from, so there is no new one. More
              corrected heads, of more images, may change that.
            </p>
          )}
          <ByClass result={result} classes={classes} other={other} />
          {open && <Changed learning={learning} reader={reader} classes={classes} other={other} />}
          {model !== null && !inUse && (
            <p className="line">
              <button type="button" className={result.comparison.interval.low > 0 ? "main" : ""} onClick={onUse}>
                Use this model from now on
              </button>
              <span className="soft">
                What was analysed before can then be judged again, sample by sample; decided heads stay as they were
                read.
              </span>
            </p>
          )}
        </>
      )}
    </details>
  );
}

function Verdict({ result: { comparison, comparisons, learned }, other }: { result: Result; other: string }) {
  const { heads, images, correct, interval, mended, spoilt } = comparison;
  const gain = (correct.after - correct.before) / heads;
  return (
    <p>
      Learned from {plural(learned.heads, "head")} of {plural(learned.images, "image")}. Of {plural(heads, "head")} in{" "}
      {plural(images, "other image")}, which no learning here ever saw, the old model gives{" "}
      <strong>
        {correct.before} ({percent(correct.before / heads)})
      </strong>{" "}
      the readers' class, the {other} one{" "}
      <strong>
        {correct.after} ({percent(correct.after / heads)})
      </strong>
      : {points(gain)} points, 95 % interval {points(interval.low)} to {points(interval.high)}; {mended} mended,{" "}
      {spoilt} spoilt. <strong>{verdictOf(interval, other)}</strong>{" "}
      {comparisons < 2
        ? "It is the only comparison on these images so far."
        : `These images have served ${comparisons} comparisons by now: the figure of a model that is chosen as the best of several on the same images is too hopeful.`}
    </p>
  );
}

const points = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;

const BAR = 220;

/** Share of each class's heads that each model finds, as bars: hollow the old model, filled the new one. */
function ByClass({ result, classes, other }: { result: Result; classes: readonly string[]; other: string }) {
  const rows = result.comparison.classes.filter(({ heads }) => heads > 0);
  return (
    <table className="figures recalls">
      <caption>Heads of each class that the models find: hollow the old one, filled the {other} one</caption>
      <tbody>
        {rows.map(({ name, heads, before, after }) => (
          <tr key={name}>
            <th scope="row">
              <ClassMark name={name} classes={classes} />
            </th>
            <td>
              <svg width={BAR + 2} height={22} aria-hidden="true" className={`c${classes.indexOf(name) % 8}`}>
                <rect className="old" x={1} y={1} width={(BAR * before) / heads} height={8} />
                <rect className="new" x={1} y={12} width={(BAR * after) / heads} height={9} />
              </svg>
            </td>
            <td>
              {before} → {after} of {heads}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const KINDS = {
  mended: (other: string) => `Right with the ${other} model only`,
  spoilt: () => "Right with the old model only",
  other: () => "Wrong with both, otherwise",
} as const;

const kindOf = ({ label, before, after }: ChangedHead): keyof typeof KINDS =>
  after === label ? "mended" : before === label ? "spoilt" : "other";

/** The compared heads on which the models differ, as pictures. */
function Changed({
  learning,
  reader,
  classes,
  other,
}: {
  learning: Learning;
  reader: Reader;
  classes: readonly string[];
  other: string;
}) {
  const { value, failure } = useAsked(`learning ${learning.id} ${reader.id}`, (signal) =>
    ask("getLearning", { params: { learning: learning.id }, query: { reader: reader.id } }, signal),
  );
  if (failure) return <p className="trouble">{failure}</p>;
  if (!value) return null;
  const byKind = Map.groupBy(value.changed, kindOf);
  return (Object.keys(KINDS) as (keyof typeof KINDS)[]).map((kind) => {
    const heads = byKind.get(kind) ?? [];
    if (heads.length === 0) return null;
    return (
      <section key={kind}>
        <h2>
          {KINDS[kind](other)} ({heads.length})
        </h2>
        <ul className="changed-heads">
          {heads.map(({ head, before, after, label }) => (
            <li key={head.id}>
              <HeadPicture head={head} size={84} tone={-1} />
              <span>
                readers <ClassMark name={label} classes={classes} />
              </span>
              <span>
                old <ClassMark name={before} classes={classes} />
              </span>
              <span>
                {other} <ClassMark name={after} classes={classes} />
              </span>
            </li>
          ))}
        </ul>
      </section>
    );
  });
}
