import { existsSync } from "node:fs";
import { join } from "node:path";
import { type HeadMask, type Morphometry, morphometry, parts, pseudoMask } from "../heads/index.ts";
import { encodeMaskPng, encodePng, type Image, type Mask, readImage } from "../imaging/index.ts";
import { formatCsv, isAndroscopeError, writeFileAtomic } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { namedImages } from "./inputs.ts";
import { atLeast } from "./options.ts";

export const command: Command = {
  name: "masks",
  summary: "Outlines and measures the head nearest the centre of each crop, by image processing alone (stage 0).",
  usage: "<images or folders…> --out DIR",
  example: "androscope masks crops/ --out masks/",
  options: {
    out: {
      type: "string",
      value: "DIR",
      help: "folder for <name>.mask.png, <name>.overlay.png and masks.csv",
      required: true,
    },
    "um-per-px": {
      type: "number",
      value: "X",
      help: "calibration: micrometres per pixel; without it lengths are in pixels only",
    },
  },
  async run({ positionals, options, progress }) {
    const images = await namedImages("masks", positionals);
    const umPerPx = options["um-per-px"] as number | undefined;
    if (umPerPx !== undefined && umPerPx <= 0) atLeast("um-per-px", umPerPx, Number.MIN_VALUE);
    const rows: Record<string, string | number | boolean>[] = [];
    const problems: { path: string; code: string; message: string }[] = [];
    progress.start("Outlining", images.length);
    for (const [i, { path, stem }] of images.entries()) {
      try {
        const image = await readImage(path);
        const head = pseudoMask(image);
        const part = parts(head.mask, head.contrast.plane);
        await writeFileAtomic(join(options.out, `${stem}.mask.png`), await encodeMaskPng(head.mask));
        await writeFileAtomic(
          join(options.out, `${stem}.overlay.png`),
          await encodePng(overlay(image, head.mask, part)),
        );
        rows.push(row(path, head, morphometry(head.mask, part, head.contrast.plane), umPerPx));
      } catch (error) {
        // What one image has wrong is reported; what stops writing stops the run.
        if (
          !isAndroscopeError(error) ||
          (error.code.startsWith("file/") && existsSync(path) && error.code !== "file/unreadable")
        )
          throw error;
        problems.push({ path, code: error.code, message: error.message });
      }
      progress.update(i + 1);
    }
    progress.finish();
    const columns = rows[0] ? Object.keys(rows[0]) : ["path", "reliability", "accepted"];
    await writeFileAtomic(join(options.out, "masks.csv"), formatCsv(columns, rows));
    const accepted = rows.filter((r) => r.accepted).length;
    return {
      json: { out: options.out, masks: rows, problems },
      text: [
        `${accepted} of ${rows.length} heads accepted; masks, overlays and masks.csv in ${options.out}`,
        ...problems.map((p) => `skipped: ${p.message} [${p.code}]`),
        "Research use only; not for diagnosis.",
      ].join("\n"),
      next: [
        "look at the overlays of heads that were not accepted",
        "androscope crossval <folder per class> --out RUN",
      ],
      exitCode: rows.length === 0 ? 1 : 0,
    };
  },
};

function row(
  path: string,
  head: HeadMask,
  measures: Morphometry | undefined,
  umPerPx: number | undefined,
): Record<string, string | number | boolean> {
  const fixed = (value: number | undefined, digits: number) =>
    value === undefined ? "" : Number(value.toFixed(digits));
  return {
    path,
    reliability: fixed(head.reliability, 4),
    accepted: head.accepted,
    area_px: fixed(measures?.areaPx, 0),
    length_px: fixed(measures?.lengthPx, 2),
    width_px: fixed(measures?.widthPx, 2),
    angle_deg: fixed(measures?.angleDeg, 2),
    acrosome_share: fixed(measures?.acrosomeShare, 4),
    perimeter_px: fixed(measures?.perimeterPx, 2),
    ellipticity: fixed(measures?.ellipticity, 4),
    elongation: fixed(measures?.elongation, 4),
    rugosity: fixed(measures?.rugosity, 4),
    regularity: fixed(measures?.regularity, 4),
    symmetry: fixed(measures?.symmetry, 4),
    ...(umPerPx === undefined
      ? {}
      : {
          length_um: fixed(measures && measures.lengthPx * umPerPx, 3),
          width_um: fixed(measures && measures.widthPx * umPerPx, 3),
          area_um2: fixed(measures && measures.areaPx * umPerPx ** 2, 3),
        }),
  };
}

/** The crop with the outline in green and the border of the acrosome in yellow. */
function overlay(image: Image, mask: Mask, part: Mask): Image {
  const { width, height } = image;
  const data = image.data.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!mask.data[i]) continue;
      const neighbours = [
        x > 0 ? i - 1 : -1,
        x < width - 1 ? i + 1 : -1,
        y > 0 ? i - width : -1,
        y < height - 1 ? i + width : -1,
      ];
      if (neighbours.some((n) => n < 0 || !mask.data[n])) data.set([0, 220, 130], i * 3);
      else if (neighbours.some((n) => part.data[n] === 3) && part.data[i] === 2) data.set([250, 220, 40], i * 3);
    }
  }
  return { width, height, data };
}
