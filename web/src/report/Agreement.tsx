import { wilson } from "../../../src/evaluation/metrics.ts";
import type { Head, SampleReport } from "../../../src/server/api.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { percent, timeInWords } from "../numbers/format.ts";
import { modelInWords } from "../review/models.ts";
import { against } from "./tally.ts";

/** Who read what and when, how far readers agree, and where the model differs from them. */
export function Agreement({ report, heads }: { report: SampleReport; heads: readonly Head[] }) {
  const models = report.models.map(({ analyser }) => analyser);
  return (
    <section>
      <h2>Readers</h2>
      {report.readers.length === 0 && <p>Nobody has read this sample: the counts are the model's alone.</p>}
      {report.readers.length > 0 && (
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Reader</th>
              <th scope="col">Read</th>
              <th scope="col">Decided</th>
              <th scope="col">Since</th>
              <th scope="col">Last</th>
              <th scope="col">Changed after seeing others'</th>
            </tr>
          </thead>
          <tbody>
            {report.readers.map(({ reading }) => (
              <tr key={reading.reader.id}>
                <th scope="row">{reading.reader.name}</th>
                <td>{reading.role === "blind" ? "blind" : "openly"}</td>
                <td>
                  {reading.decided} of {report.sample.heads}
                </td>
                <td>{timeInWords(reading.created)}</td>
                <td>{reading.lastAt ? timeInWords(reading.lastAt) : "–"}</td>
                <td>{reading.role === "blind" ? reading.changedAfterReveal : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {report.agreement.map(({ readers: [a, b], heads: both, agreed: same, kappa }) => (
        <p key={`${a.id} ${b.id}`}>
          {a.name} and {b.name}: {same} of {both} heads alike{both > 0 && ` (${shareOf(same, both)})`}, Cohen's κ{" "}
          {kappa === null ? "has no value" : kappa.toFixed(2)}.
        </p>
      ))}
      {!report.hidden &&
        models.map((one) => (
          <Against
            key={one.model}
            title={models.length > 1 ? `${modelInWords(one)}, against readers` : "Model against readers"}
            heads={heads.filter(({ judgedBy }) => judgedBy === one.model)}
            classes={report.classes}
          />
        ))}
    </section>
  );
}

/** One model's classes against the readers' final ones. */
function Against({ title, heads, classes }: { title: string; heads: readonly Head[]; classes: readonly string[] }) {
  const { table, n, agreed } = against(heads, classes);
  if (n === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <p>
        {agreed} of {n} heads alike ({shareOf(agreed, n)}). Rows: final; columns: model.
      </p>
      <table className="figures confusion">
        <thead>
          <tr>
            <td />
            {classes.map((name) => (
              <th key={name} scope="col">
                <ClassMark name={name} classes={classes} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((name, row) => (
            <tr key={name}>
              <th scope="row">
                <ClassMark name={name} classes={classes} />
              </th>
              {classes.map((other, column) => (
                <td key={other} className={row === column ? "same" : ""}>
                  {table[row]![column]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function shareOf(k: number, n: number): string {
  const { low, high } = wilson(k, n);
  return `${percent(k / n)}, 95 % interval ${percent(low)} to ${percent(high)}`;
}
