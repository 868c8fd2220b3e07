import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import type { About, Reader } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { isProgress } from "../api/events.ts";
import { Link } from "../components/Link.tsx";
import { LostModel } from "../components/LostModel.tsx";
import { type Keys, useKeys } from "../components/shortcuts.ts";
import { useAsked } from "../state/asked.ts";
import { reviewOf } from "../state/review.ts";
import { go, type Route } from "../state/router.ts";
import { type OpenSample, SampleContext } from "../state/sample.ts";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";
import { Disagreements } from "./Disagreements.tsx";
import { Gallery } from "./Gallery.tsx";
import { Images } from "./Images.tsx";
import { JudgeAgainBar, useOpinions } from "./JudgeAgain.tsx";
import { PictureView } from "./PictureView.tsx";
import { Report } from "./Report.tsx";

type At = Extract<Route, { sample: number }>;

const TABS = { images: "Images", heads: "Heads", disagreements: "Disagreements", report: "Report" } as const;

/** Loads a sample for its views and shows where one is in it. */
export function SampleFrame({ at, reader, about }: { at: At; reader: Reader; about: About }) {
  const params = { sample: at.sample };
  const review = reviewOf(at.sample, reader);
  const sample = useAsked(
    `sample ${at.sample}`,
    (signal) => ask("getSample", { params }, signal),
    (event) =>
      event.type === "hello" ||
      // Its counts of images change with their states.
      ("sample" in event && event.sample === at.sample && (event.type === "image" || !isProgress(event))),
    () => 1500,
  );
  const images = useStore(review.images.list);
  const opinions = useOpinions(at.sample, reader);
  const [failure, setFailure] = useState("");
  const [, setLoaded] = useState(false);
  review.classes = about.classes;
  const { model } = useStore(settings);

  useEffect(() => {
    Promise.all([review.images, review.heads].map((list) => list.loaded || list.load())).then(
      () => setLoaded(true),
      (cause) => setFailure(inWords(cause)),
    );
  }, [review]);
  useGoing(at.sample);

  const trouble = sample.failure ?? failure;
  if (!sample.value || !review.images.loaded || !review.heads.loaded) {
    return (
      <p className="notice" role={trouble ? "alert" : "status"}>
        {trouble || "Loading …"}
      </p>
    );
  }
  const blind = sample.value.readings.some(({ reader: { id }, role }) => id === reader.id && role === "blind");
  const open: OpenSample = {
    ...{ sample: sample.value, images, reader, about, review, blind, reload: sample.reload },
    opinions,
    withModel: model === "auto" ? !blind : model === "show",
  };
  return (
    <SampleContext value={open}>
      <Place at={at} name={sample.value.name} blind={blind} reader={reader} />
      <div className="sample">
        <LostModel about={about} />
        <JudgeAgainBar opinions={opinions} />
        {at.view === "images" && <Images />}
        {at.view === "heads" && <Gallery />}
        {at.view === "picture" && <PictureView key={at.image} image={at.image} />}
        {at.view === "disagreements" && <Disagreements />}
        {at.view === "report" && <Report />}
      </div>
    </SampleContext>
  );
}

/** In the bar at the top: the sample and its views. */
function Place({ at, name, blind, reader }: { at: At; name: string; blind: boolean; reader: Reader }) {
  const { value } = useAsked(
    `disagreements ${at.sample} ${reader.id}`,
    (signal) => ask("countDisagreements", { params: { sample: at.sample }, query: { reader: reader.id } }, signal),
    (event) => event.type === "hello" || (event.type === "review" && event.sample === at.sample),
    () => 1000,
  );
  const place = document.getElementById("place");
  if (!place) return null;
  return createPortal(
    <>
      <span className="name" title={name}>
        {name}
      </span>
      {blind && <span className="tag">blind</span>}
      <nav aria-label="Sample">
        {(Object.keys(TABS) as (keyof typeof TABS)[]).map((view) => (
          <Link
            key={view}
            to={{ view, sample: at.sample }}
            aria-current={at.view === view || (view === "images" && at.view === "picture") ? "page" : undefined}
          >
            {TABS[view]}
            {view === "disagreements" && value !== undefined && value.open > 0 && (
              <span className="tag" title="To settle">
                {value.open}
              </span>
            )}
          </Link>
        ))}
      </nav>
    </>,
    place,
  );
}

/** G, then the first letter of a view. */
function useGoing(sample: number): void {
  const [going, setGoing] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => setGoing(false), 1500);
    return () => clearTimeout(timer);
  }, [going]);
  const to = (view: keyof typeof TABS) => () => {
    setGoing(false);
    go({ view, sample });
  };
  const letters: Keys = { i: to("images"), h: to("heads"), d: to("disagreements"), r: to("report") };
  useKeys(letters, going);
  useKeys({ g: () => setGoing(true) });
}
