import { join } from "node:path";
import { type HeadMask, type Morphometry, morphometry, parts, pseudoMask, vacuoles } from "../heads/index.ts";
import { encodeMaskPng, encodePng, type Image, type Mask } from "../imaging/index.ts";
import { formatCsv, writeFileAtomic } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { namedImages, readOrSkip } from "./inputs.ts";
import { positive } from "./options.ts";

export const command: Command = {
  name: "masks",
  summary:
    "Outlines and measures the head nearest the centre of each crop, by image processing alone (stage 0). Images that cannot be read are listed and skipped; the exit status is 1 only where none is left.",
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
    const { images, skipped } = await namedImages("masks", positionals, options.out);
    const umPerPx = positive("um-per-px", options["um-per-px"]);
    const rows: Record<string, string | number | boolean | null>[] = [];
    progress.start("Outlining", images.length);
    for (const [i, { path, stem }] of images.entries()) {
      const image = await readOrSkip(path, skipped);
      if (image) {
        const head = pseudoMask(image);
        const part = parts(head.mask, head.contrast.plane);
        const file = (kind: string) => join(options.out, `${stem}.${kind}.png`);
        await writeFileAtomic(file("mask"), await encodeMaskPng(head.mask));
        const spots = vacuoles(head.mask, head.contrast.plane).map;
        await writeFileAtomic(file("overlay"), await encodePng(overlay(image, head.mask, part, spots)));
        const measures = morphometry(head.mask, part, head.contrast.plane);
        rows.push({ ...row(path, head, measures, umPerPx), mask: `${stem}.mask.png` });
      }
      progress.update(i + 1);
    }
    progress.finish();
    await writeFileAtomic(join(options.out, "masks.csv"), formatCsv(columnsOf(umPerPx), rows));
    const accepted = rows.filter((r) => r.accepted).length;
    return {
      json: { out: options.out, masks: rows, problems: skipped },
      text: [
        `${accepted} of ${rows.length} heads accepted; masks, overlays and masks.csv in ${options.out}`,
        ...skipped.map((p) => `skipped: ${p.message} [${p.code}]`),
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

/** The columns, also where there is no row. */
function columnsOf(umPerPx: number | undefined): string[] {
  return [
    ...["path", "reliability", "accepted", "area_px", "length_px", "width_px", "angle_deg", "acrosome_share"],
    ...["perimeter_px", "ellipticity", "elongation", "rugosity", "regularity", "symmetry"],
    ...(umPerPx === undefined ? [] : ["length_um", "width_um", "area_um2"]),
    "mask",
  ];
}

function row(
  path: string,
  head: HeadMask,
  measures: Morphometry | undefined,
  umPerPx: number | undefined,
): Record<string, string | number | boolean | null> {
  const fixed = (value: number | undefined, digits: number) =>
    value === undefined ? null : Number(value.toFixed(digits));
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

/** The crop with the outline in green, the border of the acrosome in yellow and vacuole candidates in white. */
function overlay(image: Image, mask: Mask, part: Mask, spots: Mask): Image {
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
      else if (spots.data[i] && neighbours.some((n) => !spots.data[n])) data.set([255, 255, 255], i * 3);
    }
  }
  return { width, height, data };
}
