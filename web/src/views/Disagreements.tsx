import { useState } from "react";
import type { Disagreement, Value } from "../../../src/server/api.ts";
import { ask, inWords, newId } from "../api/client.ts";
import { DecisionMark } from "../components/DecisionMark.tsx";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { type Keys, useKeys } from "../components/shortcuts.ts";
import { timeInWords } from "../numbers/format.ts";
import { className, EXCLUSIONS, excluded, ofClass, sameValue, valueInWords } from "../review/values.ts";
import { complain, say } from "../state/announce.ts";
import { useAsked } from "../state/asked.ts";
import { go } from "../state/router.ts";
import { useSample } from "../state/sample.ts";
import { Measures } from "./Measures.tsx";

type Which = "open" | "settled" | "all";
const WHICH: Record<Which, string> = { open: "To settle", settled: "Settled", all: "All" };

/** Heads on which readers differ, one after the other. */
export function Disagreements() {
  const { sample, reader, review } = useSample();
  const [which, setWhich] = useState<Which>("open");
  const [chosen, setChosen] = useState<number | undefined>();
  const { value, failure, reload } = useAsked(
    `disagreements ${sample.id} ${reader.id} ${which}`,
    (signal) =>
      ask("disagreements", { params: { sample: sample.id }, query: { reader: reader.id, state: which } }, signal),
    (event) => event.type === "review" && event.sample === sample.id,
  );
  const list = value?.disagreements ?? [];
  const at = Math.max(
    0,
    list.findIndex(({ head }) => head.id === chosen),
  );
  const one = list[at];
  const move = (by: number) => setChosen(list[Math.min(list.length - 1, Math.max(0, at + by))]?.head.id);
  const settle = async (to: Value | null, reason: string) => {
    if (!one) return;
    const next = list[at + 1] ?? list[at - 1];
    try {
      const body = { id: newId(), reader: reader.id, head: one.head.id, value: to, reason };
      const { head } = await ask("settle", { body });
      review.heads.put(head);
      say(`${review.labelOf(head)} ${to ? `is settled: ${className(valueInWords(to))}.` : "is open again."}`);
      if (which === "open") setChosen(next?.head.id);
      reload();
    } catch (cause) {
      complain(inWords(cause));
    }
  };
  useKeys({
    n: () => move(1),
    p: () => move(-1),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    u: () => void review.undo().then(reload),
    "Ctrl+z": () => void review.undo().then(reload),
    Enter: () => {
      if (!one) return;
      review.take(one.head.id);
      go({ view: "picture", sample: sample.id, image: one.head.image });
    },
  });
  return (
    <div className="disagreements">
      <section className="heads" aria-label="Disagreements">
        <div className="filters" role="group" aria-label="Which">
          {(Object.entries(WHICH) as [Which, string][]).map(([name, text]) => (
            <button key={name} type="button" aria-pressed={which === name} onClick={() => setWhich(name)}>
              {text}
            </button>
          ))}
          <span className="soft">{value && `${list.length}`}</span>
        </div>
        {failure && (
          <p role="alert" className="empty trouble">
            {failure}
          </p>
        )}
        {value && list.length === 0 && (
          <p className="empty">
            {which === "open" ? "No head on which readers differ waits to be settled." : "None."}{" "}
            {sample.readings.length < 2 && "It takes two readers: assign a second one under Images."}
          </p>
        )}
        <ul className="queue">
          {list.map((entry, i) => (
            <Entry key={entry.head.id} entry={entry} selected={i === at} onChoose={() => setChosen(entry.head.id)} />
          ))}
        </ul>
      </section>
      {one && <Settle key={one.head.id} entry={one} onSettle={settle} />}
    </div>
  );
}

