import { type FormEvent, useState } from "react";
import type { Reading } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { plural, timeInWords } from "../numbers/format.ts";
import { say } from "../state/announce.ts";
import { useSample } from "../state/sample.ts";
import { actOf, session } from "../state/session.ts";
import { useStore } from "../state/store.ts";
import { Calibrate } from "./Calibrate.tsx";
import { Models } from "./Models.tsx";

/** Name and note, calibration, models and readers of the sample. */
export function SampleSettings() {
  const { opinions } = useSample();
  return (
    <aside className="panel" aria-label="Sample">
      <About />
      <Calibration />
      {opinions.value && <Models opinions={opinions.value} />}
      <Readings />
    </aside>
  );
}

/** Does an act, says what came of it and loads the sample again. */
function useAct(): [(what: string, act: () => Promise<unknown>) => Promise<void>, string] {
  const { reload } = useSample();
  const [failure, setFailure] = useState("");
  const perform = async (what: string, act: () => Promise<unknown>) => {
    setFailure("");
    try {
      await act();
      say(what);
      reload();
    } catch (cause) {
      setFailure(inWords(cause));
    }
  };
  return [perform, failure];
}

function About() {
  const { sample, reader } = useSample();
  const [name, setName] = useState(sample.name);
  const [note, setNote] = useState(sample.note);
  const [perform, failure] = useAct();
  const params = { sample: sample.id };
  const isChanged = name.trim() !== sample.name || note !== sample.note;
  const save = (event: FormEvent) => {
    event.preventDefault();
    const body = { ...actOf(reader), name: name.trim(), note };
    if (isChanged && name.trim()) void perform("Name and note are saved.", () => ask("changeSample", { params, body }));
  };
  const archive = () => {
    const body = { ...actOf(reader), archived: !sample.archived };
    void perform(sample.archived ? "Taken out of the archive." : "Archived.", () =>
      ask("changeSample", { params, body }),
    );
  };
  return (
    <form onSubmit={save}>
      <label>
        Name
        <input value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
      </label>
      <label>
        Note
        <textarea rows={3} value={note} maxLength={4000} onChange={(event) => setNote(event.target.value)} />
      </label>
      <div className="line">
        <button type="submit" disabled={!isChanged || !name.trim()}>
          Save
        </button>
        <button type="button" className="quiet" onClick={archive}>
          {sample.archived ? "Take out of the archive" : "Archive"}
        </button>
      </div>
      {failure && (
        <p role="alert" className="trouble">
          {failure}
        </p>
      )}
    </form>
  );
}

function Calibration() {
  const { sample } = useSample();
  const [open, setOpen] = useState(false);
  const { umPerPx, calibration } = sample;
  return (
    <section>
      <h2>Calibration</h2>
      <p>
        {umPerPx === null ? "Not known: lengths are in pixels." : `${Number(umPerPx.toPrecision(5))} µm per pixel`}
        {calibration && umPerPx !== null && (
          <span className="soft">
            {" "}
            ({calibration.method}, {calibration.reader.name}, {timeInWords(calibration.at)})
          </span>
        )}
      </p>
      <button type="button" onClick={() => setOpen(true)}>
        Calibrate …
      </button>
      {open && <Calibrate onClose={() => setOpen(false)} />}
    </section>
  );
}

function Readings() {
  const { sample, reader } = useSample();
  const open = useStore(session);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Reading["role"]>("blind");
  const [perform, failure] = useAct();
  const assign = (event: FormEvent) => {
    event.preventDefault();
    const who = name.trim();
    if (!who) return;
    void perform(`${who} reads ${role === "blind" ? "blind" : "openly"}.`, async () => {
      const assigned = await ask("createReader", { body: { name: who } });
      const body = { ...actOf(reader), assigned: assigned.id, role };
      await ask("assignReading", { params: { sample: sample.id }, body });
      setName("");
    });
  };
  return (
    <section>
      <h2>Readers</h2>
      {sample.readings.length === 0 && <p className="soft">Nobody has read it yet.</p>}
      <ul className="readings">
        {sample.readings.map(({ reader: { id, name: who }, role: as, decided, changedAfterReveal, lastAt }) => (
          <li key={id}>
            <strong>{who}</strong> {as === "blind" && <span className="tag">blind</span>} {decided} of{" "}
            {plural(sample.heads, "head")}
            {lastAt && <span className="soft">, last {timeInWords(lastAt)}</span>}
            {changedAfterReveal > 0 && (
              <span className="soft">, {changedAfterReveal} changed after seeing others'</span>
            )}
          </li>
        ))}
      </ul>
      <form onSubmit={assign}>
        <label>
          Put it to
          <input
            value={name}
            maxLength={80}
            list="known-readers"
            placeholder="Reader"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <datalist id="known-readers">
          {open.state === "open" && open.readers.map((one) => <option key={one.id} value={one.name} />)}
        </datalist>
        <div className="line">
          <label className="check">
            <input type="radio" name="role" checked={role === "blind"} onChange={() => setRole("blind")} />
            blind
          </label>
          <label className="check">
            <input type="radio" name="role" checked={role === "open"} onChange={() => setRole("open")} />
            openly
          </label>
          <button type="submit" disabled={!name.trim()}>
            Assign
          </button>
        </div>
        <p className="soft">
          Blind: sees nobody else's decision on a head before deciding it, nor the model's unless asked for.
        </p>
        {failure && (
          <p role="alert" className="trouble">
            {failure}
          </p>
        )}
      </form>
    </section>
  );
}
