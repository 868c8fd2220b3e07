import type { Counts, SampleReport } from "../../../src/server/api.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { percent, plural } from "../numbers/format.ts";
import { shortModel } from "../review/models.ts";
import { sharesOf } from "./tally.ts";

interface Column {
  name: string;
  more: string;
  counts: Counts;
}

/** Every head in exactly one row of every column; shares are of the heads that have a class. */
export function CountsTable({ report }: { report: SampleReport }) {
  const several = report.models.length > 1;
  const columns: Column[] = [
    ...(report.final ? [{ name: "Final", more: "consensus, else all who read agree", counts: report.final }] : []),
    ...report.readers.map(({ reading: { reader, role }, counts }) => ({
      ...{ name: reader.name, more: role === "blind" ? "read blind" : "read openly", counts },
    })),
    { name: "Model", more: several ? "whichever judged each head" : "alone", counts: report.model },
    // Their errors differ: side by side, never only mixed.
    ...(several
      ? report.models.map(({ analyser, heads, counts }) => ({
          ...{ name: `Model ${shortModel(analyser.model)}`, more: `its ${plural(heads, "head")} alone`, counts },
        }))
      : []),
  ];
  const shares = columns.map(({ counts }) => sharesOf(counts, report.classes));
  const rest: [string, (counts: Counts) => number][] = [
    ["No head", ({ excluded }) => excluded["no-head"]],
    ["Cut off", ({ excluded, cut }) => excluded.cut + cut],
    ["Cannot be judged", ({ excluded }) => excluded.unjudgeable],
    ["Refused by the analysis", ({ refused }) => refused],
    ["Disputed", ({ disputed }) => disputed],
    ["Undecided", ({ undecided }) => undecided],
  ];
  return (
    <section>
      <h2>Counts</h2>
      <table className="figures">
        <thead>
          <tr>
            <td />
            {columns.map(({ name, more }) => (
              <th key={name} scope="col">
                {name}
                <span className="soft">{more}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.classes.map((name, i) => (
            <tr key={name}>
              <th scope="row">
                <ClassMark name={name} classes={report.classes} />
              </th>
              {columns.map((column, c) => {
                const found = shares[c]?.shares[i];
                return (
                  <td key={column.name}>
                    {found ? (
                      <>
                        <strong>{found.count}</strong> {percent(found.share)}
                        <span className="interval">
                          {percent(found.interval.low)} to {percent(found.interval.high)}
                        </span>
                        <Range low={found.interval.low} at={found.share} high={found.interval.high} tone={i % 8} />
                      </>
                    ) : (
                      "–"
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
          <tr className="sum">
            <th scope="row">With a class</th>
            {columns.map(({ name }, c) => (
              <td key={name}>{shares[c]?.of ?? 0}</td>
            ))}
          </tr>
          {rest
            .filter(([, count]) => columns.some(({ counts }) => count(counts) > 0))
            .map(([name, count]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {columns.map((column) => (
                  <td key={column.name}>{count(column.counts)}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
      <p className="soft">
        Shares of the heads that have a class, with Wilson's 95 % interval. The interval tells what chance alone does
        with so few heads; it knows nothing of how the smear was made or of mistakes in reading. No share is corrected
        for what a model is known to confuse.
      </p>
      {several && (
        <p className="warning">
          The heads carry the opinions of {report.models.length} models. Each errs in its own way, so the column Model
          mixes them, and each one's own heads stand beside it: decided heads keep the opinion that they were decided
          with, so these are no equal samples of the smear and do not tell which model is better.
        </p>
      )}
    </section>
  );
}

/** A share with its interval, from 0 to 1. */
function Range({ low, at, high, tone }: { low: number; at: number; high: number; tone: number }) {
  return (
    <svg className={`range c${tone}`} viewBox="0 0 100 8" width="100" height="8" aria-hidden="true">
      <line className="ground" x1="0" x2="100" y1="4" y2="4" />
      <line className="interval" x1={100 * low} x2={100 * high} y1="4" y2="4" />
      <circle cx={100 * at} cy="4" r="3" />
    </svg>
  );
}
