/**
 * The manifest: a CSV `path,label,group,patient,fold,um_per_px,rater1..raterN`. Only `path` is required; paths are
 * relative to the manifest and stay below it; empty cells mean unknown.
 */
import { basename, dirname, isAbsolute, posix, relative, resolve, sep } from "node:path";
import { readImage } from "../imaging/index.ts";
import { AndroscopeError, formatCsv, parseCsv, readText } from "../runs/index.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";
import { fromFiles } from "./files.ts";

const KNOWN = new Set(["path", "label", "group", "patient", "fold", "um_per_px"]);

/** Reads CSV, turning its errors into the catalogue's. */
export async function readTable(path: string) {
  const text = await readText(path);
  if (text.includes("\uFFFD") || text.includes("\0")) {
    throw new AndroscopeError("manifest/bad-header", {
      expected: "a CSV file in UTF-8",
      found: text.includes("\0") ? "binary data" : "another encoding",
      where: path,
      fix: "Save it as CSV in UTF-8, or give the folder of the images instead.",
    });
  }
  try {
    return parseCsv(text);
  } catch (cause) {
    if (cause instanceof AndroscopeError) throw cause;
    throw new AndroscopeError("manifest/bad-row", {
      expected: "rows with as many fields as the header",
      found: (cause as Error).message,
      where: path,
      fix: "Correct that line; fields with commas need quotes.",
      cause,
    });
  }
}

export async function openManifest(path: string): Promise<Dataset> {
  const { header, rows } = await readTable(path);
  const raters = header.filter((name) => /^rater\d+$/.test(name));
  const unknown = header.filter((name) => !KNOWN.has(name) && !raters.includes(name));
  if (!header.includes("path") || unknown.length > 0 || new Set(header).size !== header.length) {
    throw new AndroscopeError("manifest/bad-header", {
      expected: "columns path,label,group,patient,fold,um_per_px,rater1..raterN, of which only path is required",
      found: header.join(",").slice(0, 200) || "an empty file",
      where: path,
      fix: unknown.length > 0 ? `Rename or remove ${unknown.join(", ").slice(0, 200)}.` : "Write each column once.",
    });
  }
  const labels = new Set<string>();
  for (const { cells } of rows) for (const column of ["label", ...raters]) if (cells[column]) labels.add(cells[column]);
  const classes = [...labels].sort();
  const root = dirname(path);
  const samples: Sample[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  for (const { line, cells } of rows) {
    const id = normalId(cells.path!);
    const problem = rowProblem(id, cells, seen.get(id));
    if (problem) {
      problems.push({ id, code: "manifest/bad-row", message: `${basename(path)} line ${line}: ${problem}` });
      continue;
    }
    seen.set(id, line);
    const classOf = (name: string | undefined) => (name ? classes.indexOf(name) : undefined);
    samples.push({
      id,
      ...optional("label", classOf(cells.label)),
      ...optional("fold", cells.fold || undefined),
      ...optional("group", cells.group || undefined),
      ...optional("patient", cells.patient || undefined),
      ...optional("umPerPx", cells.um_per_px ? Number(cells.um_per_px) : undefined),
      ...(raters.length > 0 ? { raters: raters.map((name) => classOf(cells[name]) ?? null) } : {}),
      load: () => readImage(`${root}/${id}`),
    });
  }
  return fromFiles("manifest", root, classes, samples, problems);
}

/** A path as written in a table, as the id of a sample. */
export function normalId(path: string): string {
  return posix.normalize(path.replaceAll("\\", "/"));
}

function rowProblem(
  id: string,
  cells: Readonly<Record<string, string>>,
  earlier: number | undefined,
): string | undefined {
  if (!cells.path) return "the path is empty";
  if (isAbsolute(cells.path) || /^[A-Za-z]:/.test(cells.path))
    return `${cells.path} is absolute; paths are relative to the manifest`;
  if (id === ".." || id.startsWith("../")) return `${cells.path} leads out of the manifest's folder`;
  if (earlier !== undefined) return `${cells.path} stands already on line ${earlier}`;
  if (cells.um_per_px && !(Number(cells.um_per_px) > 0))
    return `um_per_px is ${cells.um_per_px}, not a positive number`;
  return undefined;
}

export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

/**
 * The manifest of a dataset, to be stored as `file`: in the dataset's folder or one above it, for its paths lead down.
 * @throws `data/unknown-kind` for images in arrays, `usage/bad-value` for a file elsewhere
 */
export function formatManifest({ classes, samples, root, kind }: Dataset, file: string): string {
  if (samples.some(({ id }) => /\.npy#\d+$/.test(id))) {
    throw new AndroscopeError("data/unknown-kind", {
      expected: "a dataset of image files",
      found: `images inside arrays (${kind})`,
      where: root,
      fix: "Open its folder as it is; it needs no manifest.",
    });
  }
  const down = relative(resolve(dirname(file)), resolve(root))
    .split(sep)
    .join("/");
  if (down === ".." || down.startsWith("../") || isAbsolute(down)) {
    throw new AndroscopeError("usage/bad-value", {
      expected: "a file in the dataset's folder or one above it",
      found: file,
      fix: `Write it to ${root}: its paths are relative to it and may not lead up.`,
    });
  }
  const raters = Math.max(0, ...samples.map((s) => s.raters?.length ?? 0));
  const raterNames = Array.from({ length: raters }, (_, i) => `rater${i + 1}`);
  const name = (index: number | null | undefined) => (index === null || index === undefined ? "" : classes[index]);
  return formatCsv(
    ["path", "label", "group", "patient", "fold", "um_per_px", ...raterNames],
    samples.map((s) => ({
      path: posix.join(down, s.id),
      label: name(s.label),
      group: s.group,
      patient: s.patient,
      fold: s.fold,
      um_per_px: s.umPerPx,
      ...Object.fromEntries(raterNames.map((r, i) => [r, name(s.raters?.[i])])),
    })),
  );
}
