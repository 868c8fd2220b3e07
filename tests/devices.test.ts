/** The option --device: what is not available is refused with what would make it available; auto; doctor. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DEVICES, devicePackage } from "../src/autodiff/index.ts";
import { Model } from "../src/index.ts";
import { androscope, failure, json, TINY, temporary, tinyModel, twoClasses } from "./support.ts";

// Nothing that a machine may have beside its processor.
process.env.VK_DRIVER_FILES = join(import.meta.dirname, "no-such-driver.json");
const { platform, cudaLibraries } = devicePackage();

let root = "";
let out = "";
let model = "";
beforeAll(async () => {
  [root, out, model] = [await twoClasses(2), await temporary(), await tinyModel()];
});

describe.runIf(platform === "linux x64")(
  "a device that is not there (on Linux x64, of whose package it is known)",
  () => {
    const calls: [string, () => string[]][] = [
      ["train", () => ["train", root, "--out", join(out, "no"), ...TINY]],
      ["crossval", () => ["crossval", root, "--k=2", "--out", join(out, "no"), ...TINY]],
      ["predict", () => ["predict", "--model", model, root]],
      ["demo", () => ["demo", "--out", join(out, "no")]],
    ];
    test.each(calls)("%s says that CoreML is for macOS, before anything is written", async (_, args) => {
      const refusal = failure(await androscope([...args(), "--device=coreml", "--json"]), "device/not-in-package");
      expect(refusal).toMatchObject({ where: "device coreml", fix: expect.stringContaining("macOS") });
      expect(existsSync(join(out, "no"))).toBe(false);
    });

    test("DirectML is for Windows", async () => {
      const refusal = failure(await androscope([...calls[2]![1](), "--device=dml", "--json"]), "device/not-in-package");
      expect(refusal.fix).toContain("Windows");
    });

    test.runIf(!cudaLibraries)(
      "CUDA's libraries come with ONNX Runtime's own install script (skipped where they are installed)",
      async () => {
        const refusal = failure(
          await androscope([...calls[2]![1](), "--device=cuda", "--json"]),
          "device/no-libraries",
        );
        expect(refusal.fix).toContain("script/install.js");
      },
    );

    test("WebGPU needs a driver", async () => {
      const refusal = failure(await androscope([...calls[2]![1](), "--device=webgpu", "--json"]), "device/no-driver");
      expect(refusal).toMatchObject({
        found: expect.stringContaining("adapter"),
        fix: expect.stringContaining("Vulkan"),
      });
    });

    test("in a program too", async () => {
      await expect(Model.load(model, { device: "coreml" })).rejects.toMatchObject({ code: "device/not-in-package" });
    });
  },
);

test("a device that nobody knows is wrong use", async () => {
  const refusal = failure(
    await androscope(["predict", "--model", model, root, "--device=gpu", "--json"]),
    "usage/bad-value",
  );
  expect(refusal).toMatchObject({ where: "--device", expected: "one of cpu, cuda, dml, coreml, webgpu, auto" });
});

test.runIf(platform === "linux x64" && !cudaLibraries)(
  "auto says what it took, and the run and the model say it (on Linux x64 without CUDA's libraries)",
  async () => {
    const run = join(out, "auto");
    const done = await androscope(["train", root, "--out", run, "--device=auto", "--json", ...TINY]);
    expect(json(done).device).toBe("cpu");
    expect(done.stderr).toContain("device auto: cpu (cuda: no CUDA libraries");
    expect(JSON.parse(await readFile(join(run, "config.json"), "utf8")).device).toBe("cpu");
    const loaded = await Model.load(join(run, "model.onnx"), { device: "auto", threads: 1 });
    expect(loaded.metadata.training.device).toBe("cpu");
    loaded.dispose();
  },
);

describe("doctor", () => {
  test("lists every device and is well with the processor", async () => {
    const { healthy, devices } = json(await androscope(["doctor", "--json"]));
    expect(healthy).toBe(true);
    expect(devices.map(({ device }: { device: string }) => device)).toEqual([...DEVICES]);
    expect(devices[0]).toMatchObject({ device: "cpu", works: true });
    for (const { works, problem, fix } of devices)
      if (!works) expect([problem, fix]).toEqual([expect.any(String), expect.stringMatching(/\S/)]);
  });

  test.runIf(platform === "linux x64")(
    "fails where the device asked for is missing, and says why (on Linux x64)",
    async () => {
      const { status, stdout } = await androscope(["doctor", "--device=webgpu"]);
      expect(status).toBe(1);
      expect(stdout).toMatch(/^FAIL device webgpu: .*adapter.*Vulkan/m);
      expect(stdout).toMatch(/^ {2}works {3}cpu: computes$/m);
    },
  );
});
