/**
 * SCIAN-MorphoSpermGS (Chang et al. 2017): 35 × 35 grey heads with the votes of three experts. File names carry the
 * subject, slide, field and cell: `ch00_p<subject>-pl<slide>-sample<field>-sperm<n>.tif`. The votes come from a CSV
 * beside the images, `votes_and_folds.csv`.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readImage } from "../imaging/index.ts";
import { AndroscopeError } from "../runs/index.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";
import { fromFiles } from "./files.ts";
import { optional, readTable } from "./manifest.ts";

export const SCIAN_CLASSES = ["Normal", "Tapered", "Pyriform", "Small", "Amorphous"];
const NAME = /^ch00_p(\w+)-pl(\w+)-sample(\w+)-sperm(\w+)\.(?:tiff?|png|bmp)$/i;

export interface ScianName {
  subject: string;
  slide: string;
  field: string;
  sperm: string;
}

/** What a file name of the set says, or undefined. */
export function parseScianName(name: string): ScianName | undefined {
  const match = NAME.exec(name);
  return match ? { subject: match[1]!, slide: match[2]!, field: match[3]!, sperm: match[4]! } : undefined;
}

/** The set, where most names are its; else undefined. */
export async function openScian(
  root: string,
  paths: readonly string[],
  options: { agreement: "partial" | "total"; votes: string | undefined },
): Promise<Dataset | undefined> {
  const { agreement } = options;
  const named = paths.filter((path) => parseScianName(basename(path)));
  const votesFile = options.votes ?? join(root, "votes_and_folds.csv");
  if (named.length === 0 || named.length < paths.length / 2) return undefined;
  const votes = options.votes || existsSync(votesFile) ? await readVotes(votesFile) : new Map<string, VoteRow>();
  const problems: Problem[] = [];
  const samples: Sample[] = [];
  const stems = new Map([...votes].map(([name, row]) => [stem(name), row]));
  for (const id of named) {
    const { subject, slide, field } = parseScianName(basename(id))!;
    const row = stems.get(stem(basename(id)));
    if (votes.size > 0 && !row) {
      problems.push({ id, code: "manifest/bad-row", message: `${id}: no votes in votes_and_folds.csv` });
      continue;
    }
    if (agreement === "total" && !inTotalAgreement(row)) continue;
    samples.push({
      id,
      ...optional("label", row?.label),
      ...optional("fold", agreement === "total" ? row?.totalFold : row?.fold),
      group: `p${subject}-pl${slide}-sample${field}`,
      patient: `p${subject}`,
      ...(row ? { raters: row.raters } : {}),
      load: () => readImage(join(root, id)),
    });
  }
  const present = new Set(named.map((id) => stem(basename(id))));
  for (const name of votes.keys()) {
    if (!present.has(stem(name))) {
      problems.push({
        id: name,
        code: "file/not-found",
        message: `${name}: named by ${votesFile}, but there is no such image`,
      });
    }
  }
  return fromFiles("scian", root, SCIAN_CLASSES, samples, problems);
}

/**
 * The published total-agreement subset where its folds are given; else all with identical votes. The two differ: 409
 * rows have three identical votes, 385 of them have a fold in the published subset (the paper counts 384). Why the
 * other 24 (22 amorphous, 1 normal, 1 small) were left out is not published; scores are compared on the published 385.
 */
function inTotalAgreement(row: VoteRow | undefined): boolean {
  if (!row) return false;
  return row.totalFold === undefined ? !row.hasTotalFolds && new Set(row.raters).size === 1 : true;
}

interface VoteRow {
  label: number;
  raters: number[];
  fold: string | undefined;
  /** Fold within the total-agreement subset. */
  totalFold: string | undefined;
  /** Whether the file tells the published subset. */
  hasTotalFolds: boolean;
}

const stem = (name: string) => name.replace(/\.\w+$/, "").toLowerCase();

async function readVotes(file: string): Promise<Map<string, VoteRow>> {
  const { header, rows } = await readTable(file);
  const refuse = (code: "manifest/bad-header" | "manifest/bad-row", found: string) =>
    new AndroscopeError(code, {
      expected: "columns image, label, expert1 to expert3, classes as 0 to 4",
      found,
      where: file,
      fix: "See docs/data.md for the format of the votes.",
    });
  const classIndex = (text: string) => {
    if (!/^[0-4]$/.test(text)) throw refuse("manifest/bad-row", `the class ${JSON.stringify(text)}`);
    return Number(text);
  };
  const raterColumns = header.filter((name) => /^(rater|expert)\d$/i.test(name));
  const find = (...names: string[]) => header.find((column) => names.includes(column.toLowerCase()));
  const [nameColumn, labelColumn] = [find("image", "file", "path"), find("label")];
  if (!nameColumn || !labelColumn) throw refuse("manifest/bad-header", header.join(","));
  const [foldColumn, totalColumn] = [find("fold"), find("total_agreement_fold")];
  return new Map(
    rows.map(({ cells }) => [
      basename(cells[nameColumn]!),
      {
        label: classIndex(cells[labelColumn]!),
        raters: raterColumns.map((column) => classIndex(cells[column]!)),
        fold: (foldColumn && cells[foldColumn]) || undefined,
        totalFold: (totalColumn && cells[totalColumn]) || undefined,
        hasTotalFolds: totalColumn !== undefined,
      },
    ]),
  );
}
