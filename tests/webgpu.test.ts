/**
 * WebGPU against the processor, on SwiftShader, Chromium's Vulkan driver without a graphics card, or on the driver that
 * VK_DRIVER_FILES names. In a child process: a driver that crashes fails these tests and no others. Skipped where there
 * is no driver or no Vulkan loader; .ci/run installs both. What the tolerances are made of: docs/devices.md.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { tryDevice } from "../src/autodiff/index.ts";
import type { AloneResult } from "./operators-alone.ts";
import { androscope, json } from "./support.ts";

/** Where Debian's package chromium keeps it. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

process.env.VK_DRIVER_FILES ??= existsSync(SWIFTSHADER) ? SWIFTSHADER : "";
const trial = await tryDevice("webgpu");
const absent = trial.problem === "no-driver" || trial.problem === "not-in-package";
if (absent) console.warn(`WebGPU is not tested here: ${trial.found}. ${trial.fix}`);

interface Answer {
  operators: AloneResult;
  trained: { loss: number; moments: number; statistics: number; parameters: number };
  rectified: { loss: number; gradient: number; gates: { decided: number; otherwise: number; largest: number } };
}

describe.skipIf(absent)("WebGPU (skipped where there is no Vulkan driver)", () => {
  let answer: Answer;
  beforeAll(async () => {
    const program = fileURLToPath(new URL("./on-device.ts", import.meta.url));
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, "webgpu"]);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    const status = await new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
    expect(status, stderr).toBe(0);
    answer = JSON.parse(stdout.trim().split("\n").at(-1)!);
  });

  test("the trial finds that it computes", () => {
    expect(trial).toMatchObject({ works: true, device: "webgpu" });
    expect(trial.difference).toBeLessThan(1e-4);
  });

  test("every operator computes what the processor computes from the same inputs", () => {
    const { operators, distinct } = answer.operators;
    expect(distinct).toBeGreaterThan(400);
    const used = "Gemm MatMul Gather ScatterND Concat Slice Transpose MaxPool GridSample Relu HardSigmoid ReduceSum";
    expect(Object.keys(operators)).toEqual(expect.arrayContaining(used.split(" ")));
    // WGSL allows sin and cos an absolute error of 2⁻¹¹; the rest is rounding of sums of a few hundred terms.
    const allowed = (name: string) => (name === "Sin" || name === "Cos" ? 1e-3 : 5e-6);
    const wrong = Object.entries(operators).filter(([name, { difference }]) => !(difference <= allowed(name)));
    expect(wrong).toEqual([]);
  });

  test("whole training steps: loss, moments, statistics and parameters", () => {
    expect(answer.trained.loss).toBeLessThan(1e-5);
    expect(answer.trained.statistics).toBeLessThan(1e-5);
    // After one step Adam's first moment is the gradient, times a tenth.
    expect(answer.trained.moments).toBeLessThan(1e-4);
    expect(answer.trained.parameters).toBeLessThan(1e-3);
  });

  test("a residual network with rectifiers, which may decide otherwise only next to 0", () => {
    const { loss, gradient, gates } = answer.rectified;
    expect(loss).toBeLessThan(1e-5);
    expect(gates.decided).toBeGreaterThan(5000);
    expect(gates.otherwise).toBeLessThan(5);
    expect(gates.largest).toBeLessThan(1e-4);
    // One rectifier of thousands that opens instead of staying closed moves a gradient by percents.
    expect(gradient).toBeLessThan(gates.otherwise === 0 ? 1e-4 : 0.3);
  });

  test("androscope doctor says that it works", async () => {
    const { healthy, devices, checks } = json(await androscope(["doctor", "--device", "webgpu", "--json"]));
    expect(healthy).toBe(true);
    expect(checks).toContainEqual(expect.objectContaining({ name: "device webgpu", ok: true }));
    expect(devices).toContainEqual(expect.objectContaining({ device: "webgpu", works: true }));
  });
});
