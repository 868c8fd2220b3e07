import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../runs/index.ts";
import { folder, png } from "./fixtures.ts";
import { checkImages, describeDataset, formatManifest, openDataset, requireTrainable } from "./index.ts";

const data = process.env.ANDROSCOPE_DATA;

async function twoClasses() {
  return folder({
    "Tapered/1.png": await png(1),
    "Normal/2.png": await png(2),
    "Normal/sub/3.png": await png(3),
    "Normal/Thumbs.db": "no image",
    "Normal/.hidden.png": "no image",
    "notes.txt": "no image",
  });
}

describe("a folder per class", () => {
  test("classes sorted, other files passed over", async () => {
    const dataset = await openDataset(await twoClasses());
    expect(dataset).toMatchObject({ kind: "folder", classes: ["Normal", "Tapered"], problems: [] });
    expect(dataset.samples.map(({ id, label }) => [id, label])).toEqual([
      ["Normal/2.png", 0],
      ["Normal/sub/3.png", 0],
      ["Tapered/1.png", 1],
    ]);
    expect(await dataset.samples[2]!.load()).toMatchObject({ width: 4, height: 3 });
  });

  test("the hash follows content and labels, not the place", async () => {
    const [a, b, c] = [await twoClasses(), await twoClasses(), await twoClasses()];
    await writeFile(join(c, "Tapered/1.png"), await png(9));
    const hashes = await Promise.all([a, b, c].map(async (root) => (await openDataset(root)).hash));
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  test("the hash follows patients and groups, on which folds may depend", async () => {
    const root = await twoClasses();
    const hashes = new Set<string>();
    for (const column of ["patient", "group", "fold"]) {
      for (const value of ["a", "b", ""]) {
        await writeFile(join(root, "m.csv"), `path,label,${column}\nNormal/2.png,N,${value}\nTapered/1.png,T,c\n`);
        hashes.add((await openDataset(join(root, "m.csv"))).hash);
      }
    }
    expect(hashes.size).toBe(9);
  });

  test("pictures of unread kinds and names that are not UTF-8 are reported", async () => {
    const root = await twoClasses();
    await writeFile(join(root, "Normal/4.gif"), "GIF89a");
    await writeFile(
      Buffer.concat([Buffer.from(`${root}/Normal/`), Buffer.from([0xe4]), Buffer.from(".png")]),
      await png(5),
    );
    const { problems } = await openDataset(root);
    expect(problems.map(({ code }) => code).sort()).toEqual(["file/unreadable", "image/unknown-format"]);
  });

  test("a pipe named like a picture is not waited for", async () => {
    const root = await twoClasses();
    execFileSync("mkfifo", [join(root, "Normal/pipe.png")]);
    expect((await openDataset(root)).samples).toHaveLength(3);
  });

  test("linked folders are walked, but not in circles; a link to nothing is reported", async () => {
    const root = await folder({ "Normal/1.png": await png(1) });
    const elsewhere = await folder({ "2.png": await png(2) });
    await symlink(elsewhere, join(root, "Tapered"));
    await symlink(root, join(elsewhere, "again"));
    await symlink("nowhere.png", join(root, "Normal", "lost.png"));
    const { samples, problems } = await openDataset(root);
    expect(samples.map(({ id }) => id)).toEqual(["Normal/1.png", "Tapered/2.png"]);
    expect(problems).toMatchObject([{ id: "Normal/lost.png", code: "file/not-found" }]);
  });

  test("empty, missing, one class, small classes", async () => {
    await expect(openDataset(await folder())).rejects.toMatchObject({ code: "data/empty" });
    await expect(openDataset(join(await folder(), "nowhere"))).rejects.toMatchObject({ code: "file/not-found" });
    const one = await openDataset(await folder({ "Normal/1.png": await png(1), "Normal/2.png": await png(2) }));
    expect(() => requireTrainable(one)).toThrow(expect.objectContaining({ code: "data/one-class" }));
    const two = await openDataset(await twoClasses());
    expect(() => requireTrainable(two, 2)).toThrow(
      expect.objectContaining({ code: "data/class-too-small", found: "1 of Tapered" }),
    );
    expect(() => requireTrainable(two)).not.toThrow();
    const none = await openDataset(await folder({ "1.png": await png(1) }));
    expect(() => requireTrainable(none)).toThrow(expect.objectContaining({ code: "data/unlabelled" }));
  });

  test("images that cannot be decoded are reported and left out", async () => {
    const root = await twoClasses();
    await writeFile(join(root, "Normal/text.png"), "this is text");
    await writeFile(join(root, "Normal/cut.png"), (await png(7)).subarray(0, 50));
    const dataset = await openDataset(root);
    const checked = await checkImages(dataset);
    expect(checked.dataset.samples).toHaveLength(3);
    expect(checked.dataset.problems.map(({ id, code }) => [id, code])).toEqual([
      ["Normal/cut.png", "image/truncated"],
      ["Normal/text.png", "image/unknown-format"],
    ]);
    expect(checked.dataset.hash).not.toBe(dataset.hash);
  });
});

describe("a manifest", () => {
  const images = async () => ({ "a.png": await png(1), "b.png": await png(2), "sub/c.png": await png(3) });
  const open = async (csv: string | Uint8Array) =>
    openDataset(join(await folder({ ...(await images()), "m.csv": csv }), "m.csv"));

  test("all columns", async () => {
    const dataset = await open(
      "path,label,group,patient,fold,um_per_px,rater1,rater2\na.png,N,g1,p1,1,0.05,N,T\nb.png,T,g1,p1,2,,,T\nsub/c.png,,,,,,,\n",
    );
    expect(dataset).toMatchObject({ kind: "manifest", classes: ["N", "T"], problems: [] });
    const { load: _, ...first } = dataset.samples[0]!;
    expect(first).toEqual({
      id: "a.png",
      label: 0,
      fold: "1",
      group: "g1",
      patient: "p1",
      umPerPx: 0.05,
      raters: [0, 1],
    });
    expect(dataset.samples[1]).toMatchObject({ label: 1, raters: [null, 1] });
    expect(dataset.samples[2]!.label).toBeUndefined();
  });

  test("a byte-order mark, CRLF and semicolons open alike", async () => {
    const plain = await open("path,label\na.png,N\nb.png,T\n");
    for (const csv of ["\uFEFFpath,label\r\na.png,N\r\nb.png,T\r\n", 'path;label\n"a.png";N\nb.png;T\n']) {
      expect((await open(csv)).hash).toBe(plain.hash);
    }
  });

  test("the order of its rows does not change the hash", async () => {
    const one = await open("path,label\na.png,N\nb.png,T\n");
    expect((await open("path,label\nb.png,T\na.png,N\n")).hash).toBe(one.hash);
    expect((await open("path,label\na.png,T\nb.png,N\n")).hash).not.toBe(one.hash);
  });

  test("rows that cannot be used are reported, each with its line", async () => {
    const rows = [
      "a.png",
      "./a.png",
      "/etc/passwd.png",
      "../up.png",
      "sub/../../up.png",
      "C:\\x.png",
      "missing.png",
      "sub",
      '""',
    ];
    const { samples, problems } = await open(`path,label\n${rows.map((row) => `${row},N`).join("\n")}\n`);
    expect(samples.map(({ id }) => id)).toEqual(["a.png"]);
    expect(problems.map(({ code }) => code)).toEqual([
      ...Array(6).fill("manifest/bad-row"),
      "file/not-found",
      "file/unreadable",
    ]);
    expect(problems[0]!.message).toContain("line 3: ./a.png stands already on line 2");
    expect((await open("path,um_per_px\na.png,1\nb.png,-1\n")).problems[0]!.message).toContain("um_per_px is -1");
  });

  test("files that are no manifest", async () => {
    await expect(open("file,label\na.png,N\n")).rejects.toMatchObject({ code: "manifest/bad-header" });
    await expect(open("path,label,colour\na.png,N,red\n")).rejects.toMatchObject({
      code: "manifest/bad-header",
      fix: "Rename or remove colour.",
    });
    await expect(open("")).rejects.toMatchObject({ code: "manifest/bad-header" });
    await expect(open("path,label\na.png\n")).rejects.toMatchObject({ code: "manifest/bad-row" });
    await expect(open(Buffer.from([0x70, 0x61, 0x74, 0x68, 0x0a, 0xe4]))).rejects.toMatchObject({
      code: "manifest/bad-header",
      found: "another encoding",
    });
    await expect(open(await png(1))).rejects.toMatchObject({ code: "manifest/bad-header" });
    await expect(open("path,label\nx.png,N\n")).rejects.toMatchObject({ code: "data/empty" });
  });

  test("is written and read back", async () => {
    const root = await twoClasses();
    const dataset = await openDataset(root);
    const file = join(root, "manifest.csv");
    await writeFile(file, formatManifest(dataset, file));
    expect((await openDataset(file)).hash).toBe(dataset.hash);
    expect(parseCsv(formatManifest(dataset, join(root, "..", "m.csv"))).rows[0]!.cells.path).toMatch(
      /^androscope-test-\w+\/Normal\/2.png$/,
    );
    // The folder, too, is now what its manifest says.
    expect(await openDataset(root)).toMatchObject({ kind: "manifest", hash: dataset.hash });
    expect(() => formatManifest(dataset, join(root, "Normal", "m.csv"))).toThrow(
      expect.objectContaining({ code: "usage/bad-value" }),
    );
  });
});

test("folds are joined by path", async () => {
  const root = await twoClasses();
  const folds = join(root, "folds.csv");
  await writeFile(
    folds,
    "path,class,label,fold\nNormal/2.png,Normal,0,F1\nNormal/sub/3.png,Normal,0,F2\nTapered/1.png,Tapered,1,F1\n",
  );
  const dataset = await openDataset(root, { folds });
  expect(dataset.samples.map(({ fold }) => fold)).toEqual(["F1", "F2", "F1"]);
  expect(dataset.hash).not.toBe((await openDataset(root)).hash);
  await writeFile(folds, "path,fold\nNormal/2.png,F1\n");
  await expect(openDataset(root, { folds })).rejects.toMatchObject({ code: "data/no-fold" });
});

test("a description finds duplicates across classes and folds, and the experts' agreement", async () => {
  const root = await folder({
    "a.png": await png(1),
    "b.png": await png(1),
    "c.png": await png(3),
    "m.csv": "path,label,group,fold,rater1,rater2,rater3\na.png,N,g,1,N,N,N\nb.png,T,g,2,N,T,T\nc.png,T,h,1,T,T,\n",
  });
  const description = await describeDataset(await openDataset(join(root, "m.csv")));
  expect(description).toMatchObject({
    images: 3,
    classes: [
      { name: "N", count: 1 },
      { name: "T", count: 2 },
    ],
    folds: { 1: 2, 2: 1 },
    groups: 2,
    groupsAcrossFolds: 1,
    sizes: { "4×3": 3 },
    formats: { "png, 8 bit, 3 channels": 3 },
    duplicates: [{ ids: ["a.png", "b.png"], acrossClasses: true, acrossFolds: true }],
    agreement: { raters: 3, unanimous: 1, complete: 2, pairwise: 5 / 7 },
  });
  expect(description.publicSet).toBeUndefined();
});

test("SMIDS is known by its folders", async () => {
  const root = await folder({
    "Abnormal_Sperm/1.bmp": await png(1),
    "Non-Sperm/2.bmp": await png(2),
    "Normal_Sperm/3.bmp": await png(3),
  });
  expect(await openDataset(root)).toMatchObject({
    kind: "smids",
    classes: ["Abnormal_Sperm", "Non-Sperm", "Normal_Sperm"],
  });
});

describe.skipIf(!data)("the public sets (need ANDROSCOPE_DATA)", () => {
  test("HuSHeM with the follow-up's folds", async () => {
    const dataset = await openDataset(join(data!, "hushem"), { folds: join(data!, "hushem", "folds.csv") });
    const description = await describeDataset(dataset);
    expect(description).toMatchObject({
      kind: "hushem",
      classes: [
        { name: "Normal", count: 54 },
        { name: "Tapered", count: 53 },
        { name: "Pyriform", count: 57 },
        { name: "Amorphous", count: 52 },
      ],
      folds: { F1: 44, F2: 43, F3: 43, F4: 43, F5: 43 },
      duplicates: [],
      publicSet: { set: "hushem", sums: { matching: 216, published: 216 } },
    });
    expect(description.sizes["131×131"]).toBe(210);
    expect(dataset.samples.every(({ id, label }) => id.startsWith(`0${label! + 1}_`))).toBe(true);
  });

  test("MHSMA: split as folds, groups, one attribute at a time", async () => {
    const dataset = await openDataset(join(data!, "mhsma"), { attribute: "vacuole" });
    expect(dataset).toMatchObject({ kind: "mhsma", classes: ["Normal", "Abnormal"] });
    expect(
      ["train", "valid", "test"].map((split) => dataset.samples.filter(({ fold }) => fold === split).length),
    ).toEqual([1000, 240, 300]);
    expect(new Set(dataset.samples.map(({ group }) => group)).size).toBe(114);
    const { data: pixels } = await dataset.samples[0]!.load();
    expect(pixels).toHaveLength(128 * 128 * 3);
    expect(pixels.every((value, i) => value === pixels[i - (i % 3)])).toBe(true);
    expect((await openDataset(join(data!, "mhsma"), { attribute: "head" })).hash).not.toBe(dataset.hash);
  });

  test("SCIAN: votes, groups, patients, and both agreement subsets", async () => {
    const votes = join(data!, "scian", "votes_and_folds.csv");
    const names = parseCsv(await readFile(votes, "utf8")).rows.map(({ cells }) => cells.image!);
    const root = await folder();
    await mkdir(join(root, "images"));
    // The images cannot be had; opening does not decode.
    for (const name of names.slice(1)) await writeFile(join(root, "images", name), name);
    const partial = await openDataset(root, { votes });
    expect(partial).toMatchObject({ kind: "scian", classes: ["Normal", "Tapered", "Pyriform", "Small", "Amorphous"] });
    expect(partial.samples).toHaveLength(1131);
    expect(partial.problems).toMatchObject([{ id: names[0], code: "file/not-found" }]);
    expect(new Set(partial.samples.map(({ group }) => group)).size).toBe(152);
    expect(new Set(partial.samples.map(({ patient }) => patient)).size).toBe(4);
    expect(partial.samples.every(({ label, raters }) => raters!.filter((vote) => vote === label).length >= 2)).toBe(
      true,
    );
    const total = await openDataset(root, { votes, agreement: "total" });
    expect(total.samples).toHaveLength(384);
    expect(total.samples.every(({ raters }) => new Set(raters).size === 1)).toBe(true);
  });
});
