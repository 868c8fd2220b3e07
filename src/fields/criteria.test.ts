import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { BUNDLED_CRITERIA, type Criteria, judge, loadCriteria, overall, parseCriteria } from "./criteria.ts";
import { MEASURES as DRAWN } from "./fixtures.ts";
import { micrometres } from "./measures.ts";

const plain = (limits: object[], rest: object = {}) => ({
  schema: 1,
  name: "of our laboratory",
  version: "3",
  source: "protocol 12",
  limits: limits.map((limit) => ({ source: "protocol 12", ...limit })),
  ...rest,
});
const LENGTH = { measure: "length", unit: "µm", low: 4, high: 5 };

describe("the bundled criteria", () => {
  test("are all listed, and every limit says where it is from and what that was checked against", async () => {
    const files = (await readdir(fileURLToPath(new URL("./criteria", import.meta.url)))).sort();
    expect(files).toEqual(
      Object.keys(BUNDLED_CRITERIA)
        .map((name) => `${name}.json`)
        .sort(),
    );
    for (const path of Object.values(BUNDLED_CRITERIA)) {
      const { limits } = await loadCriteria(path);
      for (const { source, checked } of limits) {
        expect(source.length).toBeGreaterThan(10);
        expect(checked!.length).toBeGreaterThan(10);
      }
    }
  });

  test("of the WHO manual: an ordinary head is inside, a long narrow one is not", async () => {
    const criteria = await loadCriteria();
    // 4.1 × 2.8 µm at 0.1 µm per pixel, the manual's medians.
    const ordinary = { ...DRAWN, lengthPx: 41, widthPx: 28, ellipticity: 41 / 28, acrosomeShare: 0.55 };
    expect(overall(judge(ordinary, 0.1, criteria))).toBe("inside");
    const narrow = { ...ordinary, lengthPx: 52, widthPx: 22, ellipticity: 52 / 22 };
    expect(
      judge(narrow, 0.1, criteria).flatMap(({ measure, verdict }) => (verdict === "inside" ? [] : [measure])),
    ).toEqual(["length", "width", "lengthToWidth"]);
  });
});

describe("judging", () => {
  const criteria = parseCriteria(
    plain([
      LENGTH,
      { measure: "area", unit: "um^2", high: 12 },
      { measure: "lengthToWidth", unit: "ratio", low: 1.3, high: 1.8 },
      { measure: "vacuoles", unit: "count", high: 2 },
    ]),
    "own.json",
  );
  const head = { ...DRAWN, lengthPx: 45, areaPx: 1000, ellipticity: 1.5, vacuoles: 3 };
  const verdicts = (umPerPx: number | undefined, changes = {}) =>
    judge({ ...head, ...changes }, umPerPx, criteria).map(({ verdict }) => verdict);

  test("lengths only with a calibration, ratios and counts always", () => {
    expect(verdicts(undefined)).toEqual(["unknown", "unknown", "inside", "above"]);
    expect(verdicts(0.1)).toEqual(["inside", "inside", "inside", "above"]);
    expect(verdicts(0.12)).toEqual(["above", "above", "inside", "above"]);
    expect(verdicts(0.05)).toEqual(["below", "inside", "inside", "above"]);
    expect(judge(head, undefined, criteria)[0]).not.toHaveProperty("value");
    expect(judge(head, 0.1, criteria)[0]).toMatchObject({
      value: 4.5,
      unit: "µm",
      low: 4,
      high: 5,
      source: "protocol 12",
    });
    // An area grows with the square of the calibration.
    expect(judge(head, 0.1, criteria)[1]!.value).toBeCloseTo(10, 10);
  });

  test("the bounds belong to the range", () => {
    expect(verdicts(0.1, { ellipticity: 1.3, vacuoles: 2, lengthPx: 50 })).toEqual(Array(4).fill("inside"));
    expect(verdicts(0.1, { ellipticity: 1.29999 })[2]).toBe("below");
  });

  test("all in all", () => {
    expect(overall(judge(head, 0.1, criteria))).toBe("outside");
    expect(overall(judge({ ...head, vacuoles: 0 }, 0.1, criteria))).toBe("inside");
    // A broken limit is broken whatever the others would say; without one, what was not measured is open.
    expect(overall(judge(head, undefined, criteria))).toBe("outside");
    expect(overall(judge({ ...head, vacuoles: 0 }, undefined, criteria))).toBe("unknown");
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a calibration of %d is none", (umPerPx) => {
    expect(() => judge(head, umPerPx, criteria)).toThrow(expect.objectContaining({ code: "usage/bad-value" }) as Error);
    expect(() => micrometres(head, umPerPx)).toThrow(expect.objectContaining({ code: "usage/bad-value" }) as Error);
  });

  test("micrometres only where the calibration is known", () => {
    expect(micrometres(head, undefined)).toBeUndefined();
    const um = micrometres({ ...head, lengthPx: 40, widthPx: 30, perimeterPx: 110, areaPx: 900 }, 0.1)!;
    expect(um.lengthUm).toBeCloseTo(4);
    expect(um.widthUm).toBeCloseTo(3);
    expect(um.perimeterUm).toBeCloseTo(11);
    expect(um.areaUm2).toBeCloseTo(9);
  });
});

