import { useState } from "react";
import type { Decision, Head, LogRow } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { DecisionMark } from "../components/DecisionMark.tsx";
import { percent, timeInWords } from "../numbers/format.ts";
import { modelInWords } from "../review/models.ts";
import { className, valueInWords } from "../review/values.ts";
import { useAsked } from "../state/asked.ts";
import { useSample } from "../state/sample.ts";

/** What others decided, as far as it may be seen, and everything that was done with the head. */
export function HeadHistory({ head }: { head: Head }) {
  const { about, blind } = useSample();
  const [shown, setShown] = useState(!blind);
  if (head.hidden) return <p className="soft">You read blind: others' decisions appear once you have decided.</p>;
  const others: [string, Decision][] = head.others.map((decision) => [decision.reader.name, decision]);
  if (head.consensus) others.push([`Consensus (${head.consensus.reader.name})`, head.consensus]);
  return (
    <div className="history">
      {!shown && others.length > 0 && (
        <button type="button" className="quiet" onClick={() => setShown(true)}>
          Show what others decided
        </button>
      )}
      {shown &&
        others.map(([who, { value, reason, seq }]) => (
          <p key={`${who} ${seq}`}>
            {who}: <DecisionMark value={value} classes={about.classes} /> {reason && <q>{reason}</q>}
          </p>
        ))}
      {head.decision?.reason && (
        <p>
          My reason: <q>{head.decision.reason}</q>
        </p>
      )}
      {shown && <Log head={head} />}
    </div>
  );
}

function Log({ head }: { head: Head }) {
  const { withModel } = useSample();
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>History</summary>
      {open && <Rows head={head} />}
      {open && withModel && <Opinions head={head} />}
    </details>
  );
}

function Rows({ head }: { head: Head }) {
  const { reader } = useSample();
  const { value, failure } = useAsked(
    `log ${head.id} ${head.decision?.seq} ${head.outlineBy} ${head.measures?.areaPx}`,
    (signal) => ask("headLog", { params: { head: head.id }, query: { reader: reader.id } }, signal),
  );
  if (failure) return <p className="trouble">{failure}</p>;
  if (!value) return <p className="soft">Loading …</p>;
  if (value.rows.length === 0) return <p className="soft">Nothing was done with it yet.</p>;
  return (
    <ol className="log">
      {value.rows.map((row) => (
        <li key={row.seq}>
          <time dateTime={row.at}>{timeInWords(row.at)}</time> {row.reader?.name}: {actInWords(row)}
          {row.reason && <q>{row.reason}</q>}
        </li>
      ))}
    </ol>
  );
}

/** What models said of the head, where it was judged more than once. */
function Opinions({ head }: { head: Head }) {
  const { about, reader } = useSample();
  const { value } = useAsked(`opinions on ${head.id} ${head.judgedBy} ${head.probabilities}`, (signal) =>
    ask("headOpinions", { params: { head: head.id }, query: { reader: reader.id } }, signal),
  );
  if (!value || value.opinions.length < 2) return null;
  return (
    <>
      <h3>What models said</h3>
      <ol className="log">
        {value.opinions.map(({ analyser, judging, at, modelClass, probabilities, state }) => (
          <li key={judging ?? 0}>
            <time dateTime={at}>{timeInWords(at)}</time> {modelInWords(analyser)}:{" "}
            {modelClass === null ? state : <ClassMark name={modelClass} classes={about.classes} />}{" "}
            {modelClass !== null && <span className="number">{percent(Math.max(...probabilities))}</span>}
          </li>
        ))}
      </ol>
    </>
  );
}

function actInWords({ action, new: to, undoes }: LogRow): string {
  const value = to as Decision["value"] | null;
  const what = {
    decide: () => className(valueInWords(value)),
    consensus: () => `settled: ${className(valueInWords(value))}`,
    outline: () => (to === null ? "the analysis's own outline" : "outline drawn"),
    "add-head": () => (to === null ? "head taken out" : "head added"),
  }[action as string];
  return `${undoes === null ? "" : "taken back → "}${what ? what() : action} `;
}
