/**
 * SCIAN-MorphoSpermGS (Chang et al. 2017): grey heads of 30 to 35 pixels with the votes of three experts. File names
 * carry the subject, slide, field and cell: `ch00_p<subject>-pl<slide>-sample<field>-sperm<n>.tif`. The votes come from
 * a CSV beside the images, `votes_and_folds.csv`.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readImage } from "../imaging/index.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";
import { fromFiles } from "./files.ts";
import { optional } from "./manifest.ts";
import { STAND_INS_MARK } from "./phantom/index.ts";
import { parseScianName, readVotes, SCIAN_CLASSES, stemOf, type VoteRow } from "./scian-votes.ts";

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
  const told = basename(votesFile);
  const isWanted = (row: VoteRow | undefined) => agreement === "partial" || inTotalAgreement(row);
  const problems: Problem[] = [];
  const samples: Sample[] = [];
  for (const id of named) {
    const { subject, slide, field } = parseScianName(basename(id))!;
    const row = votes.get(stemOf(basename(id)));
    if (votes.size > 0 && !row) {
      problems.push({ id, code: "manifest/bad-row", message: `${id}: no votes in ${told}` });
      continue;
    }
    if (!isWanted(row)) continue;
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
  const present = new Set(named.map((id) => stemOf(basename(id))));
  for (const [stem, row] of votes) {
    if (present.has(stem) || !isWanted(row)) continue;
    const message = `${row.name}: named by ${told}, but there is no such image`;
    problems.push({ id: row.name, code: "file/not-found", message });
  }
  // Drawn images must never be taken for the set, least of all in a report.
  const kind = existsSync(join(root, STAND_INS_MARK)) ? "scian-stand-ins" : "scian";
  return fromFiles(kind, root, SCIAN_CLASSES, samples, problems);
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
