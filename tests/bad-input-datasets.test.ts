/** Datasets that cannot be trained on as they are: what is refused, and what is reported while the run goes on. */
import { existsSync } from "node:fs";
import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type ErrorCode, encodePng } from "../src/index.ts";
import { androscope, drawnCrop, failure, json, TINY, temporary, twoClasses, write } from "./support.ts";

let root = "";
let out = "";
beforeAll(async () => {
  [root, out] = [await twoClasses(4), await temporary()];
});

const manifest = (lines: readonly string[]) => `${lines.join("\n")}\n`;
const run = (name: string) => join(out, name);

/** Both commands that train refuse the dataset alike. */
async function refused(dataset: string, code: ErrorCode, crossvalOptions: readonly string[] = ["--k=2"]) {
  const train = await androscope(["train", dataset, "--out", run("no"), "--json", ...TINY]);
  failure(train, code);
  const args = ["crossval", dataset, ...crossvalOptions, "--out", run("no"), "--json", ...TINY];
  const error = failure(await androscope(args), code);
  expect(existsSync(run("no"))).toBe(false);
  return error;
}

describe("classes", () => {
  test("one class", async () => {
    const one = await twoClasses(2);
    await rm(join(one, "Tapered"), { recursive: true });
    expect((await refused(one, "data/one-class")).found).toContain("Round");
  });

  test("no labels", async () => {
    const loose = await write(await temporary(), {
      "1.png": await encodePng(drawnCrop(1, 1)),
      "2.png": await encodePng(drawnCrop(2, 2)),
    });
    await refused(loose, "data/unlabelled");
  });

  test("a class smaller than the folds", async () => {
    const args = ["crossval", root, "--out", run("small"), "--json", ...TINY];
    // Five folds are the default.
    expect(failure(await androscope(args), "data/class-too-small").fix).toContain("--k");
    expect(failure(await androscope([...args, "--k=1"]), "usage/bad-value").where).toBe("--k");
    expect(failure(await androscope([...args, "--k=0"]), "usage/bad-value").where).toBe("--k");
    expect(existsSync(run("small"))).toBe(false);
  });

  test("a class that damaged images make too small", async () => {
    const damaged = await twoClasses(2);
    await truncate(join(damaged, "Round/0.png"), 100);
    const validated = await androscope(["crossval", damaged, "--k=2", "--out", run("cut"), "--json", ...TINY]);
    expect(failure(validated, "data/class-too-small").found).toContain("1 of Round; 1 others cannot be used");
    await truncate(join(damaged, "Round/1.png"), 100);
    const trained = await androscope(["train", damaged, "--out", run("cut2"), "--json", ...TINY]);
    expect(failure(trained, "data/class-too-small").found).toContain("0 of Round");
    // Once the data are mended, the same commands work.
    await twoClasses(2, damaged);
    json(await androscope(["crossval", damaged, "--k=2", "--out", run("cut"), "--json", ...TINY]));
    json(await androscope(["train", damaged, "--out", run("cut2"), "--json", ...TINY]));
  });
});

