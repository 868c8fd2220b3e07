import { useRef, useState } from "react";
import type { About, Learning as Learned, Reader, Sample } from "../../../src/server/api.ts";
import { ask, inWords } from "../api/client.ts";
import { useNow } from "../components/Analysing.tsx";
import { LostModel } from "../components/LostModel.tsx";
import { durationInWords, plural } from "../numbers/format.ts";
import { isBlindNow } from "../review/blind.ts";
import { complain, say } from "../state/announce.ts";
import { useAsked } from "../state/asked.ts";
import { learningNow } from "../state/progress.ts";
import { actOf } from "../state/session.ts";
import { useStore } from "../state/store.ts";
import { JudgeSamples } from "./JudgeSamples.tsx";
import { LearningResult } from "./LearningResult.tsx";

/** Learning a model from what readers decided: from which samples, how far it is, and what became of it. */
export function Learning({ reader, about }: { reader: Reader; about: About }) {
  const { value, failure, reload } = useAsked(
    `learnings ${reader.id}`,
    (signal) => ask("listLearnings", { query: { reader: reader.id } }, signal),
    (event) =>
      event.type === "hello" || event.type === "model" || (event.type === "learning" && event.state !== "running"),
  );
  const learnings = value?.learnings;
  const running = learnings?.find(({ state }) => state === "running");
  const stop = async ({ id }: Learned) => {
    try {
      await ask("stopLearning", { params: { learning: id }, body: { reader: reader.id } });
      reload();
    } catch (cause) {
      complain(inWords(cause));
    }
  };
  const use = async (learning: number | null) => {
    try {
      await ask("useModel", { body: { ...actOf(reader), learning } });
      say(`What is analysed from now on is judged by ${learning === null ? "the original model" : "this model"}.`);
      reload();
    } catch (cause) {
      complain(inWords(cause));
    }
  };
  return (
    <div className="learning">
      <h1>Learn from corrections</h1>
      <p>
        The model's last step, from what it sees to a class, is learned again from the heads that readers decided;
        masks, outlines and measures stay as they are. A third of the images is kept from it for good, and the old and
        the new model are compared on these before you choose. Research use only; not for diagnosis.
      </p>
      <LostModel about={about}>
        <button type="button" onClick={() => void use(null)}>
          Keep to the original model
        </button>
      </LostModel>
      {about.learning !== null && (
        <p className="line">
          A learned model judges what is analysed now.
          <button type="button" onClick={() => void use(null)}>
            Use the original model again
          </button>
        </p>
      )}
      <JudgeSamples reader={reader} />
      {failure && (
        <p role="alert" className="trouble">
          {failure}
        </p>
      )}
      {running && <Running learning={running} onStop={() => void stop(running)} />}
      {value && !running && about.learns && <NewLearning reader={reader} onBegun={reload} />}
      {!about.learns && <p>What analyses images here cannot be taught.</p>}
      {learnings
        ?.filter(({ state }) => state !== "running")
        .map((learning, i) => (
          <LearningResult
            key={learning.id}
            learning={learning}
            reader={reader}
            classes={about.classes}
            inUse={about.learning === learning.id}
            first={i === 0}
            onUse={() => void use(learning.id)}
          />
        ))}
    </div>
  );
}

function Running({ learning, onStop }: { learning: Learned; onStop: () => void }) {
  const at = useStore(learningNow);
  const now = useNow(true);
  const left = at?.until === undefined ? "" : `, about ${durationInWords((at.until - now) / 1000)} left`;
  return (
    <section className="card" aria-label="Learning">
      <p>
        Learning from {learning.samples.map(({ name }) => name).join(", ")}
        {left}
      </p>
      <p className="line">
        <progress max={at?.of ?? 1} {...(at ? { value: at.done } : {})} aria-label="How much is done" />
        <button type="button" onClick={onStop}>
          Stop
        </button>
      </p>
    </section>
  );
}

function NewLearning({ reader, onBegun }: { reader: Reader; onBegun: () => void }) {
  const { value } = useAsked(
    "samples to learn from",
    (signal) => ask("listSamples", { query: {} }, signal),
    ({ type }) => type === "sample" || type === "review" || type === "hello",
  );
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const [failure, setFailure] = useState("");
  const samples = value?.samples.filter(({ decided }) => decided > 0) ?? [];
  // Refused to whoever reads one of them blind, so it is not chosen for them.
  const isBlind = (sample: Sample) => isBlindNow(sample, reader);
  const chosen = samples.filter((sample) => !left.has(sample.id) && !isBlind(sample));
  const begins = useRef(false);
  const begin = async () => {
    if (begins.current) return;
    begins.current = true;
    try {
      setFailure("");
      await ask("startLearning", { body: { ...actOf(reader), samples: chosen.map(({ id }) => id) } });
      onBegun();
    } catch (cause) {
      setFailure(inWords(cause));
    }
    begins.current = false;
  };
  const turn = ({ id }: Sample, on: boolean) =>
    setLeft((now) => new Set(on ? [...now].filter((one) => one !== id) : [...now, id]));
  if (value && samples.length === 0)
    return <p className="empty">No head is decided yet: open a sample and review its heads first.</p>;
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        void begin();
      }}
    >
      <fieldset>
        <legend>Samples to learn from</legend>
        {samples.map((sample) => (
          <label key={sample.id} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(sample)}
              disabled={isBlind(sample)}
              onChange={(event) => turn(sample, event.target.checked)}
            />
            {sample.name} <span className="soft">{plural(sample.decided, "decided head")}</span>
            {isBlind(sample) && <span className="soft">you read it blind and have heads left to decide</span>}
          </label>
        ))}
      </fieldset>
      <p className="line">
        <button type="submit" className="main" disabled={chosen.length === 0}>
          Learn from{" "}
          {plural(
            chosen.reduce((sum, { decided }) => sum + decided, 0),
            "decided head",
          )}
        </button>
        <span className="soft">Heads that are left out or disputed are not learned from.</span>
      </p>
      {failure && (
        <p role="alert" className="trouble">
          {failure}
        </p>
      )}
    </form>
  );
}
