import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { generatePhantoms } from "../../datasets/index.ts";
import { fillHoles, largestRegion, type Mask, outlines } from "../../imaging/index.ts";
import { parseCsv } from "../../runs/index.ts";
import { countHeads } from "../counts.ts";
import { parseCriteria } from "../criteria.ts";
import { ANALYSER, foundHead, MEASURES } from "../fixtures.ts";
import type { Outline } from "../head.ts";
import { compareReplicates } from "../replicates.ts";
import { sampleStatistics } from "../statistics.ts";
import { type CocoDocument, coco, cocoText } from "./coco.ts";
import { type GeoJsonCollection, geoJson, uuidOf } from "./geojson.ts";
import { headsCsv } from "./heads-csv.ts";
import { signedArea } from "./polygon.ts";
import type { AnalysedPicture, AnalysedSample } from "./sample.ts";
import { summaryDocument, summaryText } from "./summary.ts";
import { writeExports } from "./write.ts";

const CRITERIA = parseCriteria(
  {
    schema: 1,
    name: "test limits",
    version: "7",
    source: "a test",
    limits: [
      { measure: "length", unit: "µm", low: 3, high: 5, source: "a test" },
      { measure: "lengthToWidth", unit: "ratio", high: 1.6, source: "a test" },
    ],
  },
  "test",
);

const NORMAL = foundHead({ number: 1 });
const PYRIFORM = foundHead({ number: 2, probabilities: [0.3, 0.7], measures: { ...MEASURES, ellipticity: 1.5 } });
const CUT = foundHead({ number: 3, state: "cut", probabilities: [] });
const DEBRIS = foundHead({ number: 4, state: "refused", reason: "detector", probabilities: [0.9, 0.1], score: 0.2 });
const EXCLUDED = foundHead({ number: 5 });
const ALL = [NORMAL, PYRIFORM, CUT, DEBRIS, EXCLUDED];

const picture = (changes: Partial<AnalysedPicture> = {}): AnalysedPicture => ({
  path: "slide 1/field.png",
  analysis: { width: 200, height: 100, heads: ALL },
  excluded: new Set([5]),
  ...changes,
});
const sample = (...pictures: AnalysedPicture[]): AnalysedSample => ({
  analyser: ANALYSER,
  pictures: pictures.length > 0 ? pictures : [picture()],
  criteria: CRITERIA,
  normalClass: 0,
});
const statisticsOf = (of: AnalysedSample) => sampleStatistics(countHeads(of.pictures, ANALYSER.classes));
/** As a reader of the file has it. */
const read = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** Heads as they are drawn: their outlines, and how many pixels each has. */
const drawn = [...generatePhantoms({ count: 12, seed: 4 })].map(({ mask }, i) => {
  const whole = fillHoles(largestRegion(mask)!);
  const outer = outlines(whole)[0]!;
  return { head: foundHead({ number: i + 1, outline: outer }), pixels: whole.data.reduce((a, b) => a + b, 0) };
});

describe("polygons", () => {
  test("of drawn heads have the area of their masks", () => {
    for (const { head, pixels } of drawn) expect(signedArea(head.outline)).toBe(pixels);
  });

  test("of any mask, too, diagonal contacts and single pixels included", () => {
    const masks = fc
      .array(fc.boolean(), { minLength: 42, maxLength: 42 })
      .map((pixels): Mask => ({ width: 7, height: 6, data: Uint8Array.from(pixels, Number) }))
      .filter(({ data }) => data.some((value) => value === 1));
    fc.assert(
      fc.property(masks, (mask) => {
        const whole = fillHoles(largestRegion(mask)!);
        const outer = outlines(whole).sort((a, b) => b.length - a.length)[0]!;
        const heads = [foundHead({ outline: outer })];
        const of = sample(picture({ analysis: { width: 7, height: 6, heads } }));
        const pixels = whole.data.reduce((a, b) => a + b, 0);
        expect(coco(of).annotations[0]!.area).toBe(pixels);
        const [ring] = geoJson(of, of.pictures[0]!).features[0]!.geometry.coordinates;
        expect(signedArea(ring!.slice(0, -1))).toBe(pixels);
      }),
    );
  });
});