describe("folds and groups", () => {
  const rows = (column: string, value: (i: number) => string) => [
    `path,label,${column}`,
    ...["Round", "Tapered"].flatMap((label) => [0, 1, 2, 3].map((i) => `${label}/${i}.png,${label},${value(i)}`)),
  ];
  const crossval = (file: string, ...options: string[]) =>
    androscope(["crossval", join(root, file), ...options, "--out", run("folds"), "--json", ...TINY]);

  test("one fold only, images without a fold, fewer groups than folds", async () => {
    await write(root, {
      "one-fold.csv": manifest(rows("fold", () => "a")),
      "no-fold.csv": manifest(rows("fold", (i) => (i === 3 ? "" : `${i % 2}`))),
      "groups.csv": manifest(rows("patient", (i) => `p${i % 2}`)),
    });
    failure(await crossval("one-fold.csv"), "data/empty-fold");
    expect(failure(await crossval("no-fold.csv"), "data/no-fold").where).toBe("Round/3.png");
    failure(await crossval("groups.csv", "--k=3", "--group=patient"), "data/groups");
    failure(await crossval("groups.csv", "--k=2", "--group=group"), "data/groups");
    failure(await crossval("groups.csv", "--k=2", "--group=clinic"), "usage/bad-value");
  });

  test("a table of folds that misses images, contradicts itself, or is none", async () => {
    const [header, ...lines] = rows("fold", (i) => `${i % 2}`);
    await write(root, {
      "short.csv": manifest([header!, ...lines.slice(1)]),
      "empty-cell.csv": manifest([header!, ...lines.slice(1), "Round/0.png,Round,"]),
      "twice.csv": manifest([header!, ...lines, "./Round/0.png,Round,1"]),
      "other.csv": manifest(["image,fold", "Round/0.png,1"]),
    });
    const folds = (file: string, ...more: string[]) =>
      androscope(["crossval", root, "--folds", join(root, file), ...more, "--out", run("folds"), "--json", ...TINY]);
    expect(failure(await folds("short.csv"), "data/no-fold").found).toContain("Round/0.png");
    expect(failure(await folds("empty-cell.csv"), "data/no-fold").found).toContain("Round/0.png");
    expect(failure(await folds("twice.csv"), "manifest/bad-row").found).toContain(
      "Round/0.png in fold 0 and in fold 1",
    );
    failure(await folds("other.csv"), "manifest/bad-header");
    failure(await folds("nowhere.csv"), "file/not-found");
    failure(await folds("short.csv", "--k=2"), "usage/bad-value");
  });

  test("the name of a fold leads nowhere", async () => {
    // As a cell of CSV: /tmp/evil, "2"
    await write(root, {
      "evil.csv": manifest(rows("fold", (i) => (i % 2 ? "../../../evil" : '"/tmp/evil, ""2"""'))),
    });
    const parent = join(await temporary(), "a", "b", "c");
    const args = ["crossval", join(root, "evil.csv"), "--out", join(parent, "run"), "--json", ...TINY];
    const { folds } = json(await androscope(args));
    expect(folds.map((fold: { name: string }) => fold.name).sort()).toEqual(["../../../evil", '/tmp/evil, "2"']);
    expect(await readdir(parent)).toEqual(["run"]);
    expect(await readdir(join(parent, "run", "models"))).toHaveLength(2);
  });
});

describe("manifests", () => {
  test("rows that cannot be used are reported, the others are used", async () => {
    const good = ["Round", "Tapered"].flatMap((label) => [0, 1, 2, 3].map((i) => `${label}/${i}.png,${label}`));
    const outside = join(await temporary(), "secret.png");
    await write(root, {
      "rows.csv": manifest([
        "path,label",
        ...good,
        "missing.png,Round",
        "./Round/0.png,Tapered",
        `${outside},Round`,
        "../secret.png,Round",
        "Round/../../secret.png,Round",
        "C:\\secret.png,Round",
        ",Round",
      ]),
    });
    const problemCodes = (problems: { code: string }[]) => problems.map(({ code }) => code).sort();
    const expected = ["file/not-found", ...Array(6).fill("manifest/bad-row")];
    const file = join(root, "rows.csv");
    expect(json(await androscope(["train", file, "--out", run("rows"), "--json", ...TINY]))).toMatchObject({
      images: 8,
      skipped: 7,
    });
    const { problems } = JSON.parse(await readFile(join(run("rows"), "metrics.json"), "utf8"));
    expect(problemCodes(problems)).toEqual(expected);
    // Reports are passed on: they name the images, not the folder they lay in.
    for (const { message } of problems) expect(message).not.toContain(root);
    const validated = json(await androscope(["crossval", file, "--k=2", "--out", run("rows2"), "--json", ...TINY]));
    expect(validated.dataset).toMatchObject({ images: 8, skipped: 7 });
    const outlined = json(await androscope(["masks", file, "--out", run("rows3"), "--json"]));
    expect(outlined.masks).toHaveLength(8);
    expect(problemCodes(outlined.problems)).toEqual(expected);
  });

  test("a header, a row or a file that is none", async () => {
    await write(root, {
      "header.csv": "file,class\nRound/0.png,Round\n",
      "fields.csv": "path,label\nRound/0.png,Round,more\n",
      "quote.csv": 'path,label\n"Round/0.png,Round\n',
      "latin.csv": Buffer.from("path,label\nRound/0.png,Spermi\xe4\n", "latin1"),
      "empty.csv": "",
    });
    await refused(join(root, "header.csv"), "manifest/bad-header");
    for (const [file, code, where] of [
      ["fields.csv", "manifest/bad-row", "line 2"],
      ["quote.csv", "manifest/bad-row", "line 2"],
      ["latin.csv", "manifest/bad-header", "another encoding"],
      ["empty.csv", "manifest/bad-header", "an empty file"],
      ["Round/0.png", "manifest/bad-header", "binary data"],
    ] as const) {
      const error = failure(await androscope(["train", join(root, file), "--out", run("no"), "--json"]), code);
      expect(error.found).toContain(where);
    }
  });
});
