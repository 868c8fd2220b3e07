import { memo, useMemo, useState } from "react";
import type { ImageRecord } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { useNow } from "../components/Analysing.tsx";
import { Link } from "../components/Link.tsx";
import { bytesInWords, durationInWords } from "../numbers/format.ts";
import { complain } from "../state/announce.ts";
import { useVersion } from "../state/heads.ts";
import { type ImageProgress, progress } from "../state/progress.ts";
import { useSample } from "../state/sample.ts";
import { useStore } from "../state/store.ts";
import { DropZone } from "./DropZone.tsx";
import { SampleSettings } from "./SampleSettings.tsx";

/** What the sample consists of and how far its analysis is; and what is known of it. */
export function Images() {
  const { images, sample } = useSample();
  const now = useStore(progress);
  const waiting = images.filter(({ state }) => state === "queued" || state === "running").length;
  const clock = useNow(waiting > 0);
  const decided = useDecided();
  return (
    <div className="images">
      <section aria-label="Images" className="heads">
        {!sample.archived && <DropZone />}
        {images.length === 0 ? (
          <p className="empty">No image yet.</p>
        ) : (
          <div className="scroll">
            <table className="list">
              <thead>
                <tr>
                  <th>Image</th>
                  <th>Kind</th>
                  <th className="number">Pixels</th>
                  <th className="number">Size</th>
                  <th>Analysis</th>
                  <th className="number">Heads</th>
                  <th className="number">Decided by me</th>
                </tr>
              </thead>
              <tbody>
                {images.map((image) => (
                  <Row
                    key={image.id}
                    image={image}
                    progress={now.get(image.id)}
                    clock={image.state === "done" ? 0 : clock}
                    decided={decided.get(image.id) ?? 0}
                  />
                ))}
              </tbody>
            </table>
          </div>
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
  progress: ImageProgress | undefined;
  /** 0 where nothing of it is shown. */
  clock: number;
  decided: number;
}

const Row = memo(function Row({ image, progress, clock, decided }: RowProps) {
  const { sample } = useSample();
  return (
    <tr>
      <th scope="row">
        <Link to={{ view: "picture", sample: sample.id, image: image.id }}>{image.name}</Link>
      </th>
      <td>{image.kind}</td>
      <td className="number">
        {image.width} × {image.height}
      </td>
      <td className="number">{bytesInWords(image.bytes)}</td>
      <td>
        <Analysis image={image} progress={progress} clock={clock} />
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
}: {
  image: ImageRecord;
  progress: ImageProgress | undefined;
  clock: number;
}) {
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
  const retry = async () => {
    setAsked(true);
    try {
      review.images.put(await ask("retryImage", { params: { image: image.id } }));
    } catch (failure) {
      complain(inWords(failure));
    }
    setAsked(false);
  };
  return (
    <span className="trouble">
      failed: {image.error?.message ?? "no reason known"}{" "}
      <button type="button" disabled={asked} onClick={() => void retry()}>
        Again
      </button>
    </span>
  );
}
