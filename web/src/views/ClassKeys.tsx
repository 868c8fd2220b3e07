import type { Head } from "../../../src/server/api.ts";
import { percent } from "../numbers/format.ts";
import { className, EXCLUSIONS, excluded, ofClass, sameValue } from "../review/values.ts";
import { useSample } from "../state/sample.ts";
import { useStore } from "../state/store.ts";

/** A button per class with the model's probability, the reasons to leave out, and the reason in words. */
export function ClassKeys({
  head,
  excluding,
  onExcluding,
}: {
  head: Head;
  excluding: boolean;
  onExcluding: (excluding: boolean) => void;
}) {
  const { review, about, withModel, opinions } = useSample();
  // Another model may have other classes, or another order of them.
  const judge = opinions.value?.models.find(({ analyser }) => analyser.model === head.judgedBy)?.analyser ?? about;
  const reason = useStore(review.reason);
  const own = head.decision?.value;
  const out = own?.kind === "excluded" ? own : undefined;
  return (
    <div className="class-keys">
      {about.classes.map((name, i) => {
        const p = withModel ? head.probabilities[judge.classes.indexOf(name)] : undefined;
        const isModel = withModel && head.modelClass === name;
        return (
          <button
            key={name}
            type="button"
            className={`class-key c${i % 8}`}
            aria-pressed={sameValue(own, ofClass(name))}
            aria-keyshortcuts={String(i + 1)}
            onClick={() => review.decide(ofClass(name))}
          >
            <span className="digit">{i + 1}</span>
            <span className="class-name">{className(name)}</span>
            {isModel && <span className="soft">model</span>}
            {p !== undefined && (
              <>
                <span className="bar" aria-hidden="true">
                  <span style={{ width: `${100 * p}%` }} />
                </span>
                <span className="number">{percent(p)}</span>
              </>
            )}
          </button>
        );
      })}
      {excluding ? (
        <fieldset className="exclusions">
          <legend>Left out because</legend>
          {EXCLUSIONS.map(({ why, name, more }, i) => (
            <button
              key={why}
              type="button"
              className="class-key out"
              title={more}
              onClick={() => {
                onExcluding(false);
                review.decide(excluded(why));
              }}
            >
              <span className="digit">{i + 1}</span>
              <span className="class-name">{name}</span>
            </button>
          ))}
        </fieldset>
      ) : (
        <button
          type="button"
          className="class-key out"
          aria-pressed={out !== undefined}
          aria-keyshortcuts="x"
          onClick={() => onExcluding(true)}
        >
          <span className="digit">X</span>
          <span className="class-name">
            {out ? `Excluded: ${EXCLUSIONS.find(({ why }) => why === out.why)!.name.toLowerCase()}` : "Exclude …"}
          </span>
        </button>
      )}
      <input
        id="reason"
        aria-label="Reason, goes with the next decision"
        placeholder={head.decision?.reason || "Reason (R); goes with the decision"}
        value={reason}
        maxLength={1000}
        onChange={(event) => review.reason.set(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
        }}
      />
    </div>
  );
}
