/** What a report of a sample states: every head in exactly one place of every count, and who read what with what. */
import { cohenKappa } from "../../evaluation/index.ts";
import { hashOf, version } from "../../runs/index.ts";
import type { Counts, Decision, Head, SampleReport, Value } from "../api.ts";
import type { Database } from "./database.ts";
import { isBlindNow, listHeads } from "./heads.ts";
import { listImages } from "./images.ts";
import { logEnd } from "./log.ts";
import { judgedWith, type ModelOpinions, modelsIn } from "./opinions.ts";
import { requireReader } from "./refusals.ts";
import { differ, nameOf } from "./review.ts";
import { sampleOf } from "./samples.ts";

export const RESEARCH_USE = "Research use only; not for diagnosis.";

/** @param settings what else the counts depend on */
export function reportOf(
  db: Database,
  sample: number,
  reader: number,
  classes: readonly string[],
  settings: SampleReport["settings"],
): SampleReport {
  const of = sampleOf(db, sample);
  requireReader(db, reader);
  const hidden = isBlindNow(db, sample, reader);
  const heads = listHeads(db, { sample, reader });
  const images = listImages(db, sample);
  const described = [...images.flatMap(({ analyser }) => analyser ?? []), ...judgedWith(db, sample)];
  const analysers = [...new Map(described.map((analyser) => [hashOf(analyser), analyser] as const)).values()];
  const names = [...new Set([...classes, ...analysers.flatMap((one) => one.classes)])];
  // Who only looked has read nothing.
  const readers = of.readings.filter(({ role, decided }) => role === "blind" || decided > 0);
  const shown = readers.filter((reading) => !hidden || reading.reader.id === reader);
  const decisionOf = (head: Head, who: number) => all(head).find((decision) => decision.reader.id === who);
  const pairs = shown.flatMap((a, i) => shown.slice(i + 1).map((b) => [a.reader, b.reader] as const));
  return {
    sample: of,
    hidden,
    classes: names,
    model: modelCounts(heads, names),
    // Decided heads keep the opinion of a former model: its count would tell which ones others have decided.
    models: (hidden ? [] : modelsIn(db, sample)).map((one) => ({
      analyser: one.analyser,
      heads: one.heads,
      counts: countsOf(one, names),
    })),
    readers: shown.map((reading) => ({
      reading,
      counts: counted(
        heads.map((head) => decisionOf(head, reading.reader.id)?.value),
        names,
      ),
    })),
    final: hidden ? null : counted(heads.map(finalOf), names),
    agreement: pairs.map(([a, b]) => {
      const both = heads.flatMap((head) => {
        const [x, y] = [decisionOf(head, a.id), decisionOf(head, b.id)];
        return x && y ? [[labelOf(x.value, names), labelOf(y.value, names)] as const] : [];
      });
      const kappa =
        both.length > 0
          ? cohenKappa(
              both.map(([x]) => x),
              both.map(([, y]) => y),
              names.length + 1,
            )
          : Number.NaN;
      return {
        readers: [a, b],
        heads: both.length,
        agreed: both.filter(([x, y]) => x === y).length,
        kappa: Number.isFinite(kappa) ? kappa : null,
      };
    }),
    images,
    analysers,
    program: `androscope ${version()}`,
    settings,
    log: logEnd(db),
    made: new Date().toISOString(),
    use: RESEARCH_USE,
  };
}

/** All decisions on a head that may be seen. */
export const all = (head: Head): Decision[] => [...(head.decision ? [head.decision] : []), ...head.others];

/** Every exclusion counts as one label beside the classes. */
const labelOf = (value: Value, classes: readonly string[]) =>
  value.kind === "class" ? classes.indexOf(value.class) : classes.length;

/** The consensus; without one what all who decided agree on; `"disputed"`, or undefined where nobody decided. */
export function finalOf(head: Head): Value | "disputed" | undefined {
  if (head.consensus) return head.consensus.value;
  const values = all(head).map(({ value }) => value);
  return differ(values) ? "disputed" : values[0];
}

const none = (classes: readonly string[]): Counts => ({
  classes: Object.fromEntries(classes.map((name) => [name, 0])),
  excluded: { "no-head": 0, cut: 0, unjudgeable: 0 },
  ...{ cut: 0, refused: 0, undecided: 0, disputed: 0 },
});

function counted(values: readonly (Value | "disputed" | undefined)[], classes: readonly string[]): Counts {
  const counts = none(classes);
  for (const value of values) {
    if (value === undefined) counts.undecided++;
    else if (value === "disputed") counts.disputed++;
    else if (value.kind === "excluded") counts.excluded[value.why]++;
    else counts.classes[value.class] = (counts.classes[value.class] ?? 0) + 1;
  }
  return counts;
}

function modelCounts(heads: readonly Head[], classes: readonly string[]): Counts {
  const counts = none(classes);
  for (const { state, modelClass } of heads) {
    if (state === "cut" || state === "refused") counts[state]++;
    else if (modelClass === null) counts.undecided++;
    else counts.classes[modelClass] = (counts.classes[modelClass] ?? 0) + 1;
  }
  return counts;
}

/** One model's opinions alone: heads that it was asked about. */
function countsOf({ said }: ModelOpinions, classes: readonly string[]): Counts {
  const counts = none(classes);
  for (const { state, modelClass, heads } of said) {
    if (state !== "head") counts[state] += heads;
    else if (modelClass === null) counts.undecided += heads;
    else counts.classes[modelClass] = (counts.classes[modelClass] ?? 0) + heads;
  }
  return counts;
}

/** For tables: `Normal`, `excluded: cut`, `disputed` or nothing. */
export function inWords(value: Value | "disputed" | null | undefined): string {
  if (!value) return "";
  if (value === "disputed") return value;
  return value.kind === "class" ? value.class : nameOf(value).replace(" ", ": ");
}
