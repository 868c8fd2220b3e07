import { useEffect, useMemo, useRef, useState } from "react";
import { ServerImage } from "../components/ServerImage.tsx";
import { useKeys } from "../components/shortcuts.ts";
import { type PointerPlan, Viewer, type ViewerControl } from "../components/Viewer.tsx";
import type { Point } from "../geometry/outline.ts";
import { useVersion } from "../state/heads.ts";
import { go } from "../state/router.ts";
import { useSample } from "../state/sample.ts";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";
import { Compare } from "./Compare.tsx";
import { HeadPanel } from "./HeadPanel.tsx";
import { OutlineEditor, useOutlineEditor } from "./OutlineEditor.tsx";
import { Outlines } from "./Outlines.tsx";
import { useReviewKeys } from "./useReviewKeys.ts";

/** A photograph or crop with the outlines of its heads. Moving on to a head of another image goes to that image. */
export function PictureView({ image: id }: { image: number }) {
  const { images, review, sample } = useSample();
  const image = images.find((one) => one.id === id);
  const version = useVersion(review.heads);
  const current = useStore(review.current);
  const { outlines } = useStore(settings);
  const compared = useStore(review.compared);
  const [comparing, setComparing] = useState(false);
  const control = useRef<ViewerControl>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version tells that the list is another
  const heads = useMemo(() => review.heads.all().filter((head) => head.image === id), [review, id, version]);
  const head = heads.find((one) => one.id === current);
  const editor = useOutlineEditor(review, image, head, () => control.current?.middle() ?? [0, 0]);
  const [excluding, setExcluding] = useReviewKeys(!editor.open);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the image is opened
  useEffect(() => {
    // Coming here by the image, not by a head: its first head is at hand.
    const now = review.head;
    if (now?.image !== id && heads[0]) review.take(heads[0].id);
  }, []);
  useEffect(
    () =>
      review.current.subscribe(() => {
        const to = review.head;
        if (to && to.image !== id) go({ view: "picture", sample: sample.id, image: to.image });
      }),
    [review, id, sample.id],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: where the head is at hand, not where it changes
  useEffect(() => {
    if (head) control.current?.reveal(head.centre);
  }, [head?.id]);
  const neighbour = (by: number) => () => {
    const at = images.findIndex((one) => one.id === id);
    const next = images[at + by];
    if (!next) return;
    const first = review.heads.all().find((one) => one.image === next.id);
    if (first) review.take(first.id);
    else go({ view: "picture", sample: sample.id, image: next.id });
  };
  useKeys(
    {
      Enter: () => go({ view: "heads", sample: sample.id }),
      Escape: () => go({ view: "heads", sample: sample.id }),
      o: () => editor.fix(),
      "Shift+o": () => editor.add(),
      v: () => setComparing(compared.length > 0),
      ArrowDown: () => review.move(1),
      ArrowUp: () => review.move(-1),
      PageDown: neighbour(1),
      PageUp: neighbour(-1),
    },
    !editor.open && !excluding,
  );

  if (!image) return <p className="notice">This sample has no such image.</p>;
  const choose: PointerPlan = {
    down: (point) => {
      const hit = heads.find((one) => isInside(point, review.heads.outlineOf(one)));
      if (hit) review.take(hit.id);
      return false;
    },
    move: () => {},
    up: () => {},
  };
  return (
    <div className="gallery">
      <section aria-label={image.name} className="heads">
        <div className="filters">
          <button type="button" onClick={() => go({ view: "heads", sample: sample.id })}>
            ← Heads
          </button>
          <span className="file">{image.name}</span>
          <span className="soft">
            {image.width} × {image.height} px, {heads.length} heads
          </span>
          <span className="gap" />
          <button type="button" onClick={neighbour(-1)} title="PageUp">
            Previous image
          </button>
          <button type="button" onClick={neighbour(1)} title="PageDown">
            Next image
          </button>
          <button type="button" disabled={!head || editor.open} onClick={() => editor.fix()} aria-keyshortcuts="o">
            Fix outline (O)
          </button>
          <button type="button" disabled={editor.open} onClick={() => editor.add()} aria-keyshortcuts="Shift+o">
            Add head (⇧O)
          </button>
        </div>
        <Viewer
          size={image}
          label={`${image.name} with outlines`}
          control={control}
          keys={!editor.open}
          plan={editor.open ? editor.plan : choose}
          picture={(scale) => <ServerImage image={image} scale={scale} />}
          overlay={(view) =>
            editor.open ? (
              <OutlineEditor editor={editor} view={view} />
            ) : (
              outlines && <Outlines heads={heads} view={view} current={current} />
            )
          }
        />
        {editor.open && <EditorBar editor={editor} />}
      </section>
      <HeadPanel excluding={excluding} onExcluding={setExcluding} plain={image.kind === "crop"} />
      {comparing && <Compare onClose={() => setComparing(false)} />}
    </div>
  );
}

function EditorBar({ editor }: { editor: ReturnType<typeof useOutlineEditor> }) {
  return (
    <div className="editor-bar" role="toolbar" aria-label="Outline">
      <strong>{editor.isNew ? "New head" : "Outline"}</strong>
      <span className="soft">
        Arrows move {editor.whole ? "all corners" : "the corner"}, W {editor.whole ? "one" : "all"}, Tab the next, I one
        more, + − the size
      </span>
      <span className="gap" />
      <button
        type="button"
        aria-pressed={editor.tracing}
        onClick={editor.trace}
        title="Draw the outline with the pointer (D)"
      >
        Trace (D)
      </button>
      {!editor.isNew && (
        <button type="button" onClick={editor.original} title="The analysis's own outline (Backspace)">
          Original
        </button>
      )}
      <button type="button" onClick={editor.cancel}>
        Cancel (Esc)
      </button>
      <button type="button" className="main" onClick={editor.save} disabled={editor.points.length < 3}>
        Save (Enter)
      </button>
    </div>
  );
}

/** By how often a ray to the right crosses the outline. */
function isInside([x, y]: Point, outline: readonly Point[] | undefined): boolean {
  let inside = false;
  if (!outline) return false;
  for (const [i, [ax, ay]] of outline.entries()) {
    const [bx, by] = outline[(i + 1) % outline.length]!;
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  }
  return inside;
}