describe("a laboratory's own file", () => {
  async function reading(content: string): Promise<Criteria> {
    const folder = await mkdtemp(join(tmpdir(), "androscope-test-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "own.json");
    await writeFile(path, content);
    return loadCriteria(path);
  }

  test("is read", async () => {
    const criteria = await reading(JSON.stringify(plain([LENGTH, { measure: "width", unit: "μm", low: 2 }])));
    expect(criteria).toMatchObject({ name: "of our laboratory", version: "3" });
    expect(criteria.limits.map(({ unit }) => unit)).toEqual(["µm", "µm"]);
  });

  test.each([
    ["no JSON", "{", "criteria/unreadable"],
    ["a list", "[]", "criteria/unreadable"],
    ["null", "null", "criteria/unreadable"],
    ["of a newer version", plain([LENGTH], { schema: 2 }), "criteria/newer"],
    ["without a schema", plain([LENGTH], { schema: undefined }), "criteria/bad-value"],
    ["without a source", plain([LENGTH], { source: undefined }), "criteria/bad-value"],
    ["without limits", plain([]), "criteria/bad-value"],
    ["a bound as text", plain([{ ...LENGTH, low: "4" }]), "criteria/bad-value"],
    ["a bound below 0", plain([{ ...LENGTH, low: -4 }]), "criteria/bad-value"],
    ["a key too many", plain([LENGTH], { limit: [] }), "criteria/unknown-key"],
    ["a key of a limit too many", plain([{ ...LENGTH, lo: 4 }]), "criteria/unknown-key"],
    ["an unknown measure", plain([{ ...LENGTH, measure: "tail" }]), "criteria/unknown-measure"],
    ["a measure that all objects have", plain([{ ...LENGTH, measure: "toString" }]), "criteria/unknown-measure"],
    ["pixels", plain([{ ...LENGTH, unit: "px" }]), "criteria/bad-unit"],
    ["per cent", plain([{ measure: "acrosomeShare", unit: "%", low: 40 }]), "criteria/bad-unit"],
    ["bounds the wrong way round", plain([{ ...LENGTH, low: 6 }]), "criteria/bad-range"],
    ["no bound", plain([{ measure: "length", unit: "µm" }]), "criteria/bad-range"],
    ["a measure twice", plain([LENGTH, LENGTH]), "criteria/duplicate"],
  ])("%s", async (_, content, code) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await expect(reading(text)).rejects.toMatchObject({ code, where: expect.stringMatching(/own\.json$/) });
  });

  test("that is not there", async () => {
    await expect(loadCriteria("/none/own.json")).rejects.toMatchObject({ code: "file/not-found" });
  });
});
