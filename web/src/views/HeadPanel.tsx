import type { Head } from "../../../src/server/api.ts";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { shownClass } from "../review/values.ts";
import { useHead } from "../state/heads.ts";
import { useSample } from "../state/sample.ts";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";
import { ClassKeys } from "./ClassKeys.tsx";
import { HeadHistory } from "./HeadHistory.tsx";
import { Measures } from "./Measures.tsx";

interface Props {
  excluding: boolean;
  onExcluding: (excluding: boolean) => void;
  /** Undefined in the picture itself. */
  onOpen?: () => void;
  /** Without the head's own picture where the image is beside it. */
  plain?: boolean;
}

/** The head at hand: its picture, what the model and the readers say, its measures. */
export function HeadPanel(props: Props) {
  const { review } = useSample();
  const id = useStore(review.current);
  const head = useHead(review.heads, id ?? -1);
  if (!head) {
    return (
      <aside className="panel" aria-label="Head">
        <p className="soft">No head chosen.</p>
      </aside>
    );
  }
  return <Panel head={head} {...props} />;
}

function Panel({ head, excluding, onExcluding, onOpen, plain }: Props & { head: Head }) {
  const { review, about, withModel } = useSample();
  const { outlines } = useStore(settings);
  const shown = shownClass(head, withModel);
  const tone = shown === null ? -1 : about.classes.indexOf(shown);
  return (
    <aside className="panel" aria-label={review.labelOf(head)}>
      {!plain && (
        <button type="button" className="picture" onClick={onOpen} title="Open in its picture (Enter)">
          <HeadPicture head={head} heads={review.heads} size={248} tone={tone} outlines={outlines} axis />
        </button>
      )}
      <p className="where">
        <strong>{review.labelOf(head)}</strong>
        {head.state !== "head" && (
          <span className="tag">
            {head.state}
            {head.reason && `: ${head.reason}`}
          </span>
        )}
        {head.source === "reader" && <span className="tag">added</span>}
        {head.outlineBy === "reader" && <span className="tag">outline drawn</span>}
        {withModel && head.judgedBy !== null && head.judgedBy !== about.analyser.model && (
          <span className="tag" title="The model's opinion is not of the model in use">
            another model
          </span>
        )}
      </p>
      <ClassKeys head={head} excluding={excluding} onExcluding={onExcluding} />
      <Measures head={head} />
      <HeadHistory key={head.id} head={head} />
    </aside>
  );
}