describe("GeoJSON", () => {
  const of = sample(picture({ umPerPx: 0.2 }));
  const { features } = read(geoJson(of, of.pictures[0]!));
  const [normal, pyriform, cut, debris, excluded] = features as unknown as GeoJsonCollection["features"];

  test("a feature for everything that was found, with closed rings that turn as RFC 7946 says", () => {
    expect(features.length).toBe(5);
    const turned = foundHead({ outline: [...NORMAL.outline].reverse() });
    const both = [...drawn.map(({ head }) => head), turned];
    const many = picture({ analysis: { width: 131, height: 131, heads: both } });
    for (const { geometry } of geoJson(sample(many), many).features) {
      const [ring, ...others] = geometry.coordinates;
      expect(others).toEqual([]);
      expect(ring!.length).toBeGreaterThanOrEqual(4);
      expect(ring!.at(-1)).toEqual(ring![0]);
      expect(signedArea(ring!.slice(0, -1))).toBeGreaterThan(0);
    }
  });

  test("what QuPath reads: object type, class with its colour, and measurements that are all numbers", () => {
    expect(normal!.properties).toMatchObject({
      objectType: "detection",
      name: "1",
      classification: { name: "01_Normal", color: [0, 114, 178] },
      isLocked: true,
      accepted: true,
      class: "01_Normal",
      probabilities: { "01_Normal": 0.8, Pyriform: 0.2 },
      measures: MEASURES,
    });
    for (const { properties } of features) {
      for (const value of Object.values(properties.measurements)) expect(Number.isFinite(value)).toBe(true);
      for (const value of Object.values(properties.metadata)) expect(typeof value).toBe("string");
      expect(properties.classification.color.length).toBe(3);
    }
    const broken = picture({
      analysis: { width: 9, height: 9, heads: [foundHead({ agreement: Number.NaN })] },
    });
    expect(geoJson(of, broken).features[0]!.properties.measurements).not.toHaveProperty("Reliability");
    expect(geoJson(of, broken, { objectType: "annotation" }).features[0]!.properties.objectType).toBe("annotation");
  });

  test("what is not counted has no class of a head, and says what it is", () => {
    expect(pyriform!.properties.classification.name).toBe("Pyriform");
    expect(cut!.properties).toMatchObject({ accepted: false, state: "cut", classification: { name: "Cut" } });
    expect(debris!.properties).toMatchObject({
      accepted: false,
      reason: "detector",
      classification: { name: "Refused", color: [60, 60, 60] },
    });
    expect(debris!.properties).not.toHaveProperty("class");
    expect(excluded!.properties).toMatchObject({ accepted: false, classification: { name: "Excluded" } });
  });

  test("micrometres of whole heads of calibrated pictures alone", () => {
    expect(normal!.properties.measurements["Length µm"]).toBeCloseTo(4);
    expect(normal!.properties.measurements["Area µm^2"]).toBeCloseTo(188 * 0.04);
    expect(cut!.properties.measurements).not.toHaveProperty("Length µm");
    const bare = sample();
    expect(JSON.stringify(geoJson(bare, bare.pictures[0]!))).not.toContain("Length µm");
  });

  test("ids are UUIDs, the same for the same head and others for others", () => {
    const ids = features.map(({ id }) => id);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(ids).size).toBe(ids.length);
    expect(geoJson(of, of.pictures[0]!).features.map(({ id }) => id)).toEqual(ids);
    const elsewhere = picture({ path: "slide 2/field.png" });
    expect(geoJson(of, elsewhere).features[0]!.id).not.toBe(ids[0]);
    expect(uuidOf("a")).not.toBe(uuidOf("b"));
  });

  test("names of classes that QuPath would split or refuse", () => {
    const odd = { ...of, analyser: { ...ANALYSER, classes: ["Head: large\nround", ""] } };
    const names = geoJson(odd, odd.pictures[0]!).features.map(({ properties }) => properties.classification.name);
    expect(names.slice(0, 2)).toEqual(["Head  large round", "Unnamed"]);
  });
});

