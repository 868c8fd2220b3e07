import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  DEVICE_TOLERANCE,
  DEVICES,
  type DevicePackage,
  type DeviceTrial,
  devicePackage,
  fastest,
  judgeTrial,
  missingFromPackage,
  tryDevice,
} from "./device.ts";

const linux: DevicePackage = {
  platform: "linux x64",
  known: ["cpu", "webgpu", "cuda", "tensorrt"],
  cudaLibraries: false,
};

describe("what the package has", () => {
  test("is told without trying, with what would help", () => {
    const problems = (about: DevicePackage) =>
      Object.fromEntries(DEVICES.map((device) => [device, missingFromPackage(device, about)?.problem]));
    expect(problems(linux)).toEqual({
      cpu: undefined,
      cuda: "no-libraries",
      dml: "not-in-package",
      coreml: "not-in-package",
      webgpu: undefined,
    });
    expect(problems({ ...linux, cudaLibraries: true }).cuda).toBeUndefined();
    const mac = { platform: "darwin arm64", known: ["cpu", "coreml", "webgpu"], cudaLibraries: false };
    expect(problems(mac)).toMatchObject({ cuda: "not-in-package", coreml: undefined, dml: "not-in-package" });
    expect(missingFromPackage("coreml", linux)).toMatchObject({
      found: "no coreml in ONNX Runtime's package for linux x64",
      fix: "It is there for macOS.",
    });
    expect(missingFromPackage("cuda", linux)!.fix).toContain("onnxruntime-node/script/install.js");
  });

  test("here it has the processor", () => expect(devicePackage().known).toContain("cpu"));
});

describe("what a trial means", () => {
  const report = { difference: 1e-6, seconds: 0.001, cpuSeconds: 0.002 };
  // What ONNX Runtime 1.30.0 says, as seen.
  const adapter =
    "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n";
  const cuda = "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library";

  test("near enough to the processor, it works", () => {
    expect(judgeTrial("webgpu", { report, stderr: "" })).toMatchObject({ works: true, ...report });
    expect(judgeTrial("webgpu", { report, stderr: "Warning: slow" })).toMatchObject({ works: true });
  });

  test.each([
    ["webgpu", { report: { ...report, difference: 2 * DEVICE_TOLERANCE }, stderr: "" }, "wrong-result", "1.0e-2"],
    ["webgpu", { error: adapter, stderr: "" }, "no-driver", "Failed to get a WebGPU adapter: No supported adapters"],
    ["cuda", { error: cuda, stderr: "" }, "no-driver", cuda],
    [
      "cuda",
      {
        error: cuda,
        stderr:
          "FAIL : Failed to load library x.so with error: libcublasLt.so.12: cannot open shared object file: No such file",
      },
      "no-driver",
      "libcublasLt.so.12: cannot open shared object file",
    ],
    ["coreml", { error: "Not enough memory", stderr: "" }, "failed", "Not enough memory"],
    ["webgpu", { ended: "SIGSEGV", stderr: "device\nlost" }, "crashed", "its process ended by SIGSEGV: device lost"],
  ] as const)("%s %j", (device, outcome, problem, found) => {
    const trial = judgeTrial(device, outcome);
    expect(trial).toMatchObject({ device, works: false, problem, found: expect.stringContaining(found) });
    expect(trial.fix).toMatch(/\S\.$/);
  });
});

describe("a trial", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "androscope-device-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => vi.unstubAllEnvs());

  let programs = 0;
  const program = async (text: string) => {
    const path = join(folder, `${programs++}.mjs`);
    await writeFile(path, text);
    return path;
  };

  test("of the processor computes", async () => {
    const trial = await tryDevice("cpu");
    expect(trial).toMatchObject({ works: true, difference: 0 });
    expect(trial.seconds).toBeGreaterThan(0);
  });

  test("survives a driver that ends the process, or says nothing", async () => {
    const killed = await program(
      'console.error("lost"); process.kill(process.pid, "SIGSEGV"); await new Promise(() => setTimeout(() => {}, 1e6));',
    );
    expect(await tryDevice("cpu", { program: killed })).toMatchObject({
      problem: "crashed",
      found: expect.stringContaining("SIGSEGV: lost"),
    });
    const silent = await program("process.exit(3);");
    expect(await tryDevice("cpu", { program: silent })).toMatchObject({
      problem: "crashed",
      found: expect.stringContaining("exit 3"),
    });
  });

  test("does not wait for ever", async () => {
    const hanging = await program("setInterval(() => {}, 1000);");
    expect(await tryDevice("cpu", { program: hanging, patience: 500 })).toMatchObject({
      problem: "failed",
      found: "no answer within 0.5 s",
    });
  });

  test("reads the answer from what drivers print around it", async () => {
    const talking = await program(
      `console.log("driver 1.2"); console.log('{"trial":{"report":{"difference":0.5,"seconds":1,"cpuSeconds":1}}}'); console.log("bye");`,
    );
    expect(await tryDevice("cpu", { program: talking })).toMatchObject({ problem: "wrong-result", difference: 0.5 });
  });

  test.runIf(devicePackage().platform === "linux x64")(
    "of WebGPU without any Vulkan driver names the driver (on Linux x64, whose package has WebGPU)",
    async () => {
      vi.stubEnv("VK_DRIVER_FILES", join(folder, "none.json"));
      expect(await tryDevice("webgpu")).toMatchObject({
        works: false,
        problem: "no-driver",
        found: expect.stringContaining("No supported adapters"),
        fix: expect.stringContaining("Vulkan"),
      });
    },
  );
});

test("auto takes what is clearly faster and works, else the processor", () => {
  const trial = (device: DeviceTrial["device"], seconds: number, works = true): DeviceTrial => ({
    device,
    works,
    found: "",
    seconds,
    cpuSeconds: 1,
  });
  expect(fastest([])).toBe("cpu");
  expect(fastest([{ device: "cuda", works: false, found: "" }])).toBe("cpu");
  expect(fastest([trial("cpu", 1), trial("webgpu", 300)])).toBe("cpu");
  expect(fastest([trial("cpu", 1), trial("webgpu", 0.95)])).toBe("cpu");
  expect(fastest([trial("cpu", 1), trial("webgpu", 0.3), trial("cuda", 0.1, false)])).toBe("webgpu");
  expect(fastest([trial("webgpu", 0.3), trial("cuda", 0.1)])).toBe("cuda");
});
