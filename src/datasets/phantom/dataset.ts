/** Phantoms as a dataset, in memory or on disk. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { encodeMaskPng, encodePng } from "../../imaging/index.ts";
import { formatCsv, type Progress, writeFileAtomic, writeJson } from "../../runs/index.ts";
import type { Dataset, Sample } from "../dataset.ts";
import { type PhantomSetOptions, phantomOf } from "./generate.ts";
import { PHANTOM_CLASSES } from "./shapes.ts";

const fileOf = (kind: string, index: number) => `${kind}/phantom_${String(index).padStart(4, "0")}.png`;

/** Phantoms drawn when they are loaded. */
export function phantomDataset(options: PhantomSetOptions): Dataset {
  const classes = options.classes ?? PHANTOM_CLASSES;
  const samples = Array.from({ length: options.count }, (_, i): Sample => {
    const kind = classes[i % classes.length]!;
    return { id: fileOf(kind, i), label: i % classes.length, load: async () => phantomOf(options, i).image };
  });
  // What they are follows from the options and this generator's version.
  const hash = createHash("sha256")
    .update(`phantoms 2 ${JSON.stringify({ ...options, classes })}`)
    .digest("hex");
  return { kind: "phantoms", root: "", classes, samples, problems: [], hash };
}

/** Writes a folder per class, manifest.csv, masks/, parts/ and truth.json. */
export async function writePhantomDataset(
  folder: string,
  options: PhantomSetOptions,
  progress: Progress,
): Promise<{ images: number }> {
  const rows: Record<string, string>[] = [];
  const truth: unknown[] = [];
  progress.start("Drawing phantoms", options.count);
  for (let i = 0; i < options.count; i++) {
    const phantom = phantomOf(options, i);
    const path = fileOf(phantom.kind, i);
    await writeFileAtomic(join(folder, "images", path), await encodePng(phantom.image));
    await writeFileAtomic(join(folder, "masks", path), await encodeMaskPng(phantom.mask));
    await writeFileAtomic(
      join(folder, "parts", path),
      await encodeMaskPng({ ...phantom.parts, data: phantom.parts.data }),
    );
    rows.push({ path: `images/${path}`, label: phantom.kind });
    const { shape, stain, camera, pose, kind } = phantom;
    truth.push({ path, kind, pose, shape, stain, camera });
    progress.update(i + 1);
  }
  await writeFileAtomic(join(folder, "manifest.csv"), formatCsv(["path", "label"], rows));
  await writeJson(join(folder, "truth.json"), { options, phantoms: truth });
  progress.finish();
  return { images: options.count };
}
