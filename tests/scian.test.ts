/**
 * SCIAN without its images: every protocol by the real command, on stand-ins drawn from a file of votes. What is
 * expected is read from that file anew, cell by cell, and by none of the program's readers of votes.
 */
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { SCIAN_CLASSES } from "../src/datasets/index.ts";
import { foldPerGroup } from "../src/evaluation/index.ts";
import { drawFolds, type ErrorCode, openDataset, publishedFolds } from "../src/index.ts";
import { androscope, failure, json, TINY, temporary, write } from "./support.ts";

const HEADER = "image,label,expert1,expert2,expert3,fold,total_agreement_fold,width,height";
/** Where ANDROSCOPE_DATA is set, the published table of SCIAN's votes. */
const REAL = process.env.ANDROSCOPE_DATA && join(process.env.ANDROSCOPE_DATA, "scian", "votes_and_folds.csv");

interface Row {
  line: string;
  image: string;
  label: number;
  experts: number[];
  fold: string;
  totalFold: string;
  subject: string;
  field: string;
}

function rowsOf(csv: string): Row[] {
  const [header, ...lines] = csv.trim().split(/\r?\n/);
  expect(header).toBe(HEADER);
  return lines.map((line) => {
    const [image, label, e1, e2, e3, fold, totalFold] = line.split(",") as [string, ...string[]];
    const [, subject, field] = /^ch00_(p\d+)-(pl\d+-sample\d+)-sperm\d+\.tif$/.exec(image)!;
    return {
      line,
      image,
      label: Number(label),
      experts: [e1, e2, e3].map(Number),
      fold: fold!,
      totalFold: totalFold!,
      subject: subject!,
      field: `${subject}-${field}`,
    };
  });
}

const csvOf = (rows: readonly { line: string }[]) => `${[HEADER, ...rows.map(({ line }) => line)].join("\n")}\n`;

/** 60 rows, four subjects of three fields each, every class, half of them with split votes, two folds of either kind. */
function inventedVotes(): string {
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [label, subject, field] = [i % 5, 1 + (Math.floor(i / 5) % 4), 1 + Math.floor(i / 20)];
    const agreed = Math.floor(i / 5) % 2 === field % 2;
    const experts = [label, label, label];
    if (!agreed) experts[i % 3] = (label + 1 + (i % 4)) % 5;
    const fold = `F${1 + (Math.floor(i / 10) % 2)}`;
    const side = 30 + (i % 6);
    const name = `ch00_p${subject}-pl1-sample${field}-sperm${i}.tif`;
    return { line: [name, label, ...experts, fold, agreed ? `F${1 + (i % 2)}` : "", side, side].join(",") };
  });
  return csvOf(rows);
}

/** Up to three rows of every subject and class from two of the published folds, so that a minute will do. */
async function realVotes(): Promise<string> {
  const taken = new Map<string, number>();
  const few = rowsOf(await readFile(REAL!, "utf8")).filter(({ subject, label, fold, totalFold }) => {
    const key = `${subject} ${label} ${totalFold !== ""}`;
    const wanted = ["F1", "F2"].includes(fold) && ["", "F1", "F2"].includes(totalFold) && (taken.get(key) ?? 0) < 2;
    if (wanted) taken.set(key, (taken.get(key) ?? 0) + 1);
    return wanted;
  });
  return csvOf(few);
}

/** A failure must not print the whole report. */
const expectSaid = (report: string, words: string) => expect(report.includes(words), words).toBe(true);

