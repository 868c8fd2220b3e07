import { BUNDLED_MODEL, type FilePrediction, predictFiles, usableDevice } from "../learning/index.ts";
import { formatCsv, requireWritable, writeFileAtomic, writeJson } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { namedImages } from "./inputs.ts";
import { atLeast, deviceChoice, positive, TRAINING_OPTIONS } from "./options.ts";

export const command: Command = {
  name: "predict",
  summary:
    "Classifies and measures crops of single heads. Crops that show no head that the model knows are refused: measured, but given no class. Images that cannot be read are listed and skipped; the exit status is 1 only where none is left.",
  usage: "[--model M] <images or folders…> [--out FILE.csv|FILE.json]",
  example: "androscope predict crops/ --out predictions.csv",
  options: {
    model: {
      type: "string",
      value: "M",
      help: "model.onnx of androscope train, or of a fold; without it the one that comes with the program, trained on HuSHeM (models/hushem.md)",
    },
    out: {
      type: "string",
      value: "FILE",
      help: "write CSV, or JSON where the name ends in .json; else CSV is printed",
    },
    "um-per-px": {
      type: "number",
      value: "X",
      help: "calibration: micrometres per pixel; without it lengths are in pixels only",
    },
    threads: { type: "integer", value: "N", help: "cores to use; the result does not depend on it", default: 2 },
    device: {
      ...TRAINING_OPTIONS.device,
      help: "where the network is computed; one thread feeds any but the processor (docs/devices.md)",
    },
  },
  async run({ positionals, options, progress }) {
    const { images, skipped } = await namedImages("predict", positionals);
    const umPerPx = positive("um-per-px", options["um-per-px"]);
    if (options.out) await requireWritable(options.out);
    const threads = atLeast("threads", options.threads, 1);
    const device = await usableDevice(deviceChoice(options.device), { say: (text) => progress.log(text) });
    const model = options.model ?? BUNDLED_MODEL;
    progress.start("Classifying", images.length);
    const { metadata, files } = await predictFiles(
      model,
      images.map(({ path }) => path),
      { threads, device, onProgress: (done) => progress.update(done) },
    );
    progress.finish();
    const { classes } = metadata;
    const rows: Record<string, string | number | null>[] = [];
    for (const file of files) {
      if ("problem" in file) skipped.push({ path: file.path, ...file.problem });
      else rows.push(row(file, classes, umPerPx));
    }
    const csv = formatCsv(columnsOf(classes, umPerPx), rows);
    const document = {
      model: options.model ?? "hushem (comes with the program)",
      classes,
      use: "Research use only; not for diagnosis.",
      predictions: rows,
      problems: skipped,
    };
    if (options.out)
      await (String(options.out).endsWith(".json")
        ? writeJson(options.out, document)
        : writeFileAtomic(options.out, csv));
    const counts = classes.map((name) => `${name} ${rows.filter((r) => r.class === name).length}`).join(", ");
    const refused = rows.filter((r) => r.refused !== null);
    const of = (why: string) => refused.filter((r) => r.refused === why).length;
    const summary = [
      ...(options.model ? [] : [OWN]),
      `${rows.length - refused.length} of ${images.length} classified: ${counts}`,
      ...(refused.length > 0
        ? [
            `${refused.length} refused as no heads that the model knows: ${of("mask")} for an unsteady mask, ${of("size")} for their size`,
          ]
        : []),
      ...skipped.map((p) => `skipped: ${p.message} [${p.code}]`),
      "Research use only; not for diagnosis.",
    ];
    return {
      json: document,
      text: options.out
        ? [...summary, `Written: ${options.out}`].join("\n")
        : [csv.trimEnd(), ...summary.map((line) => `# ${line}`)].join("\n"),
      exitCode: rows.length === 0 ? 1 : 0,
    };
  },
};

const OWN =
  "Model: the program's own, trained on the 216 stained heads of HuSHeM (CC BY 4.0). On other stains and microscopes expect worse: models/hushem.md.";

/** The columns, also where there is no row. */
function columnsOf(classes: readonly string[], umPerPx: number | undefined): string[] {
  return [
    "path",
    "class",
    "refused",
    ...classes.map((name) => `prob_${name}`),
    ...["reliability", "length_px", "width_px", "area_px", "acrosome_share", "angle_deg"],
    ...(umPerPx === undefined ? [] : ["length_um", "width_um", "area_um2"]),
  ];
}

function row(
  { path, prediction, measures }: Extract<FilePrediction, { prediction: unknown }>,
  classes: readonly string[],
  umPerPx: number | undefined,
): Record<string, string | number | null> {
  const fixed = (value: number | undefined, digits: number) =>
    value === undefined ? null : Number(value.toFixed(digits));
  return {
    path,
    class: prediction.refused ? null : classes[prediction.label]!,
    refused: prediction.refused ?? null,
    ...Object.fromEntries(classes.map((name, c) => [`prob_${name}`, fixed(prediction.probabilities[c], 5)])),
    reliability: fixed(prediction.agreement, 4),
    length_px: fixed(measures?.lengthPx, 2),
    width_px: fixed(measures?.widthPx, 2),
    area_px: fixed(measures?.areaPx, 0),
    acrosome_share: fixed(measures?.acrosomeShare, 4),
    angle_deg: fixed(measures?.angleDeg, 2),
    ...(umPerPx === undefined
      ? {}
      : {
          length_um: fixed(measures && measures.lengthPx * umPerPx, 3),
          width_um: fixed(measures && measures.widthPx * umPerPx, 3),
          area_um2: fixed(measures && measures.areaPx * umPerPx ** 2, 3),
        }),
  };
}
