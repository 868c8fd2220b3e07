/** `androscope data`: describe, import, write down or draw a dataset. */

import {
  checkImages,
  type Description,
  describeDataset,
  formatManifest,
  importPublicSet,
  type OpenOptions,
  openDataset,
  PUBLIC_SETS,
  requireEmptyFolder,
  writePhantomDataset,
  writeStandIns,
} from "../datasets/index.ts";
import { AndroscopeError, writeFileAtomic } from "../runs/index.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";

const SUBCOMMANDS = ["describe", "import", "manifest", "phantoms"] as const;

export const command: Command = {
  name: "data",
  summary: "Describes a dataset (the default), imports a public one, writes a manifest, or draws phantoms.",
  usage:
    "[describe] PATH | import SET --from SOURCE --to DIR | manifest PATH --out FILE | phantoms [--like scian --votes FILE] --out DIR",
  example: "androscope data import hushem --from hushem.zip --to data/hushem",
  options: {
    from: { type: "string", value: "SOURCE", help: "import: a folder, a zip file or the http(s) address of one" },
    to: { type: "string", value: "DIR", help: "import: a new folder" },
    out: { type: "string", value: "PATH", help: "manifest: the CSV file; phantoms: a new folder" },
    votes: {
      type: "string",
      value: "FILE",
      help: "SCIAN: the experts' votes (default votes_and_folds.csv beside the images); phantoms: those to draw for",
    },
    folds: { type: "string", value: "FILE", help: "a CSV with path,fold to join" },
    agreement: {
      type: "string",
      value: "partial|total",
      help: "SCIAN: a majority, or all experts",
      default: "partial",
    },
    attribute: { type: "string", value: "NAME", help: "MHSMA: head, acrosome, vacuole, tail or all", default: "head" },
    like: {
      type: "string",
      value: "scian",
      help: "phantoms: a stand-in for every image in a file of votes, with its name and size",
    },
    n: { type: "integer", value: "N", help: "phantoms: how many images", default: 300 },
    seed: { type: "integer", value: "N", help: "phantoms: the seed", default: 1 },
  },
  async run(invocation) {
    const [first, ...rest] = invocation.positionals;
    const named = SUBCOMMANDS.find((name) => name === first);
    const args = named ? rest : invocation.positionals;
    switch (named ?? "describe") {
      case "import":
        return importSet(args, invocation);
      case "manifest":
        return manifest(args, invocation);
      case "phantoms":
        return phantoms(args, invocation);
      default:
        return describe(args, invocation);
    }
  },
};

async function describe(args: string[], { options, progress }: Invocation): Promise<CommandResult> {
  const path = one(args, "the path of a dataset");
  const description = await describeDataset(await openDataset(path, openOptions(options)), progress);
  return { json: description, text: descriptionText(description), next: nextSteps(description, path, options.folds) };
}

async function importSet(args: string[], { options, progress }: Invocation): Promise<CommandResult> {
  const set = one(args, "the name of a public set");
  const about = Object.hasOwn(PUBLIC_SETS, set) ? PUBLIC_SETS[set] : undefined;
  if (!about) throw usage(`one of ${Object.keys(PUBLIC_SETS).join(", ")}`, JSON.stringify(set), "See docs/data.md.");
  if (!options.from) {
    throw missing(
      "--from SOURCE",
      `Download ${about.title} from ${about.page} and give the folder, the zip or its address.`,
    );
  }
  if (!options.to) throw missing("--to DIR", "Name a new folder for the images.");
  const result = await importPublicSet(set, options.from, options.to, { progress });
  const lines = [
    `${about.title}: ${result.files} files, all as published, in ${result.root}`,
    `Licence: ${about.licence}. Cite ${about.page}.`,
  ];
  if (result.extra.length > 0) lines.push(`Left out, not part of the set: ${some(result.extra)}`);
  return { json: result, text: lines.join("\n"), next: [`androscope data describe ${options.to}`] };
}

async function manifest(args: string[], { options, progress }: Invocation): Promise<CommandResult> {
  const path = one(args, "the path of a dataset");
  if (!options.out)
    throw missing("--out FILE", "Name the CSV file; inside the dataset's folder its paths are valid as they are.");
  const { dataset } = await checkImages(await openDataset(path, openOptions(options)), progress);
  await writeFileAtomic(options.out, formatManifest(dataset, options.out));
  const { samples, problems, hash } = dataset;
  return {
    json: { manifest: options.out, images: samples.length, problems, hash },
    text: [`${samples.length} images written to ${options.out}`, ...problemLines(problems)].join("\n"),
    next: [`androscope data describe ${options.out}`],
  };
}

async function phantoms(args: string[], invocation: Invocation): Promise<CommandResult> {
  const { options, progress } = invocation;
  if (args.length > 0) throw usage("no further argument", JSON.stringify(args[0]), "Give the folder with --out.");
  if (!options.out) throw missing("--out DIR", "Name a new folder.");
  if (options.n < 1 || options.seed < 0) {
    throw usage("--n of 1 or more and --seed of 0 or more", `${options.n} and ${options.seed}`, "Correct them.");
  }
  await requireEmptyFolder(options.out);
  if (options.like !== undefined) return standIns(options.like, invocation);
  const { images } = await writePhantomDataset(options.out, { count: options.n, seed: options.seed }, progress);
  return {
    json: { root: options.out, images, seed: options.seed },
    text: `${images} phantoms, drawn and not photographed, in ${options.out}, with masks, parts and poses`,
    next: [`androscope data describe ${options.out}`, `androscope crossval ${options.out} --k 5 --out runs/phantoms`],
  };
}