describe.each([
  ["invented votes", true, true, async () => inventedVotes()],
  ["the published votes (need ANDROSCOPE_DATA)", Boolean(REAL), false, realVotes],
])("%s", (_, there, invented, votesOf) => {
  let [folder, images] = ["", ""];
  let rows: Row[] = [];
  const draw = (votes: string, out: string) =>
    androscope(["data", "phantoms", "--like", "scian", "--votes", votes, "--out", out, "--json"]);

  beforeAll(async () => {
    if (!there) return;
    folder = await temporary();
    images = join(folder, "images");
    const votes = await votesOf();
    rows = rowsOf(votes);
    await write(folder, { "votes.csv": votes });
    expect(json(await draw(join(folder, "votes.csv"), images))).toMatchObject({ images: rows.length, like: "scian" });
  });

  const runs = new Map<string, ReturnType<typeof crossval>>();
  /** One of the published folds that several tests look at: computed once. */
  const published = (agreement: "partial" | "total") => {
    if (!runs.has(agreement)) runs.set(agreement, crossval(agreement, [`--agreement=${agreement}`]));
    return runs.get(agreement)!;
  };

  /** A cross-validation of this name. @returns what its run folder says */
  async function crossval(name: string, args: readonly string[]) {
    const out = join(folder, name);
    json(await androscope(["crossval", images, "--out", out, "--workers=1", "--json", ...TINY, ...args]));
    const read = async (file: string) => readFile(join(out, file), "utf8");
    const [head, ...lines] = (await read("predictions.csv")).trim().split("\n");
    expect(head).toBe(
      `path,label,predicted,fold,${SCIAN_CLASSES.map((c) => `prob_${c}`).join(",")},mask_agreement,length_px,width_px`,
    );
    const predictions = new Map(lines.map((line) => [line.split(",")[0]!, line.split(",")]));
    expect(predictions.size).toBe(lines.length);
    return {
      splits: JSON.parse(await read("splits.json")) as { folds: string[]; images: Record<string, string> },
      metrics: JSON.parse(await read("metrics.json")),
      predictions,
      report: await read("report.html"),
    };
  }

  /** What holds for every protocol: who is tested, where, under which label, and that all of it is marked as drawn. */
  function expectRun(run: Awaited<ReturnType<typeof crossval>>, tested: readonly Row[], foldOf: (row: Row) => string) {
    const { splits, metrics, predictions, report } = run;
    expect(splits.images).toEqual(Object.fromEntries(tested.map((row) => [row.image, foldOf(row)])));
    expect([...predictions.keys()].sort()).toEqual(tested.map(({ image }) => image).sort());
    let correct = 0;
    for (const row of tested) {
      const [, label, predicted, fold] = predictions.get(row.image)!;
      expect([label, fold]).toEqual([SCIAN_CLASSES[row.label], foldOf(row)]);
      if (label === predicted) correct++;
    }
    expect(metrics).toMatchObject({ count: tested.length, correct, dataset: { kind: "scian-stand-ins", skipped: 0 } });
    for (const { name, train, test } of metrics.folds) {
      expect(test).toBe(tested.filter((row) => foldOf(row) === name).length);
      expect(train).toBe(tested.length - test);
    }
    expectSaid(report, "not cells");
  }

  const divided = (of: (row: Row) => string, tested: readonly Row[], foldOf: (row: Row) => string) =>
    [...new Set(tested.map(of))].filter(
      (value) => new Set(tested.filter((row) => of(row) === value).map(foldOf)).size > 1,
    ).length;

  test.skipIf(!there)(
    "partial agreement: the published folds; votes are used in training, and can be left",
    async () => {
      const run = await published("partial");
      expectRun(run, rows, ({ fold }) => fold);
      expect(run.metrics).toMatchObject({ split: { kind: "published" }, config: { tune: { votes: true } } });
      expect(run.metrics.grouping).toEqual([
        {
          key: "patient",
          count: 4,
          divided: divided(
            ({ subject }) => subject,
            rows,
            ({ fold }) => fold,
          ),
        },
        {
          key: "group",
          count: new Set(rows.map(({ field }) => field)).size,
          divided: divided(
            ({ field }) => field,
            rows,
            ({ fold }) => fold,
          ),
        },
      ]);

      const labels = await crossval("labels", ["--set=tune.votes=false"]);
      expectRun(labels, rows, ({ fold }) => fold);
      expect(labels.metrics.config.tune.votes).toBe(false);
      expect(labels.predictions).not.toEqual(run.predictions);
    },
  );

  test.skipIf(!there)("total agreement: the published subset and its own folds", async () => {
    const tested = rows.filter(({ totalFold }) => totalFold !== "");
    expect(tested.every(({ experts }) => new Set(experts).size === 1)).toBe(true);
    const run = await published("total");
    expectRun(run, tested, ({ totalFold }) => totalFold);
  });

  // Rows that are made for it: with the published ones there is nothing to skip.
  if (invented) {
    test("votes of test images are not used, and where all experts agree votes are labels", async () => {
      const run = await published("partial");
      // Other votes on the test images of one fold, the same label: what tests that fold has not seen them.
      const changed = rows.map((row) => {
        const doubter = row.experts.findIndex((vote) => vote !== row.label);
        const experts = [row.label, row.label, row.label];
        if (doubter < 0) experts[0] = (row.label + 1) % 5;
        const { image, label, fold, totalFold } = row;
        return row.fold === "F1" ? { line: [image, label, ...experts, fold, totalFold, "", ""].join(",") } : row;
      });
      await writeFile(join(folder, "changed.csv"), csvOf(changed));
      const other = await crossval("changed", ["--votes", join(folder, "changed.csv")]);
      for (const { image, fold } of rows) {
        if (fold === "F1") expect(other.predictions.get(image)).toEqual(run.predictions.get(image));
      }
      expect(rows.some(({ image }) => `${other.predictions.get(image)}` !== `${run.predictions.get(image)}`)).toBe(
        true,
      );
      const total = await published("total");
      const labels = await crossval("total-labels", ["--agreement=total", "--set=tune.votes=false"]);
      expect(labels.predictions).toEqual(total.predictions);
    });
  }

  test.skipIf(!there)("grouped by field: no field in two folds", async () => {
    const run = await crossval("fields", ["--k=2", "--group=group"]);
    const foldOf = ({ image }: Row) => run.splits.images[image]!;
    expectRun(run, rows, foldOf);
    expect(run.splits.folds).toEqual(["1", "2"]);
    expect(divided(({ field }) => field, rows, foldOf)).toBe(0);
    expect(run.metrics.grouping).toContainEqual(expect.objectContaining({ key: "group", divided: 0 }));
  });

  test.skipIf(!there)("leave one subject out: every fold is a subject, and the report says so", async () => {
    const run = await crossval("subjects", ["--group=patient", "--leave-one-out"]);
    expectRun(run, rows, ({ subject }) => subject);
    expect(run.splits.folds).toEqual([...new Set(rows.map(({ subject }) => subject))].sort());
    expect(run.splits.folds).toHaveLength(4);
    expect(run.metrics.split).toEqual({ kind: "one-out", group: "patient" });
    expect(run.metrics.protocol).toContain("One patient is left out at a time.");
    expectSaid(run.report, "One patient is left out at a time.");
    expectSaid(run.report, "each of the 4 folds is one patient");
    expectSaid(run.report, "--leave-one-out --group patient");
  });
});

