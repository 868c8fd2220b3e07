/** The count of a sample in a document for programs and in a page for people. Neither hides what was not counted. */
import type { Interval } from "../../evaluation/index.ts";
import { isCounted } from "../counts.ts";
import type { Agreement } from "../replicates.ts";
import type { ClassShare, SampleStatistics } from "../statistics.ts";
import { colourOf } from "./colours.ts";
import { type AnalysedPicture, type AnalysedSample, RESEARCH_USE } from "./sample.ts";
import { verdictOf } from "./verdicts.ts";

export function summaryDocument(sample: AnalysedSample, statistics: SampleStatistics, replicates?: Agreement) {
  const { analyser, pictures, problems = [], criteria } = sample;
  return {
    use: RESEARCH_USE,
    analyser,
    statistics,
    ...(replicates ? { replicates } : {}),
    ...(criteria ? { criteria: limitCounts(sample) } : {}),
    colours: Object.fromEntries(analyser.classes.map((name, c) => [name, colourOf(c)])),
    pictures: pictures.map((picture) => ({
      path: picture.path,
      width: picture.analysis.width,
      height: picture.analysis.height,
      umPerPx: picture.umPerPx ?? null,
      ...tally(picture),
    })),
    problems,
  };
}

function tally({ analysis: { heads }, excluded }: AnalysedPicture) {
  const of = (state: string) => heads.filter((head) => head.state === state).length;
  const counted = heads.filter((head) => isCounted(head, excluded)).length;
  return { counted, refused: of("refused"), cut: of("cut"), excluded: of("head") - counted };
}

/** How the counted heads stand to every limit, and to all of them by what the network calls them. */
export function limitCounts({ pictures, criteria, normalClass }: AnalysedSample) {
  if (criteria === undefined) return undefined;
  const none = () => ({ inside: 0, below: 0, above: 0, unknown: 0 });
  const byLimit = criteria.limits.map((limit) => ({ ...limit, counted: none() }));
  const together = () => ({ inside: 0, outside: 0, unknown: 0 });
  const network = { normal: together(), other: together() };
  for (const { analysis, excluded, umPerPx } of pictures) {
    for (const head of analysis.heads.filter((found) => isCounted(found, excluded))) {
      const { label, limits, withinLimits } = verdictOf(head, { umPerPx, criteria, normalClass });
      for (const [i, { verdict }] of limits.entries()) byLimit[i]!.counted[verdict]++;
      network[label === normalClass ? "normal" : "other"][withinLimits]++;
    }
  }
  const { name, version, source } = criteria;
  return { name, version, source, limits: byLimit, networkAndLimits: network };
}

export type SummaryDocument = ReturnType<typeof summaryDocument>;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const range = ({ low, high }: Interval) => `${(100 * low).toFixed(1)} to ${percent(high)}`;

/** A page of plain text. */
export function summaryText(sample: AnalysedSample, statistics: SampleStatistics, replicates?: Agreement): string {
  const { analyser, pictures, problems = [] } = sample;
  const { counted, normal, refused, cut, excluded, warnings } = statistics;
  const size = Math.max(...statistics.classes.map(({ name }) => name.length));
  const line = ({ name, count, share, interval, corrected }: ClassShare, c: number) =>
    [
      `  ${name.padEnd(size)}  ${String(count).padStart(5)}`,
      share === null ? "no share" : `${percent(share)} (${range(interval)})`,
      ...(corrected ? [`corrected ${percent(corrected.share)} (${range(corrected.interval)})`] : []),
      `drawn ${colourOf(c).name}`,
    ].join("  ");
  return [
    RESEARCH_USE,
    "",
    `${counted} heads counted in ${pictures.length} ${pictures.length === 1 ? "picture" : "pictures"}. Shares with 95 % intervals:`,
    ...statistics.classes.map(line),
    `Normal means the class ${normal.name}: ${normal.share === null ? "no share" : `${percent(normal.share)} (${range(normal.interval)})`}.`,
    ...(normal.corrected ? [CORRECTED] : []),
    "",
    "Found and not counted:",
    `  refused   ${refused.total} (by the detector ${refused.detector}, for the mask ${refused.mask}, for the size ${refused.size})`,
    `  cut       ${cut}`,
    `  excluded  ${excluded}`,
    ...(problems.length > 0 ? [`  pictures that could not be used  ${problems.length}`] : []),
    ...problems.map(({ message, code }) => `    ${message} [${code}]`),
    ...(warnings.length > 0 ? ["", ...warnings.map(({ message }) => `Warning: ${message}`)] : []),
    ...(replicates ? ["", replicatesText(replicates)] : []),
    ...limitsText(sample),
    "",
    `${analyser.program}; model ${analyser.model.slice(0, 12)}${analyser.adapted ? ` (its last layer learned again from ${analyser.adapted.heads} reviewed heads)` : ""}, detector ${analyser.detector.slice(0, 12)}; models: ${analyser.licence}.`,
    "",
  ].join("\n");
}

const CORRECTED =
  "The corrected shares allow for what the classifier confused in its cross-validation. They hold where it errs as it did there: the same stain, microscope and scale.";

function replicatesText({ difference, interval, limit, acceptable }: Agreement): string {
  return `Two counts differ by ${(100 * difference).toFixed(1)} points (95 % interval ${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)}); counting alone explains up to ${(100 * limit).toFixed(1)}: ${acceptable ? "acceptable" : "not acceptable, count again"}.`;
}

function limitsText(sample: AnalysedSample): string[] {
  const found = limitCounts(sample);
  if (found === undefined) return [];
  const { normal, other } = found.networkAndLimits;
  return [
    "",
    `Limits of ${found.name}, version ${found.version} (they change no class):`,
    ...found.limits.map(({ measure, unit, low, high, counted }) => {
      const [from, to] = [low === undefined ? "" : `from ${low} `, high === undefined ? "" : `up to ${high} `];
      const bounds = `${measure} ${from}${to}${unit.startsWith("µm") ? unit : ""}`.trimEnd();
      return `  ${bounds}: ${counted.inside} inside, ${counted.below} below, ${counted.above} above, ${counted.unknown} unknown`;
    }),
    `  normal by the network: ${normal.inside} within all limits, ${normal.outside} beyond one, ${normal.unknown} unknown`,
    `  other by the network:  ${other.inside} within all limits, ${other.outside} beyond one, ${other.unknown} unknown`,
  ];
}
