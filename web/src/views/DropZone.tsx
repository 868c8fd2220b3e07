import { type DragEvent, useRef, useState } from "react";
import type { ImageKind } from "../../../src/server/api.ts";
import { inWords } from "../api/client.ts";
import { inParts, upload } from "../api/upload.ts";
import { percent, plural } from "../numbers/format.ts";
import { say } from "../state/announce.ts";
import { useSample } from "../state/sample.ts";

const KINDS: Record<ImageKind, string> = { field: "Photographs of a smear", crop: "Crops of one head each" };
/** Files in one request: short enough for its line to come soon. */
const PART = 50;

interface Sent {
  files: number;
  of: number;
  share: number;
}

/** Where images are dropped or chosen. */
export function DropZone() {
  const { sample, about, review, reload } = useSample();
  const [kind, setKind] = useState<ImageKind>(about.kinds.includes("field") ? "field" : "crop");
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<Sent | undefined>();
  const [refused, setRefused] = useState<readonly string[]>([]);
  const input = useRef<HTMLInputElement>(null);

  const send = async (files: readonly File[]) => {
    if (files.length === 0 || sent) return;
    setRefused([]);
    const found: string[] = [];
    let [done, twice] = [0, 0];
    try {
      for (const part of inParts(files, Math.min(PART, about.limits.filesPerUpload))) {
        const start = done;
        const answers = await upload(sample.id, kind, part, (share) =>
          setSent({ files: start, of: files.length, share: (start + share * part.length) / files.length }),
        );
        done += part.length;
        review.images.put(...answers.flatMap((answer) => (answer.ok ? [answer.image] : [])));
        twice += answers.filter((answer) => answer.ok && answer.duplicate).length;
        found.push(...answers.flatMap((answer) => (answer.ok ? [] : [`${answer.name}: ${answer.error.message}`])));
        reload();
      }
    } catch (failure) {
      found.push(
        `${inWords(failure)} ${done} of ${files.length} files had arrived; send all again, those are not taken twice.`,
      );
    }
    setSent(undefined);
    setRefused(found);
    say(
      `${plural(done - twice, "image")} taken${twice > 0 ? `, ${twice} were here already` : ""}${found.length > 0 ? `, ${found.length} refused` : ""}.`,
    );
  };

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send([...event.dataTransfer.files]);
  };

  return (
    <section
      aria-label="Add images"
      className={`drop${over ? " over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <fieldset className="kinds">
        <legend>What they are</legend>
        {(Object.entries(KINDS) as [ImageKind, string][]).map(([name, text]) => (
          <label key={name} className="check">
            <input type="radio" name="kind" checked={kind === name} onChange={() => setKind(name)} />
            {text}
            {!about.kinds.includes(name) && <span className="soft">(cannot be analysed by this installation yet)</span>}
          </label>
        ))}
      </fieldset>
      <div className="line">
        <button type="button" className="main" disabled={sent !== undefined} onClick={() => input.current!.click()}>
          Choose images …
        </button>
        <span className="soft">or drop them here: PNG, JPEG, TIFF, BMP, WebP</span>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept=".png,.jpg,.jpeg,.tif,.tiff,.bmp,.webp"
          aria-label="Images"
          onChange={(event) => {
            void send([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
      </div>
      {sent && (
        <p role="status">
          <progress max={1} value={sent.share} aria-label="Sent" /> {percent(sent.share, 0)} of{" "}
          {plural(sent.of, "image")}
        </p>
      )}
      {refused.length > 0 && (
        <div role="alert" className="trouble refused">
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => setRefused([])}>
            ✕
          </button>
          <ul>
            {refused.map((line, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
              <li key={i}>{line}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
