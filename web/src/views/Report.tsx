import { useMemo } from "react";
import type { SampleReport } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { isProgress } from "../api/events.ts";
import { urlOf } from "../api/routes.ts";
import { timeInWords } from "../numbers/format.ts";
import { Agreement } from "../report/Agreement.tsx";
import { CountsTable } from "../report/CountsTable.tsx";
import { Histograms } from "../report/Histograms.tsx";
import { Method } from "../report/Method.tsx";
import { Pictures } from "../report/Pictures.tsx";
import type { Basis } from "../report/tally.ts";
import { useAsked } from "../state/asked.ts";
import { useVersion } from "../state/heads.ts";
import { useSample } from "../state/sample.ts";

/** A page to read and to print: counts, pictures, measures, who read, and with what. */
export function Report() {
  const { sample, reader, review } = useSample();
  const version = useVersion(review.heads);
  const { value: report, failure } = useAsked(
    `report ${sample.id} ${reader.id}`,
    (signal) => ask("report", { params: { sample: sample.id }, query: { reader: reader.id } }, signal),
    (event) => "sample" in event && event.sample === sample.id && (event.type === "image" || !isProgress(event)),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version tells that the heads are others
  const heads = useMemo(() => review.heads.all(), [review, version]);
  if (!report) {
    return (
      <p className="notice" role={failure ? "alert" : "status"}>
        {failure ?? "Loading …"}
      </p>
    );
  }
  const basis: Basis =
    report.final && Object.values(report.final.classes).some((count) => count > 0) ? "final" : "model";
  return (
    <div className="scroll">
      <article className="report">
        <Exports report={report} />
        <header>
          <h1>{report.sample.name}</h1>
          <p className="use">{report.use}</p>
          {report.sample.note && <p className="note">{report.sample.note}</p>}
          <p className="soft">
            {report.program}, {timeInWords(report.made)}.{" "}
            {report.sample.umPerPx === null
              ? "Calibration not known: lengths are in pixels."
              : `${Number(report.sample.umPerPx.toPrecision(5))} µm per pixel.`}
          </p>
        </header>
        {report.hidden && (
          <p className="warning">
            You read this sample blind and have heads left to decide: this report holds your own counts and the model's
            only.
          </p>
        )}
        <CountsTable report={report} />
        <Agreement report={report} heads={heads} />
        <Pictures heads={heads} classes={report.classes} basis={basis} />
        <Histograms heads={heads} basis={basis} umPerPx={report.sample.umPerPx} />
        <Method report={report} />
      </article>
    </div>
  );
}

function Exports({ report }: { report: SampleReport }) {
  const { sample, reader } = useSample();
  const call = { params: { sample: sample.id }, query: { reader: reader.id } };
  return (
    <nav className="exports" aria-label="Print and export">
      <button type="button" className="main" onClick={() => print()}>
        Print
      </button>
      {report.hidden ? (
        <span className="soft">Exports hold others' decisions: they come once you have decided every head.</span>
      ) : (
        <>
          <a href={urlOf("exportCsv", call)} download>
            CSV
          </a>
          <a href={urlOf("exportJson", call)} download>
            JSON
          </a>
          <details>
            <summary>GeoJSON, an image each</summary>
            <ul>
              {report.images
                .filter(({ state }) => state === "done")
                .map(({ id, name }) => (
                  <li key={id}>
                    <a href={urlOf("exportGeoJson", { ...call, query: { reader: reader.id, image: id } })} download>
                      {name}
                    </a>
                  </li>
                ))}
            </ul>
          </details>
        </>
      )}
    </nav>
  );
}
