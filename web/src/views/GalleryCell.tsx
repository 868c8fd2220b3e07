import { memo } from "react";
import type { Head } from "../../../src/server/api.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { DecisionMark } from "../components/DecisionMark.tsx";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { className, finalValue, shownClass, valueInWords } from "../review/values.ts";
import { type Heads, useHead } from "../state/heads.ts";

/** Pixels. */
export const CELL = { width: 104, height: 128 };
const PICTURE = 94;

interface Props {
  heads: Heads;
  id: number;
  place: number;
  count: number;
  selected: boolean;
  compared: boolean;
  classes: readonly string[];
  withModel: boolean;
  outlines: boolean;
  /** Where an image has several heads. */
  numbered: boolean;
  onTake: (id: number) => void;
  onOpen: (id: number) => void;
}

export const cellId = (id: number) => `head-${id}`;

/** One head of the gallery. Drawn anew only where its head changes. */
export const GalleryCell = memo(function GalleryCell(props: Props) {
  const { heads, id, place, count, selected, compared, classes, withModel, outlines, numbered, onTake, onOpen } = props;
  const head = useHead(heads, id);
  if (!head) return <div className="cell gone" />;
  const shown = shownClass(head, withModel);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the listbox holds the focus and names the active option
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the page's: components/shortcuts.ts
    <div
      id={cellId(id)}
      role="option"
      aria-selected={selected}
      aria-posinset={place + 1}
      aria-setsize={count}
      aria-label={inWords(head, withModel)}
      className={`cell${selected ? " selected" : ""}${head.decision ? " decided" : ""}`}
      onClick={() => onTake(id)}
      onDoubleClick={() => onOpen(id)}
    >
      <HeadPicture
        head={head}
        heads={heads}
        size={PICTURE}
        tone={shown === null ? -1 : classes.indexOf(shown)}
        outlines={outlines}
      />
      {compared && <span className="badge left">C</span>}
      <Badge head={head} withModel={withModel} />
      <div className="label">
        {numbered && <span className="head-number">{head.number}</span>}
        {head.decision ? (
          <DecisionMark value={head.decision.value} classes={classes} short />
        ) : (
          <Opinion head={head} classes={classes} withModel={withModel} />
        )}
      </div>
    </div>
  );
});

function Badge({ head, withModel }: { head: Head; withModel: boolean }) {
  const final = finalValue(head);
  if (final === "disputed")
    return (
      <span className="badge" title="Readers differ">
        ≠
      </span>
    );
  const value = head.decision?.value;
  if (withModel && value?.kind === "class" && head.modelClass !== null && value.class !== head.modelClass) {
    return (
      <span className="badge" title={`The model says ${className(head.modelClass)}`}>
        M
      </span>
    );
  }
  return null;
}

function Opinion({ head, classes, withModel }: { head: Head; classes: readonly string[]; withModel: boolean }) {
  if (head.state !== "head") return <span className="opinion">{head.state}</span>;
  if (!withModel) return null;
  if (head.modelClass === null) return <span className="opinion">added</span>;
  return (
    <span className="opinion">
      <ClassMark name={head.modelClass} classes={classes} short />
      <span className="probability" title="Probability in per cent">
        {Math.round(100 * Math.max(...head.probabilities))}
      </span>
    </span>
  );
}

function inWords(head: Head, withModel: boolean): string {
  const decided = head.decision ? className(valueInWords(head.decision.value)) : "undecided";
  const model = withModel && head.modelClass ? `, model ${className(head.modelClass)}` : "";
  return `Head ${head.number}, ${decided}${model}`;
}