describe.skipIf(!REAL)("all published votes (need ANDROSCOPE_DATA)", () => {
  /** Rows, and a folder of their names. Opening does not decode: any content will do, as long as it differs. */
  async function opened() {
    const votes = await readFile(REAL!, "utf8");
    const rows = rowsOf(votes);
    const files = Object.fromEntries(rows.map(({ image }) => [image, image]));
    return { rows, root: await write(await temporary(), { ...files, "votes_and_folds.csv": votes }) };
  }

  test("1132 images in the published folds, the votes and the majority as published", async () => {
    const { rows, root } = await opened();
    const { samples, problems, kind } = await openDataset(root);
    expect({ kind, images: samples.length, problems }).toEqual({ kind: "scian", images: 1132, problems: [] });
    const byName = new Map(rows.map((row) => [row.image, row]));
    for (const { id, label, fold, raters, patient, group } of samples) {
      const row = byName.get(id)!;
      expect([label, fold, raters, patient, group]).toEqual([row.label, row.fold, row.experts, row.subject, row.field]);
    }
    const { names, fold } = publishedFolds(samples);
    expect(names).toEqual(["F1", "F2", "F3", "F4", "F5"]);
    expect(fold.map((f) => names[f])).toEqual(samples.map(({ id }) => byName.get(id)!.fold));
  });

  test("385 images in the published folds of total agreement", async () => {
    const { rows, root } = await opened();
    const { samples } = await openDataset(root, { agreement: "total" });
    expect(samples).toHaveLength(385);
    expect(samples.map(({ id, fold }) => [id, fold]).sort()).toEqual(
      rows.flatMap(({ image, totalFold }) => (totalFold === "" ? [] : [[image, totalFold]])).sort(),
    );
  });

  test("four subjects: one fold each, left out by name or drawn; 152 fields: none divided", async () => {
    const { samples } = await openDataset((await opened()).root);
    const subjects = foldPerGroup(samples, "patient");
    expect(subjects.names).toEqual(["p1", "p3", "p4", "p5"]);
    expect(samples.map(({ patient }) => patient)).toEqual(subjects.fold.map((f) => subjects.names[f]));
    for (const seed of [1, 2, 3]) {
      const drawn = drawFolds(samples, { k: 4, seed, group: "patient" });
      const pairs = new Set(samples.map(({ patient }, i) => `${patient} ${drawn.fold[i]}`));
      expect([pairs.size, new Set(drawn.fold).size]).toEqual([4, 4]);
      const fields = drawFolds(samples, { k: 5, seed, group: "group" });
      expect(new Set(samples.map(({ group }, i) => `${group} ${fields.fold[i]}`)).size).toBe(152);
    }
  });
});

