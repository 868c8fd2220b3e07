import type { SampleOpinions } from "../../../src/server/api.ts";
import { plural, timeInWords } from "../numbers/format.ts";
import { modelInWords, shortModel } from "../review/models.ts";
import { resultInWords } from "./JudgeAgain.tsx";

/** Beside the images: whose opinions the heads carry, and when they were judged again. */
export function Models({ opinions: { models, judgings } }: { opinions: SampleOpinions }) {
  if (models.length === 0) return null;
  return (
    <section>
      <h2>Models' opinions</h2>
      <ul className="models">
        {models.map(({ analyser, inUse, heads, decided }) => (
          <li key={analyser.model}>
            <strong>Model {shortModel(analyser.model)}</strong> {inUse && <span className="tag">in use</span>}{" "}
            {plural(heads, "head")}, {decided} decided
            {analyser.adapted && <span className="soft">, learned from {plural(analyser.adapted.heads, "head")}</span>}
          </li>
        ))}
      </ul>
      {judgings.length > 0 && (
        <details>
          <summary>Judged again ({judgings.length})</summary>
          <ol className="log">
            {judgings.map((judging) => (
              <li key={judging.id}>
                <time dateTime={judging.begun}>{timeInWords(judging.begun)}</time> {judging.reader.name}, by{" "}
                {modelInWords(judging.analyser)}: {resultInWords(judging)}
                {judging.result?.problems.map(({ image, name, error }) => (
                  <p key={image} className="trouble">
                    {name}: {error.message}
                  </p>
                ))}
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}
