import { memo, useMemo, useState } from "react";
import type { ImageRecord } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { useNow } from "../components/Analysing.tsx";
import { Link } from "../components/Link.tsx";
import { VirtualTable } from "../components/VirtualTable.tsx";
import { bytesInWords, durationInWords } from "../numbers/format.ts";
import { complain } from "../state/announce.ts";
import { useVersion } from "../state/heads.ts";
import { type ImageProgress, progress } from "../state/progress.ts";
import { useSample } from "../state/sample.ts";
import { useStore } from "../state/store.ts";
import { DropZone } from "./DropZone.tsx";
import { SampleSettings } from "./SampleSettings.tsx";

const COLUMNS = [
  { name: "Image" },
  { name: "Kind", width: "52px" },
  { name: "Pixels", width: "100px", isNumber: true },
  { name: "Size", width: "76px", isNumber: true },
  { name: "Analysis", width: "28%" },
  { name: "Heads", width: "54px", isNumber: true },
  { name: "Decided by me", width: "110px", isNumber: true },
];

/** What the sample consists of and how far its analysis is; and what is known of it. */
export function Images() {
  const { images, sample } = useSample();
  const now = useStore(progress);
  const waiting = images.filter(({ state }) => state === "queued" || state === "running").length;
  const clock = useNow(waiting > 0);
  const decided = useDecided();
  const [at, setAt] = useState(0);
  return (
    <div className="images">
      <section aria-label="Images" className="heads">
        {!sample.archived && <DropZone />}
        {images.length === 0 ? (
          <p className="empty">No image yet.</p>
        ) : (
          <VirtualTable
            label="Images"
            count={images.length}
            at={at}
            onAt={setAt}
            columns={COLUMNS}
            render={(i, rowIndex) => {
              const image = images[i]!;
              return (
                <Row
                  key={image.id}
                  {...{ image, rowIndex, isAt: i === at }}
                  progress={now.get(image.id)}
                  clock={image.state === "done" ? 0 : clock}
                  decided={decided.get(image.id) ?? 0}
                />
              );
            }}
          />
        )}
        {images[at]?.error && (
          <p className="trouble at-hand">
            {images[at].name}: {images[at].error.message}
          </p>
        )}
      </section>
      <SampleSettings />
    </div>
  );
}

/** Heads that this reader has decided, by image. */
function useDecided(): ReadonlyMap<number, number> {
  const { review } = useSample();
  const version = useVersion(review.heads);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version tells that the heads are others
  return useMemo(() => {
    const counts = new Map<number, number>();
    for (const { image, decision } of review.heads.all()) if (decision) counts.set(image, (counts.get(image) ?? 0) + 1);
    return counts;
  }, [review, version]);
}

interface RowProps {
  image: ImageRecord;
  rowIndex: number;
  /** Where the Tab key comes to. */
  isAt: boolean;
  progress: ImageProgress | undefined;
  /** 0 where nothing of it is shown. */
  clock: number;
  decided: number;
}

const Row = memo(function Row({ image, rowIndex, isAt, progress, clock, decided }: RowProps) {
  const { sample } = useSample();
  const tabIndex = isAt ? 0 : -1;
  return (
    <tr aria-rowindex={rowIndex}>
      <th scope="row" title={image.name}>
        <Link to={{ view: "picture", sample: sample.id, image: image.id }} tabIndex={tabIndex}>
          {image.name}
        </Link>
      </th>
      <td>{image.kind}</td>
      <td className="number">
        {image.width} × {image.height}
      </td>
      <td className="number">{bytesInWords(image.bytes)}</td>
      <td>
        <Analysis {...{ image, progress, clock, tabIndex }} />
      </td>
      <td className="number">{image.state === "done" ? image.heads : ""}</td>
      <td className="number">{image.heads > 0 ? decided : ""}</td>
    </tr>
  );
});

function Analysis({
  image,
  progress,
  clock,
  tabIndex,
}: Pick<RowProps, "image" | "progress" | "clock"> & { tabIndex: number }) {
  const { review } = useSample();
  const [asked, setAsked] = useState(false);
  // The event is newer than the list, but for what was queued again.
  const state = progress && image.state !== "done" ? progress.state : image.state;
  const left = progress?.until === undefined ? "" : `, ${durationInWords((progress.until - clock) / 1000)} left`;
  if (state === "queued")
    return (
      <span>
        waits{progress?.ahead ? ` behind ${progress.ahead}` : ""}
        {left}
      </span>
    );
  if (state === "running") {
    return (
      <span>
        <span className="spinner" aria-hidden="true" /> running{left}
      </span>
    );
  }
  if (state === "done")
    return <span className="soft">done{image.seconds === null ? "" : ` in ${image.seconds.toFixed(1)} s`}</span>;
  const retry = async (button: HTMLElement) => {
    // The button goes away; the focus stays in the row.
    button.closest("tr")?.querySelector("a")?.focus();
    setAsked(true);
    try {
      review.images.put(await ask("retryImage", { params: { image: image.id } }));
    } catch (failure) {
      complain(inWords(failure));
    }
    setAsked(false);
  };
  const why = image.error?.message ?? "no reason known";
  return (
    <span className="trouble failed">
      <button
        type="button"
        disabled={asked}
        tabIndex={tabIndex}
        onClick={({ currentTarget }) => void retry(currentTarget)}
      >
        Again
      </button>
      <span title={why}>failed: {why}</span>
    </span>
  );
}
