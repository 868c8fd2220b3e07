import { useState } from "react";
import type { Reader, Sample } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { isProgress } from "../api/events.ts";
import { Link } from "../components/Link.tsx";
import { plural, timeInWords } from "../numbers/format.ts";
import { useAsked } from "../state/asked.ts";
import { go } from "../state/router.ts";
import { actOf } from "../state/session.ts";

/** All samples, and a new one. */
export function Samples({ reader }: { reader: Reader | undefined }) {
  const [archived, setArchived] = useState(false);
  const [search, setSearch] = useState("");
  const { value, failure } = useAsked(
    `samples ${archived}`,
    (signal) => ask("listSamples", { query: { archived: archived ? "true" : "false" } }, signal),
    (event) => !isProgress(event),
  );
  const wanted = search.toLowerCase();
  const shown = value?.samples.filter(({ name, note }) => `${name}\n${note}`.toLowerCase().includes(wanted));
  return (
    <div className="samples">
      <div className="bar">
        <h1>Samples</h1>
        <input
          type="search"
          aria-label="Search samples"
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <label className="check">
          <input type="checkbox" checked={archived} onChange={(event) => setArchived(event.target.checked)} />
          archived ones too
        </label>
        <Link to={{ view: "learning" }}>Learn from corrections</Link>
      </div>
      {reader && <NewSample reader={reader} />}
      {failure && (
        <p role="alert" className="trouble">
          {failure}
        </p>
      )}
      {value && value.samples.length === 0 && (
        <p className="empty">
          No sample yet. Give the first one a name above; then drop its photographs or crops into it.
        </p>
      )}
      {shown && value && value.samples.length > 0 && (
        <table className="list">
          <thead>
            <tr>
              <th>Sample</th>
              <th>Made</th>
              <th className="number">Images</th>
              <th className="number">Heads</th>
              <th className="number">Decided</th>
              <th>Readers</th>
              <th>µm per pixel</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((sample) => (
              <Row key={sample.id} sample={sample} />
            ))}
          </tbody>
        </table>
      )}
      {shown?.length === 0 && value!.samples.length > 0 && (
        <p className="empty">No sample has this in its name or note.</p>
      )}
    </div>
  );
}

function Row({ sample }: { sample: Sample }) {
  const { queued, running, done, failed } = sample.images;
  const waiting = queued + running;
  return (
    <tr className={sample.archived ? "archived" : ""}>
      <th scope="row">
        <Link to={{ view: sample.heads > 0 ? "heads" : "images", sample: sample.id }}>{sample.name}</Link>
        {sample.archived && <span className="tag">archived</span>}
        {sample.note && <span className="note">{sample.note.split("\n")[0]}</span>}
      </th>
      <td>{timeInWords(sample.created)}</td>
      <td className="number">
        {done + waiting + failed}
        {waiting > 0 && <span className="tag">{waiting} waiting</span>}
        {failed > 0 && <span className="tag trouble">{failed} failed</span>}
      </td>
      <td className="number">{sample.heads}</td>
      <td className="number">
        {sample.decided}
        {sample.heads > 0 && (
          <progress
            max={sample.heads}
            value={sample.decided}
            aria-label={`${plural(sample.decided, "head")} decided`}
          />
        )}
      </td>
      <td>
        {sample.readings.map(({ reader, role }) => `${reader.name}${role === "blind" ? " (blind)" : ""}`).join(", ")}
      </td>
      <td>
        {sample.umPerPx === null ? <span className="soft">not known</span> : Number(sample.umPerPx.toPrecision(4))}
      </td>
    </tr>
  );
}

function NewSample({ reader }: { reader: Reader }) {
  const [name, setName] = useState("");
  const [failure, setFailure] = useState("");
  const make = async () => {
    try {
      const sample = await ask("createSample", { body: { ...actOf(reader), name: name.trim() } });
      go({ view: "images", sample: sample.id });
    } catch (cause) {
      setFailure(inWords(cause));
    }
  };
  return (
    <form
      className="line"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) void make();
      }}
    >
      <label>
        New sample
        <input
          value={name}
          maxLength={200}
          placeholder="Name or number; no patient's name"
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <button type="submit" className="main" disabled={!name.trim()}>
        Create
      </button>
      {failure && (
        <span role="alert" className="trouble">
          {failure}
        </span>
      )}
    </form>
  );
}
