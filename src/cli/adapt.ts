import { openDataset } from "../datasets/index.ts";
import { adaptModel, type ModelComparison, verdictOf, wilson } from "../evaluation/index.ts";
import { BUNDLED_MODEL, writeModel } from "../learning/index.ts";
import { AndroscopeError, readBytes, requireWritable, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { atLeast, DATASET_OPTIONS, datasetOptions } from "./options.ts";

export const command: Command = {
  name: "adapt",
  summary:
    "Teaches a finished model your laboratory's crops: its last layer is learned again from two thirds of them, and the new model is compared with the old one on the third that is left, which it never saw. Crops of one group (the group column of a manifest) stay together. Takes seconds where train takes minutes, and needs a few dozen crops.",
  usage: "<dataset> --out FILE [--model M]",
  example: "androscope adapt crops/ --out adapted.onnx",
  options: {
    model: {
      type: "string",
      value: "M",
      help: "model.onnx to begin with; without it the one that comes with the program (models/hushem.md)",
    },
    out: { type: "string", value: "FILE", help: "the new model (required); not written where nothing better is found" },
    seed: { type: "integer", value: "N", help: "of which crops are held out", default: 1 },
    threads: { type: "integer", value: "N", help: "threads per operator", default: 2 },
    ...DATASET_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0 || options.out === undefined) {
      throw new AndroscopeError("usage/missing-argument", {
        expected: "one dataset, and --out",
        found: positionals.join(" ") || "nothing",
        fix: "See androscope adapt --help.",
      });
    }
    await requireWritable(options.out);
    const where = options.model ?? BUNDLED_MODEL;
    const model = await readBytes(where);
    const dataset = await openDataset(path, datasetOptions(options));
    const adapted = await adaptModel({
      ...{ model, where, dataset, program: `androscope ${version()}`, progress },
      seed: atLeast("seed", options.seed, 0),
      threads: atLeast("threads", options.threads, 1),
    });
    const { comparison, learned, strength, tried, classes, problems } = adapted;
    if (adapted.model) await writeModel(options.out, adapted.model);
    const out = adapted.model ? options.out : null;
    const finite = (value: number) => (Number.isFinite(value) ? value : null);
    return {
      json: {
        ...{ model: out, strength: finite(strength), learned, comparison, classes, problems },
        tried: tried.map((one) => ({ ...one, strength: finite(one.strength) })),
        use: "Research use only; not for diagnosis.",
      },
      text: [
        ...problems.map(({ id, message }) => `skipped ${id}: ${message}`),
        `Learned from ${learned.heads} crops in ${learned.groups} groups; compared on ${comparison.heads} others in ${comparison.groups}.`,
        ...table(comparison, classes),
        verdict(comparison),
        out ? `Model: ${out}` : "Nothing better than the old last layer was found; no model was written.",
        "Research use only; not for diagnosis.",
      ].join("\n"),
      ...(out ? { next: [`androscope predict --model ${out} new/   classifies new crops with it`] } : {}),
    };
  },
};

function table({ heads, correct, classes }: ModelComparison, names: readonly string[]): string[] {
  const width = Math.max(...names.map((name) => name.length));
  const share = (right: number) => {
    const { low, high } = wilson(right, heads);
    return `${right} of ${heads}, ${percent(right / heads)} (${percent(low)} to ${percent(high)})`;
  };
  return [
    `  before  ${share(correct.before)}`,
    `  after   ${share(correct.after)}`,
    ...classes.map(
      ({ heads: of, before, after }, c) => `    ${names[c]!.padEnd(width)}  ${before} → ${after} of ${of} found`,
    ),
  ];
}

function verdict({ heads, correct, interval, mended, spoilt }: ModelComparison): string {
  const gain = points((correct.after - correct.before) / heads);
  return `${gain} points (95 % interval ${points(interval.low)} to ${points(interval.high)}), ${mended} mended, ${spoilt} spoilt. ${verdictOf(interval)}`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
