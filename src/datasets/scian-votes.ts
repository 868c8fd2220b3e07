/** `votes_and_folds.csv`: what SCIAN's three experts said of each image, and the folds published with it. */
import { basename } from "node:path";
import { AndroscopeError } from "../runs/index.ts";
import { readTable } from "./manifest.ts";

export const SCIAN_CLASSES = ["Normal", "Tapered", "Pyriform", "Small", "Amorphous"] as const;
const EXPERTS = ["expert1", "expert2", "expert3"];
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

export interface VoteRow {
  /** The image's file name. */
  name: string;
  label: number;
  /** Each expert's class. */
  raters: number[];
  fold: string | undefined;
  /** Fold within the total-agreement subset. */
  totalFold: string | undefined;
  /** Whether the file tells the published subset. */
  hasTotalFolds: boolean;
  /** Pixels, where the file tells them. */
  width: number | undefined;
  height: number | undefined;
}

/** The rows by {@link stemOf} of their names. @throws `manifest/bad-header`, `manifest/bad-row`, `file/*` */
export async function readVotes(file: string): Promise<Map<string, VoteRow>> {
  const { header, rows } = await readTable(file);
  const find = (...names: string[]) => header.find((column) => names.includes(column.toLowerCase()));
  const [nameColumn, labelColumn] = [find("image", "file", "path"), find("label")];
  const raterColumns = EXPERTS.map((name) => find(name, name.replace("expert", "rater")));
  if (!nameColumn || !labelColumn || raterColumns.includes(undefined)) {
    throw new AndroscopeError("manifest/bad-header", {
      expected: "columns image, label, expert1, expert2 and expert3",
      found: header.join(","),
      where: file,
      fix: "See docs/data.md for the format of the votes.",
    });
  }
  const [foldColumn, totalColumn] = [find("fold"), find("total_agreement_fold")];
  const [widthColumn, heightColumn] = [find("width"), find("height")];
  const votes = new Map<string, VoteRow>();
  for (const { line, cells } of rows) {
    const refuse = (expected: string, found: string) =>
      new AndroscopeError("manifest/bad-row", {
        expected,
        found,
        where: `${file} line ${line}`,
        fix: "See docs/data.md for the format of the votes.",
      });
    const classIn = (column: string) => {
      const text = cells[column]!;
      if (!/^[0-4]$/.test(text)) throw refuse(`a class from 0 to 4 as ${column}`, JSON.stringify(text));
      return Number(text);
    };
    const pixelsIn = (column: string | undefined) => {
      if (!column || !cells[column]) return undefined;
      if (!/^[1-9]\d{0,3}$/.test(cells[column])) throw refuse(`pixels as ${column}`, JSON.stringify(cells[column]));
      return Number(cells[column]);
    };
    const name = basename(cells[nameColumn]!);
    if (votes.has(stemOf(name))) throw refuse("one row for every image", `${name} a second time`);
    votes.set(stemOf(name), {
      name,
      label: classIn(labelColumn),
      raters: raterColumns.map((column) => classIn(column!)),
      fold: (foldColumn && cells[foldColumn]) || undefined,
      totalFold: (totalColumn && cells[totalColumn]) || undefined,
      hasTotalFolds: totalColumn !== undefined,
      width: pixelsIn(widthColumn),
      height: pixelsIn(heightColumn),
    });
  }
  return votes;
}

/** A file name without its extension: images converted to PNG keep their votes. */
export function stemOf(name: string): string {
  return name.replace(/\.\w+$/, "").toLowerCase();
}