async function standIns(like: string, { options, progress }: Invocation): Promise<CommandResult> {
  if (like !== "scian") throw usage("--like scian", JSON.stringify(like), "Leave it out for phantoms of all classes.");
  if (!options.votes) throw missing("--votes FILE", "Name SCIAN's file of votes: docs/data.md.");
  const { out, seed, votes } = options;
  const { images } = await writeStandIns(out, { votes, seed }, progress);
  return {
    json: { root: out, images, seed, like },
    text: `${images} stand-ins for SCIAN, drawn and not photographed, in ${out}, with the votes`,
    next: [`androscope data describe ${out}`, `androscope crossval ${out} --out runs/stand-ins`],
  };
}

function openOptions(options: Invocation["options"]): OpenOptions {
  const choice = <const T extends string>(name: string, allowed: readonly T[]): T => {
    const value = allowed.find((candidate) => candidate === options[name]);
    if (value === undefined) throw usage(allowed.join(" or "), JSON.stringify(options[name]), `Correct --${name}.`);
    return value;
  };
  return {
    folds: options.folds,
    votes: options.votes,
    agreement: choice("agreement", ["partial", "total"]),
    attribute: choice("attribute", ["head", "acrosome", "vacuole", "tail", "all"]),
  };
}

function one(args: string[], what: string): string {
  if (args.length === 0) throw missing(what, "See androscope data --help.");
  if (args.length > 1) throw usage(what, args.map((arg) => JSON.stringify(arg)).join(" "), "Give one.");
  return args[0]!;
}

const missing = (expected: string, fix: string) =>
  new AndroscopeError("usage/missing-argument", { expected, found: "nothing", fix });
const usage = (expected: string, found: string, fix: string) =>
  new AndroscopeError("usage/bad-value", { expected, found, fix });

function descriptionText(d: Description): string {
  const counts = (table: Readonly<Record<string, number>>) =>
    Object.entries(table)
      .slice(0, 8)
      .map(([name, count]) => `${name} (${count})`)
      .join(", ") + (Object.keys(table).length > 8 ? ", …" : "");
  const width = Math.max(0, ...d.classes.map(({ name }) => name.length));
  const across = (key: "acrossClasses" | "acrossFolds") => d.duplicates.filter((duplicate) => duplicate[key]).length;
  return [
    `${d.publicSet?.title ?? `A dataset of kind "${d.kind}"`}: ${d.images} images in ${d.root}`,
    ...d.classes.map(({ name, count }) => `  ${name.padEnd(width)}  ${count}`),
    ...(d.unlabelled > 0 ? [`  ${"unlabelled".padEnd(width)}  ${d.unlabelled}`] : []),
    `Sizes: ${counts(d.sizes)}`,
    `Formats: ${counts(d.formats)}`,
    ...(Object.keys(d.folds).length > 0 ? [`Folds: ${counts(d.folds)}`] : []),
    ...(d.groups > 0 ? [`Groups: ${d.groups}; in more than one fold: ${d.groupsAcrossFolds}`] : []),
    ...(d.patients > 0 ? [`Patients: ${d.patients}`] : []),
    d.duplicates.length === 0
      ? "Duplicates: none"
      : `Duplicates: ${d.duplicates.length} pictures more than once, ${across("acrossClasses")} across classes, ` +
        `${across("acrossFolds")} across folds: ${some(d.duplicates.map(({ ids }) => ids.join(" = ")))}`,
    ...(d.agreement
      ? [
          `Experts: ${d.agreement.raters}; unanimous on ${d.agreement.unanimous} of ${d.agreement.complete}; ` +
            `pairs agree on ${((d.agreement.pairwise ?? 0) * 100).toFixed(1)} %`,
        ]
      : []),
    ...publicSetLines(d),
    ...problemLines(d.problems),
    `Hash: ${d.hash}`,
  ].join("\n");
}

function publicSetLines({ publicSet, kind }: Description): string[] {
  if (kind === "scian-stand-ins")
    return ["Drawn by Androscope, not photographed: stand-ins for SCIAN. No figure on them says anything of cells."];
  if (!publicSet) return ["Public set: none that is known; its licence is for you to know."];
  const { sums, licence, page, notes } = publicSet;
  return [
    ...(sums ? [`Published files: ${sums.matching} of ${sums.published} by SHA-256`] : []),
    `Licence: ${licence} (${page})`,
    ...notes.map((note) => `Note: ${note}`),
  ];
}

function problemLines(problems: Description["problems"]): string[] {
  if (problems.length === 0) return [];
  const shown = problems.slice(0, 10).map(({ code, message }) => `  ${message} [${code}]`);
  return [`Problems: ${problems.length}`, ...shown, ...(problems.length > 10 ? ["  … (all with --json)"] : [])];
}

function nextSteps(d: Description, path: string, folds: string | undefined): string[] {
  const usable = d.classes.filter(({ count }) => count > 0);
  if (usable.length < 2) return [`androscope masks ${path} --out masks`];
  const smallest = Math.min(...usable.map(({ count }) => count));
  if (Object.keys(d.folds).length > 1)
    return [`androscope crossval ${path}${folds ? ` --folds ${folds}` : ""} --out runs/first`];
  return smallest < 5
    ? [`androscope train ${path} --out runs/first   (a class has ${smallest} images: too few for 5 folds)`]
    : [`androscope crossval ${path} --k 5 --out runs/first`];
}

function some(items: readonly string[]): string {
  return items.slice(0, 5).join("; ") + (items.length > 5 ? `; … (${items.length} in all)` : "");
}
