import { useCallback, useRef, useState } from "react";
import { pictureReady } from "../components/HeadPicture.tsx";
import { useKeys } from "../components/shortcuts.ts";
import { VirtualGrid } from "../components/Virtual.tsx";
import { plural } from "../numbers/format.ts";
import { useVersion } from "../state/heads.ts";
import { go } from "../state/router.ts";
import { useSample } from "../state/sample.ts";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";
import { Compare } from "./Compare.tsx";
import { Filters } from "./Filters.tsx";
import { CELL, cellId, GalleryCell } from "./GalleryCell.tsx";
import { HeadPanel } from "./HeadPanel.tsx";
import { useReviewKeys } from "./useReviewKeys.ts";

/** All heads of the sample as a gallery, and the one at hand beside it. */
export function Gallery() {
  const { review, about, withModel, sample, images } = useSample();
  const order = useStore(review.order);
  const current = useStore(review.current);
  const compared = useStore(review.compared);
  const { outlines } = useStore(settings);
  const [comparing, setComparing] = useState(false);
  const columns = useRef(1);
  const setColumns = useCallback((count: number) => {
    columns.current = count;
  }, []);
  const [excluding, setExcluding] = useReviewKeys();
  const take = useCallback((id: number) => review.take(id), [review]);
  const open = useCallback(
    (id: number) => {
      const head = review.heads.get(id);
      review.take(id);
      if (head) go({ view: "picture", sample: sample.id, image: head.image });
    },
    [review, sample.id],
  );
  const openCurrent = () => {
    if (current !== null) open(current);
  };
  useKeys({
    ArrowDown: () => review.move(columns.current),
    ArrowUp: () => review.move(-columns.current),
    PageDown: () => review.move(4 * columns.current),
    PageUp: () => review.move(-4 * columns.current),
    Enter: openCurrent,
    o: openCurrent,
    v: () => setComparing(compared.length > 0),
    "/": () => document.getElementById("search")?.focus(),
    f: () => document.getElementById("sort")?.focus(),
  });

  const numbered = images.some(({ heads }) => heads > 1);
  const at = current === null ? -1 : order.indexOf(current);
  return (
    <div className="gallery">
      <section aria-label="Heads" className="heads">
        <Filters />
        <Progress />
        {order.length === 0 ? (
          <Nothing />
        ) : (
          <VirtualGrid
            count={order.length}
            cell={CELL}
            at={at}
            label="Heads"
            active={current === null ? undefined : cellId(current)}
            onColumns={setColumns}
            prepare={(i) => {
              const head = review.heads.get(order[i]!);
              return head ? pictureReady(head) : Promise.resolve();
            }}
            render={(i) => (
              <GalleryCell
                key={order[i]}
                heads={review.heads}
                id={order[i]!}
                place={i}
                count={order.length}
                selected={order[i] === current}
                compared={compared.includes(order[i]!)}
                classes={about.classes}
                withModel={withModel}
                outlines={outlines}
                numbered={numbered}
                onTake={take}
                onOpen={open}
              />
            )}
          />
        )}
      </section>
      <HeadPanel excluding={excluding} onExcluding={setExcluding} onOpen={openCurrent} />
      {comparing && <Compare onClose={() => setComparing(false)} />}
    </div>
  );
}

/** How much of the sample this reader has decided. */
function Progress() {
  const { review } = useSample();
  useVersion(review.heads);
  const order = useStore(review.order);
  let decided = 0;
  const all = review.heads.all();
  for (const { decision } of all) if (decision) decided++;
  return (
    <div className="counts">
      <span>{`${order.length === all.length ? "" : `${order.length} of `}${plural(all.length, "head")}`}</span>
      <progress max={Math.max(1, all.length)} value={decided} aria-label="Decided by me" />
      <span>{decided} decided by me</span>
    </div>
  );
}

function Nothing() {
  const { review, sample } = useSample();
  const waiting = sample.images.queued + sample.images.running;
  if (review.heads.all().length > 0) return <p className="empty">No head fits the filters.</p>;
  return (
    <p className="empty">
      {waiting > 0
        ? `${plural(waiting, "image")} still to analyse; what is found will appear here.`
        : "No heads yet: drop photographs or crops under Images."}
    </p>
  );
}
