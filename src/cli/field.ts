/** `androscope field`: heads of whole photographs found, measured, classified and counted; and detectors learned from some. */
import { join } from "node:path";
import {
  Analyser,
  BUNDLED_CONFUSION,
  BUNDLED_CRITERIA,
  compareReplicates,
  countSample,
  learnFields,
  loadConfusion,
  loadCriteria,
  summaryText,
  writeDetector,
} from "../fields/index.ts";
import { readImage } from "../imaging/index.ts";
import { AndroscopeError, readJson, requireWritable, version } from "../runs/index.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { namedImages } from "./inputs.ts";
import { atLeast, positive } from "./options.ts";

export const command: Command = {
  name: "field",
  summary:
    "Finds every head in whole photographs of smears, outlines, measures and classifies it, and counts the sample: share of each class with its interval, what was refused or cut by the border stated beside it. `field learn` learns a detector from photographs that nobody has labelled, for microscopes and stains that the one that comes with the program does not know.",
  usage: "<photographs or folders…> --out DIR | learn <photographs or folders…> --out FILE.detector",
  example: "androscope field smear/ --um-per-px 0.06 --out counts/smear",
  options: {
    out: {
      type: "string",
      value: "PATH",
      help: "folder for overlays/, geojson/ (QuPath), heads.csv, coco.json, summary.json and summary.txt; learn: the file of the detector",
      required: true,
    },
    model: {
      type: "string",
      value: "M",
      help: "model.onnx of androscope train; without it the one that comes with the program, trained on HuSHeM (models/hushem.md)",
    },
    detector: {
      type: "string",
      value: "FILE",
      help: "a detector of androscope field learn; without it the one that comes with the program (models/hushem-detector.md)",
    },
    "head-length": {
      type: "number",
      value: "PX",
      help: "how many pixels a usual head is long; without it estimated from some of the photographs",
    },
    "um-per-px": {
      type: "number",
      value: "X",
      help: "calibration: micrometres per pixel; without it lengths are in pixels only",
    },
    criteria: {
      type: "string",
      value: "FILE",
      help: `limits that heads are held against, beside the network: ${Object.keys(BUNDLED_CRITERIA).join(", ")} or a file (docs/criteria.md)`,
      default: "who-2021",
    },
    normal: {
      type: "string",
      value: "CLASS",
      help: "the class that counts as normal; without it the one named normal",
    },
    confusion: {
      type: "string",
      value: "RUN",
      help: "a cross-validation of the model (its folder or metrics.json), whose confusion corrects the shares; the program's own model brings its own",
    },
    replicate: { type: "string", value: "DIR", help: "another count of the same sample, to be compared with this one" },
    "no-overlays": { type: "boolean", help: "draw no pictures" },
    seed: { type: "integer", value: "N", help: "learn: the seed", default: 1 },
    steps: {
      type: "integer",
      value: "N",
      help: "learn: training steps; more photographs are worth more",
      default: 500,
    },
    source: { type: "string", value: "TEXT", help: "learn: what the photographs are, for the file" },
    licence: { type: "string", value: "TEXT", help: "learn: what may be done with them, for the file" },
    threads: { type: "integer", value: "N", help: "threads per operator", default: 2 },
    resume: { type: "boolean", help: "go on in a folder where a count was interrupted" },
  },
  async run(invocation) {
    const [first, ...rest] = invocation.positionals;
    return first === "learn" ? learn(rest, invocation) : count(invocation);
  },
};

async function count({ positionals, options, progress }: Invocation): Promise<CommandResult> {
  const { images, skipped } = await namedImages("field", positionals);
  const umPerPx = positive("um-per-px", options["um-per-px"]);
  const headLength = positive("head-length", options["head-length"]);
  const threads = atLeast("threads", options.threads, 1);
  const named = BUNDLED_CRITERIA[options.criteria as keyof typeof BUNDLED_CRITERIA];
  const criteria = await loadCriteria(named ?? options.criteria);
  const analyser = await Analyser.open({ model: options.model, detector: options.detector, threads });
  try {
    const matrix = options.confusion ?? (options.model === undefined ? BUNDLED_CONFUSION : undefined);
    const confusion = matrix && (await loadConfusion(matrix, analyser.description.classes));
    const {
      statistics,
      sample,
      files,
      headLength: length,
    } = await countSample({
      analyser,
      paths: images.map(({ path }) => path),
      out: options.out,
      resume: options.resume,
      headLength,
      umPerPx,
      criteria,
      normal: options.normal,
      confusion,
      overlays: !options["no-overlays"],
      version: version(),
      progress,
    });
    const replicates = options.replicate && compareReplicates(await normalIn(options.replicate), countOf(statistics));
    const problems = [...skipped, ...(sample.problems ?? [])];
    return {
      json: { out: options.out, headLength: length, statistics, replicates, files, problems },
      text: [
        summaryText(sample, statistics, replicates).trimEnd(),
        "",
        ...skipped.map((p) => `skipped: ${p.message} [${p.code}]`),
        `A usual head was taken to be ${length.toFixed(0)} pixels long.`,
        `Written: ${options.out}`,
      ].join("\n"),
      next: [
        `look at ${join(options.out, "overlays")}: outlines that are wrong, heads that were refused`,
        "androscope app   corrects a count by hand, head by head",
      ],
      exitCode: sample.pictures.length === 0 ? 1 : 0,
    };
  } finally {
    analyser.dispose();
  }
}

const countOf = ({ normal, counted }: { normal: { count: number }; counted: number }) => ({
  count: normal.count,
  total: counted,
});

/** How many were normal in another count. */
async function normalIn(folder: string): Promise<{ count: number; total: number }> {
  const file = join(folder, "summary.json");
  const { statistics } = await readJson<{ statistics?: { normal: { count: number }; counted: number } }>(file);
  if (statistics?.normal === undefined || !(statistics.counted > 0)) {
    throw new AndroscopeError("file/unreadable", {
      expected: "the summary of a count of androscope field with counted heads",
      found: "something else",
      where: file,
      fix: "Name the folder of another count.",
    });
  }
  return countOf(statistics);
}

async function learn(names: string[], { options, progress }: Invocation): Promise<CommandResult> {
  const { images, skipped } = await namedImages("field", names);
  const threads = atLeast("threads", options.threads, 1);
  await requireWritable(options.out);
  const detector = await learnFields({
    images: images.map(
      ({ path }) =>
        () =>
          readImage(path),
    ),
    headLength: positive("head-length", options["head-length"]),
    source: options.source ?? `${images.length} photographs`,
    licence: options.licence ?? "not stated",
    program: `androscope ${version()}`,
    seed: options.seed,
    threads,
    settings: { steps: atLeast("steps", options.steps, 1) },
    onProblem: (index, { code, message }) => skipped.push({ path: images[index]!.path, code, message }),
    progress,
  });
  await writeDetector(options.out, detector);
  const { training } = detector;
  return {
    json: { detector: options.out, training, problems: skipped },
    text: [
      `Learned from ${training.candidates} candidates in ${training.images} photographs, heads of ${training.headLength.toFixed(0)} pixels.`,
      ...skipped.map((p) => `skipped: ${p.message} [${p.code}]`),
      `Written: ${options.out}`,
      "Research use only; not for diagnosis.",
    ].join("\n"),
    next: [`androscope field <photographs> --detector ${options.out} --out DIR`],
  };
}
