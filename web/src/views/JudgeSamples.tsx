import type { Reader, SampleOpinions } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { Link } from "../components/Link.tsx";
import { plural } from "../numbers/format.ts";
import { useAsked } from "../state/asked.ts";
import { changesOpinions, Failure, JudgeAgain, openJudging, Running } from "./JudgeAgain.tsx";

/** Samples whose heads carry the opinion of another model than the one in use, each to be judged again. */
export function JudgeSamples({ reader }: { reader: Reader }) {
  const { value, reload } = useAsked(
    `opinions ${reader.id}`,
    (signal) => ask("listOpinions", { query: { reader: reader.id } }, signal),
    changesOpinions,
  );
  const samples = value?.samples.filter((one) => one.outdated > 0 || openJudging(one)) ?? [];
  if (samples.length === 0) return null;
  return (
    <section className="card" aria-label="Judge again">
      <h2>Heads with the opinion of another model</h2>
      <p className="soft">
        Judged again, undecided heads get the opinion of the model in use; what was said before is kept. Decided heads
        keep the opinion that they were decided with.
      </p>
      <ul className="judge-samples">
        {samples.map((one) => (
          <li key={one.sample.id}>
            <Link to={{ view: "heads", sample: one.sample.id }}>{one.sample.name}</Link>
            <One opinions={one} reader={reader} onChange={reload} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function One({ opinions, reader, onChange }: { opinions: SampleOpinions; reader: Reader; onChange: () => void }) {
  const open = openJudging(opinions);
  if (open) return <Running judging={open} reader={reader} onStopped={onChange} />;
  return (
    <>
      <span className="soft">{plural(opinions.outdated, "undecided head")}</span>
      <JudgeAgain opinions={opinions} reader={reader} onBegun={onChange} />
      <Failure opinions={opinions} />
    </>
  );
}