describe("COCO", () => {
  const many = sample(
    picture(),
    picture({
      path: "slide 2\\field.png",
      analysis: { width: 131, height: 131, heads: drawn.map(({ head }) => head) },
    }),
  );
  const document: CocoDocument = read(coco(many));

  test("comes back: every polygon, box, area and class", () => {
    const found = many.pictures.flatMap(({ analysis }, i) => analysis.heads.map((head) => ({ head, image: i + 1 })));
    expect(document.annotations.length).toBe(found.length);
    expect(document.annotations.map(({ id }) => id)).toEqual(found.map((_, i) => i + 1));
    for (const [i, { head, image }] of found.entries()) {
      const { segmentation, bbox, area, image_id, iscrowd, score, attributes } = document.annotations[i]!;
      expect([image_id, iscrowd, score, attributes.number]).toEqual([image, 0, head.score, head.number]);
      const flat = segmentation[0]!;
      const back: Outline = flat.flatMap((x, k): [number, number][] => (k % 2 === 0 ? [[x, flat[k + 1]!]] : []));
      // Points on straight lines are left out, so the polygons are compared by what they enclose.
      expect(signedArea(back)).toBe(signedArea(head.outline));
      expect(area).toBe(signedArea(head.outline));
      const [xs, ys] = [0, 1].map((k) => head.outline.map((point) => point[k]!));
      const low = [Math.min(...xs!), Math.min(...ys!)];
      expect(bbox).toEqual([...low, Math.max(...xs!) - low[0]!, Math.max(...ys!) - low[1]!]);
    }
  });

  test("every category and image that is named is there, and debris has a category of its own", () => {
    const { categories, images, annotations, info } = document;
    expect(info.description).toContain("Research use only; not for diagnosis");
    expect(images.map(({ file_name, width, height }) => [file_name, width, height])).toEqual([
      ["slide 1/field.png", 200, 100],
      ["slide 2/field.png", 131, 131],
    ]);
    const nameOf = (id: number) => categories.find((category) => category.id === id)!.name;
    expect(annotations.slice(0, 5).map(({ category_id }) => nameOf(category_id))).toEqual([
      "01_Normal",
      "Pyriform",
      "cut (not counted)",
      "refused (not counted)",
      "01_Normal",
    ]);
    expect(annotations.slice(0, 5).map(({ attributes }) => attributes.accepted)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test("what has no outline has no polygon", () => {
    const empty = picture({ analysis: { width: 9, height: 9, heads: [foundHead({ outline: [] })] } });
    expect(coco(sample(empty)).annotations).toEqual([]);
    expect(geoJson(sample(empty), empty).features).toEqual([]);
  });
});

describe("heads.csv", () => {
  const rowsOf = (of: AnalysedSample) => parseCsv(headsCsv(of)).rows.map(({ cells }) => cells);

  test("one row for everything that was found; the class is the network's, the limits stand beside it", () => {
    const rows = rowsOf(sample(picture({ umPerPx: 0.2 })));
    expect(rows.map((row) => [row.state, row.reason, row.counted, row.class])).toEqual([
      ["head", "", "true", "01_Normal"],
      ["head", "", "true", "Pyriform"],
      ["cut", "", "false", ""],
      ["refused", "detector", "false", ""],
      ["head", "", "false", "01_Normal"],
    ]);
    expect(rows.map((row) => [row.limit_length, row.limit_lengthToWidth, row.within_limits, row.against])).toEqual([
      ["inside", "above", "outside", "lengthToWidth"],
      ["inside", "inside", "inside", "network"],
      ["", "", "", ""],
      ["", "", "", ""],
      ["inside", "above", "outside", "lengthToWidth"],
    ]);
    expect(rows[0]).toMatchObject({ length_px: "20", length_um: "4", area_um2: "7.52", um_per_px: "0.2" });
    expect(rows[2]).toMatchObject({ length_px: "20", length_um: "", prob_Pyriform: "" });
  });

  test("to the letter", () => {
    const odd = { ...NORMAL.measures, lengthPx: 20.456, rugosity: Number.NaN, symmetry: 0.123456 };
    const of = { ...sample(), analyser: { ...ANALYSER, classes: ["N", "P"] } };
    const heads = [foundHead(), foundHead({ number: 2, state: "cut", probabilities: [], measures: odd })];
    const text = headsCsv({ ...of, pictures: [picture({ umPerPx: 0.2, analysis: { width: 90, height: 90, heads } })] });
    expect(text.trimEnd().split("\n")).toEqual([
      "image,number,state,reason,counted,class,prob_N,prob_P,score,reliability,x_px,y_px,angle_deg,area_px,perimeter_px,length_px,width_px,ellipticity,elongation,rugosity,regularity,symmetry,acrosome_share,vacuoles,vacuole_share,um_per_px,length_um,width_um,perimeter_um,area_um2,limit_length,limit_lengthToWidth,within_limits,against",
      "slide 1/field.png,1,head,,true,N,0.8,0.2,0.9,0.95,45,40,0,188,51,20,12,1.6667,0.25,0.9,1,0.98,0.5,0,0,0.2,4,2.4,10.2,7.52,inside,above,outside,lengthToWidth",
      "slide 1/field.png,2,cut,,false,,,,0.9,0.95,45,40,0,188,51,20.46,12,1.6667,0.25,,1,0.1235,0.5,0,0,0.2,,,,,,,,",
    ]);
  });

  test("no calibration: no column in µm, and a limit in µm is unknown", () => {
    const [row] = rowsOf(sample());
    expect(Object.keys(row!).filter((name) => /_um/.test(name))).toEqual([]);
    expect(row).toMatchObject({ limit_length: "unknown", limit_lengthToWidth: "above" });
    // Beside a calibrated picture the columns are there, and empty for the other.
    const [first, second] = rowsOf(sample(picture(), picture({ umPerPx: 0.1 }))).filter(({ number }) => number === "1");
    expect([first!.length_um, second!.length_um]).toEqual(["", "2"]);
  });

  test("nasty names come back as they were", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ minLength: 1 }), (path, name) => {
        const odd = {
          ...sample(picture({ path, analysis: { width: 9, height: 9, heads: [NORMAL] } })),
          analyser: { ...ANALYSER, classes: [name, `${name}2`] },
        };
        const [row] = rowsOf(odd);
        expect(row!.image).toBe(path);
        expect(row!.class).toBe(name);
      }),
    );
    const [row] = rowsOf(sample(picture({ path: ' a,"b";\r\nc.png' })));
    expect(row!.image).toBe(' a,"b";\r\nc.png');
  });

  test("without criteria and heads there are still columns", () => {
    const { criteria: _, ...bare } = sample(picture({ analysis: { width: 9, height: 9, heads: [] } }));
    const { header, rows } = parseCsv(headsCsv(bare));
    expect(rows).toEqual([]);
    expect(header).toContain("vacuole_share");
    expect(header.some((name) => name.startsWith("limit_"))).toBe(false);
  });
});

