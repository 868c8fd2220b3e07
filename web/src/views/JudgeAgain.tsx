import { useEffect, useRef } from "react";
import type { AppEvent, Judging, Reader, SampleOpinions } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { onEvent } from "../api/events.ts";
import { useNow } from "../components/Analysing.tsx";
import { durationInWords, plural } from "../numbers/format.ts";
import { complain, say } from "../state/announce.ts";
import { type Asked, useAsked } from "../state/asked.ts";
import { judgingsNow } from "../state/progress.ts";
import { queue } from "../state/review.ts";
import { useSample } from "../state/sample.ts";
import { actOf } from "../state/session.ts";
import { useStore } from "../state/store.ts";

/** Whether other heads may carry another model's opinion after this, or a judging has begun or ended. */
export function changesOpinions(event: AppEvent): boolean {
  const { type } = event;
  if (type === "judging") return event.state !== "running" || event.done === 0;
  return type === "hello" || type === "model" || type === "review" || type === "heads" || type === "sample";
}

export function useOpinions(sample: number, reader: Reader): Asked<SampleOpinions> {
  return useAsked(
    `opinions ${sample} ${reader.id}`,
    (signal) => ask("sampleOpinions", { params: { sample }, query: { reader: reader.id } }, signal),
    (event) => changesOpinions(event) && (!("sample" in event) || event.sample === sample),
    // Counted over all heads: not after each of the decisions of somebody who makes one after the other.
    ({ type }) => (type === "review" ? 2200 : 300),
  );
}

const isOpen = ({ state }: Judging) => state === "queued" || state === "running";

/** Of the sample's newest judging, where that waits or runs. */
export const openJudging = ({ judgings }: SampleOpinions): Judging | undefined => judgings.find(isOpen);

/** Why the newest judging failed, as long as there is something left to judge. */
function failureOf({ judgings, outdated }: SampleOpinions): string | undefined {
  const [newest] = judgings;
  return outdated > 0 && newest?.state === "failed" ? newest.error?.message : undefined;
}

/** Above every view of a sample: that heads carry another model's opinion, and how far judging them again is. */
export function JudgeAgainBar({ opinions }: { opinions: Asked<SampleOpinions> }) {
  const { sample, reader } = useSample();
  useResult(sample.id);
  const { value, reload } = opinions;
  if (!value) return null;
  const open = openJudging(value);
  if (!open && (value.outdated === 0 || sample.archived)) return null;
  return (
    <section className="judge-again" aria-label="Opinions of another model">
      {open ? (
        <Running judging={open} reader={reader} onStopped={reload} />
      ) : (
        <>
          <span>
            {plural(value.outdated, "undecided head")} {value.outdated === 1 ? "carries" : "carry"} the opinion of
            another model than the one in use.
          </span>
          <JudgeAgain opinions={value} reader={reader} onBegun={reload} />
          <Failure opinions={value} />
        </>
      )}
    </section>
  );
}

export function JudgeAgain({
  opinions: { sample },
  reader,
  onBegun,
}: {
  opinions: SampleOpinions;
  reader: Reader;
  onBegun: () => void;
}) {
  const begin = async () => {
    try {
      // What is decided here must not be taken for undecided there.
      await queue.empty();
      await ask("judgeAgain", { params: { sample: sample.id }, body: actOf(reader) });
      onBegun();
    } catch (cause) {
      complain(inWords(cause));
    }
  };
  return (
    <button
      type="button"
      title="By the model in use; decided heads keep the opinion that they were decided with"
      onClick={() => void begin()}
    >
      Judge again
    </button>
  );
}

export function Failure({ opinions }: { opinions: SampleOpinions }) {
  const failure = failureOf(opinions);
  return failure ? <span className="trouble">Not done: {failure}</span> : null;
}

export function Running({ judging, reader, onStopped }: { judging: Judging; reader: Reader; onStopped: () => void }) {
  const at = useStore(judgingsNow).get(judging.id);
  const now = useNow(true);
  const left = at?.until === undefined ? "" : `, about ${durationInWords((at.until - now) / 1000)} left`;
  const waits = (at?.state ?? judging.state) === "queued";
  const stop = async () => {
    try {
      await ask("stopJudging", { params: { judging: judging.id }, body: { reader: reader.id } });
      say("Stopped: every head has the opinion that it had.");
      onStopped();
    } catch (cause) {
      complain(inWords(cause));
    }
  };
  return (
    <>
      <span role="status">
        {waits
          ? "Waits to be judged again"
          : `Judged again: ${at ? `${at.done} of ${plural(at.of, "head")}` : "begun"}`}
        {left}
      </span>
      <progress max={at?.of || 1} {...(at && !waits ? { value: at.done } : {})} aria-label="How much is judged again" />
      <button type="button" onClick={() => void stop()}>
        Stop
      </button>
    </>
  );
}

/** Says at the foot of the page what a judging that has just ended changed. */
function useResult(sample: number): void {
  const { reader } = useSample();
  const latest = useRef(reader);
  latest.current = reader;
  useEffect(
    () =>
      onEvent((event) => {
        if (event.type !== "judging" || event.sample !== sample || event.state !== "done") return;
        const query = { reader: latest.current.id };
        void ask("sampleOpinions", { params: { sample }, query }).then(
          ({ judgings }) => {
            const ended = judgings.find(({ id }) => id === event.judging);
            if (ended) say(`${resultInWords(ended)}.`);
          },
          () => {},
        );
      }),
    [sample],
  );
}

/** `57 heads judged again, 12 have another class now, 3 kept what they had`. */
export function resultInWords({ state, result, error, stoppedBy }: Judging): string {
  if (state === "failed") return `not done: ${error?.message ?? "no reason known"}`;
  const stopped = `${stoppedBy ? `${stoppedBy.name} stopped it` : "stopped"}, nothing was changed`;
  if (!result) return { queued: "waits", running: "runs", stopped, done: "" }[state];
  const { heads, changed, kept } = result;
  return [
    `${plural(heads, "head")} judged again`,
    `${changed} called otherwise now`,
    ...(kept > 0 ? [`${kept} kept what they had`] : []),
  ].join(", ");
}