function Entry({ entry, selected, onChoose }: { entry: Disagreement; selected: boolean; onChoose: () => void }) {
  const { review, about } = useSample();
  const { head, decisions, consensus } = entry;
  return (
    <li>
      <button type="button" aria-current={selected ? "true" : undefined} onClick={onChoose}>
        <HeadPicture head={head} heads={review.heads} size={56} tone={-1} />
        <span className="file-name">{review.labelOf(head)}</span>
        <span className="both">
          {decisions.map((decision) => (
            <span key={decision.reader.id}>
              {decision.reader.name}: <DecisionMark value={decision.value} classes={about.classes} />
            </span>
          ))}
        </span>
        {consensus && (
          <span className="both">
            settled: <DecisionMark value={consensus.value} classes={about.classes} />
          </span>
        )}
      </button>
    </li>
  );
}

function Settle({
  entry,
  onSettle,
}: {
  entry: Disagreement;
  onSettle: (value: Value | null, reason: string) => Promise<void>;
}) {
  const { review, about, withModel } = useSample();
  const { head, decisions, consensus } = entry;
  const [reason, setReason] = useState("");
  const [excluding, setExcluding] = useState(false);
  const settle = (value: Value | null) => void onSettle(value, reason.trim());
  const keys: Record<string, Keys[string]> = {
    x: () => setExcluding(true),
    Delete: () => settle(null),
    r: () => document.getElementById("reason")?.focus(),
  };
  const choices: readonly { name: string; value: Value }[] = excluding
    ? EXCLUSIONS.map(({ why, name }) => ({ name, value: excluded(why) }))
    : about.classes.map((name) => ({ name: className(name), value: ofClass(name) }));
  for (const [i, { value }] of choices.slice(0, 9).entries()) keys[String(i + 1)] = () => settle(value);
  useKeys(keys);
  useKeys({ Escape: () => setExcluding(false) }, excluding);
  return (
    <aside className="panel" aria-label={review.labelOf(head)}>
      <div className="picture">
        <HeadPicture head={head} heads={review.heads} size={248} tone={-1} axis />
      </div>
      <p className="where">
        <strong>{review.labelOf(head)}</strong>
        {withModel && head.modelClass && <span className="soft"> model: {className(head.modelClass)}</span>}
      </p>
      {decisions.map(({ reader, value, reason: why, at }) => (
        <p key={reader.id} className="reading">
          <strong>{reader.name}</strong> <DecisionMark value={value} classes={about.classes} />
          <span className="soft"> {timeInWords(at)}</span> {why && <q>{why}</q>}
        </p>
      ))}
      {consensus && (
        <p className="reading">
          <strong>Settled</strong> <DecisionMark value={consensus.value} classes={about.classes} /> by{" "}
          {consensus.reader.name}
          <span className="soft"> {timeInWords(consensus.at)}</span> {consensus.reason && <q>{consensus.reason}</q>}
        </p>
      )}
      <div className="class-keys" role="group" aria-label={excluding ? "Left out because" : "Settle as"}>
        <h2>{excluding ? "Left out because" : "Settle as"}</h2>
        {choices.map(({ name, value }, i) => (
          <button
            key={name}
            type="button"
            className={`class-key ${excluding ? "out" : `c${i % 8}`}`}
            aria-pressed={sameValue(consensus?.value, value)}
            onClick={() => settle(value)}
          >
            <span className="digit">{i + 1}</span>
            <span className="class-name">{name}</span>
          </button>
        ))}
        <button
          type="button"
          className="class-key out"
          aria-pressed={excluding}
          onClick={() => setExcluding(!excluding)}
        >
          <span className="digit">X</span>
          <span className="class-name">{excluding ? "Back to the classes (Esc)" : "Exclude …"}</span>
        </button>
        {consensus && (
          <button type="button" className="class-key" onClick={() => settle(null)}>
            <span className="digit">⌫</span>
            <span className="class-name">Open again (Delete)</span>
          </button>
        )}
        <input
          id="reason"
          aria-label="Reason"
          placeholder="Reason (R)"
          value={reason}
          maxLength={1000}
          onChange={(event) => setReason(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
          }}
        />
      </div>
      <Measures head={head} />
    </aside>
  );
}