describe("the summary", () => {
  const many = {
    ...sample(picture({ umPerPx: 0.2 }), picture({ path: "slide 2/field.png" })),
    problems: [{ path: "x.png", code: "image/truncated", message: "x.png: cut short" }],
  };
  const replicates = compareReplicates({ count: 10, total: 200 }, { count: 40, total: 200 });

  test("adds up: counted, refused, cut and excluded are everything that was found", () => {
    const { statistics, pictures, criteria, problems } = read(summaryDocument(many, statisticsOf(many), replicates));
    const found = statistics.counted + statistics.refused.total + statistics.cut + statistics.excluded;
    expect(found).toBe(10);
    for (const { counted, refused, cut, excluded } of pictures) {
      expect([counted, refused, cut, excluded]).toEqual([2, 1, 1, 1]);
    }
    expect(pictures.map(({ umPerPx }) => umPerPx)).toEqual([0.2, null]);
    expect(problems).toEqual(many.problems);
    expect(criteria!.limits.map(({ counted }) => counted)).toEqual([
      { inside: 2, below: 0, above: 0, unknown: 2 },
      { inside: 2, below: 0, above: 2, unknown: 0 },
    ]);
    expect(criteria!.networkAndLimits).toEqual({
      normal: { inside: 0, outside: 2, unknown: 0 },
      other: { inside: 1, outside: 0, unknown: 1 },
    });
  });

  test("in words says the same, hides nothing and says what it is for", () => {
    const text = summaryText(many, statisticsOf(many), replicates);
    expect(text).toMatch(/^Research use only; not for diagnosis\./);
    for (const part of [
      "4 heads counted in 2 pictures",
      "refused   2 (by the detector 2, for the mask 0, for the size 0)",
      "cut       2",
      "excluded  2",
      "x.png: cut short [image/truncated]",
      "Warning: 4 heads were counted; the WHO laboratory manual (2021) asks for at least 200.",
      "Two counts differ by -15.0 points",
      "not acceptable, count again",
      "length from 3 up to 5 µm: 2 inside, 0 below, 0 above, 2 unknown",
      "normal by the network: 0 within all limits, 2 beyond one, 0 unknown",
    ]) {
      expect(text).toContain(part);
    }
    // 2 of 4, and Wilson's interval.
    expect(text).toContain("50.0 % (15.0 to 85.0 %)");
  });

  test("of nothing has no share", () => {
    const none = sample(picture({ analysis: { width: 9, height: 9, heads: [] } }));
    expect(summaryText(none, statisticsOf(none))).toContain("Normal means the class 01_Normal: no share.");
  });
});

test("all files are written, one GeoJSON for every picture, whatever it is called", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const of = sample(picture({ path: "a/f.png" }), picture({ path: "b/F.tif" }), picture({ path: "../../etc/f" }));
  const written = await writeExports(folder, of, statisticsOf(of));
  expect(written).toEqual([
    "geojson/f.geojson",
    "geojson/F~2.geojson",
    "geojson/f~3.geojson",
    "coco.json",
    "heads.csv",
    "summary.json",
    "summary.txt",
  ]);
  const there = await readdir(folder, { recursive: true, withFileTypes: true });
  expect(there.filter((entry) => entry.isFile()).length).toBe(written.length);
  for (const name of written.filter((path) => path.endsWith("json"))) {
    expect(JSON.parse(await readFile(join(folder, name), "utf8"))).toBeTypeOf("object");
  }
  expect(JSON.parse(await readFile(join(folder, "geojson/F~2.geojson"), "utf8")).image).toBe("b/F.tif");
});

test("COCO in pieces is the same document, also of a sample without a head or a picture", () => {
  const empty = picture({ analysis: { width: 5, height: 5, heads: [] } });
  for (const of of [sample(), sample(picture(), empty, picture()), sample(empty), { ...sample(), pictures: [] }])
    expect(JSON.parse([...cocoText(of)].join(""))).toEqual(read(coco(of)));
});
