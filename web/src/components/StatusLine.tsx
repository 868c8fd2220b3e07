import { said } from "../state/announce.ts";
import { queue } from "../state/review.ts";
import { useStore } from "../state/store.ts";

/** What happened last, for eyes and screen readers, and what the program must not be used for. */
export function StatusLine({ use }: { use: string }) {
  const { text, count, trouble } = useStore(said);
  const { refused } = useStore(queue.state);
  return (
    <footer className="status">
      <span aria-live="polite" className={trouble ? "trouble" : ""}>
        {/* A new element is read out even where the words are the same. */}
        <span key={count}>{text}</span>
      </span>
      {refused && (
        <span role="alert" className="trouble">
          Not saved: {refused}{" "}
          <button type="button" onClick={() => queue.dismiss()}>
            Dismiss
          </button>
        </span>
      )}
      <strong className="use">{use}</strong>
    </footer>
  );
}