describe("what cannot be drawn or split", () => {
  const good = [
    "ch00_p1-pl1-sample1-sperm1.tif,1,1,1,1,F1,F1,35,35",
    "ch00_p2-pl1-sample1-sperm1.tif,0,0,0,4,F2,,35,35",
  ];

  test.each([
    ["a missing column", [HEADER.replace("expert2,", ""), good[0]!.replace(",1,1,1,1,", ",1,1,1,")], /expert2/],
    ["an unknown class", [HEADER, good[0]!, good[1]!.replace(",4,F2", ",5,F2")], /expert3/],
    ["a vote that is none", [HEADER, good[0]!, good[1]!.replace("tif,0,0", "tif,0,")], /expert1/],
    ["the same image twice", [HEADER, good[0]!, good[1]!, good[0]!], /one row for every image/],
    ["a size that is none", [HEADER, good[0]!.replace("35,35", "35,-1")], /height/],
    ["a name that is none of SCIAN's", [HEADER, good[0]!.replace("ch00_p1", "../p1")], /file names of SCIAN/],
    ["no row", [HEADER], /a row for every image/],
  ])("%s", async (what, lines, expected) => {
    const folder = await write(await temporary(), { "votes.csv": `${lines.join("\n")}\n` });
    const out = join(folder, "out");
    const votes = join(folder, "votes.csv");
    const codes: Record<string, ErrorCode> = { "no row": "data/empty", "a missing column": "manifest/bad-header" };
    const code = codes[what] ?? "manifest/bad-row";
    const args = ["data", "phantoms", "--like=scian", "--votes", votes, "--out", out, "--json"];
    expect(failure(await androscope(args), code).expected).toMatch(expected);
    expect(existsSync(out)).toBe(false);
  });

  test("an image that is missing is named", async () => {
    const folder = await write(await temporary(), { "votes.csv": `${[HEADER, ...good].join("\n")}\n` });
    const out = join(folder, "out");
    json(
      await androscope([
        "data",
        "phantoms",
        "--like=scian",
        "--votes",
        join(folder, "votes.csv"),
        "--out",
        out,
        "--json",
      ]),
    );
    const lost = "ch00_p2-pl1-sample1-sperm1.tif";
    await rm(join(out, lost));
    expect(json(await androscope(["data", out, "--json"]))).toMatchObject({
      images: 1,
      problems: [{ id: lost, code: "file/not-found", message: expect.not.stringContaining(folder) }],
    });
    // It is not in the subset of total agreement, and so not missing there.
    expect(json(await androscope(["data", out, "--agreement=total", "--json"]))).toMatchObject({
      images: 1,
      problems: [],
    });
  });

  test("a folder that is not empty, no votes, another set, votes that are not there", async () => {
    const folder = await write(await temporary(), {
      "votes.csv": `${[HEADER, ...good].join("\n")}\n`,
      "old/a.txt": "a",
    });
    const [votes, old, out] = ["votes.csv", "old", "out"].map((name) => join(folder, name)) as [string, string, string];
    const draw = (...args: string[]) => androscope(["data", "phantoms", "--json", ...args]);
    failure(await draw("--like=scian", "--votes", votes, "--out", old), "file/not-writable");
    failure(await draw("--like=scian", "--out", out), "usage/missing-argument");
    failure(await draw("--like=hushem", "--votes", votes, "--out", out), "usage/bad-value");
    failure(await draw("--like=scian", "--votes", join(folder, "none.csv"), "--out", out), "file/not-found");
    expect(existsSync(out)).toBe(false);
  });

  test("--leave-one-out needs a group, and counts the folds itself", async () => {
    const folder = await temporary();
    const args = ["crossval", folder, "--out", join(folder, "run"), "--json", "--leave-one-out"];
    failure(await androscope(args), "usage/bad-value");
    failure(await androscope([...args, "--group=patient", "--k=4"]), "usage/bad-value");
  });
});
