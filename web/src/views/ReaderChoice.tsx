import { useState } from "react";
import type { Reader } from "../../../src/server/api.ts";
import { inWords } from "../api/client.ts";
import { Dialog } from "../components/Dialog.tsx";
import { readAs } from "../state/session.ts";

/** Who reads: a name, as on a form. There are no accounts. */
export function ReaderChoice({
  readers,
  reader,
  onClose,
}: {
  readers: readonly Reader[];
  reader: Reader | undefined;
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  const [failure, setFailure] = useState("");
  const read = async (who: string) => {
    try {
      await readAs(who);
      onClose();
    } catch (cause) {
      setFailure(inWords(cause));
    }
  };
  return (
    <Dialog title="Who reads?" onClose={onClose}>
      <p className="soft">Every decision is kept under a reader's name. There is no password.</p>
      {readers.length > 0 && (
        <ul className="readers">
          {readers.map((one) => (
            <li key={one.id}>
              <button type="button" aria-pressed={one.id === reader?.id} onClick={() => void read(one.name)}>
                {one.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        className="line"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) void read(name.trim());
        }}
      >
        <label>
          {readers.length > 0 ? "Somebody else" : "Name"}
          <input value={name} maxLength={80} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit" className="main" disabled={!name.trim()}>
          Read
        </button>
      </form>
      {failure && (
        <p role="alert" className="trouble">
          {failure}
        </p>
      )}
    </Dialog>
  );
}
