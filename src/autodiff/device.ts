/**
 * Devices: where graphs are computed. A device is one of ONNX Runtime's execution providers; whether it works here is
 * found out by trying it in a child process, since a driver that fails may take the whole process with it and prints
 * what it likes. docs/devices.md says what each needs.
 */
import "./telemetry.ts";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";

/** The processor first, then what may be faster. */
export const DEVICES = ["cpu", "cuda", "dml", "coreml", "webgpu"] as const;
export type Device = (typeof DEVICES)[number];

/** What ONNX Runtime is told to compute on a device. What a provider cannot do stays on the processor. */
export function providerOptions(device: Device): ort.InferenceSession.SessionOptions {
  // DirectML allocates by itself and refuses a plan of the memory made ahead.
  return { executionProviders: [device], ...(device === "dml" ? { enableMemPattern: false } : {}) };
}

/** Why a device does not work. */
export type DeviceProblem = "not-in-package" | "no-libraries" | "no-driver" | "wrong-result" | "crashed" | "failed";

/** What came out of trying a device. */
export interface DeviceTrial {
  device: Device;
  works: boolean;
  /** In words: what is there, or what is missing. */
  found: string;
  problem?: DeviceProblem;
  /** What would make it work. */
  fix?: string;
  /** Results and gradients against the processor's: the norm of the difference over the norm, the worst of all. */
  difference?: number;
  /** A forward and backward pass of a convolution, here and on the processor. */
  seconds?: number;
  cpuSeconds?: number;
}

/**
 * How far a device may be from the processor. float32 sums of a thousand products in another order differ by about
 * 1e-6; providers that compute convolutions in ten bits of mantissa (TF32 in CUDA) by about 1e-3.
 */
export const DEVICE_TOLERANCE = 5e-3;

/** What a trial's child process prints. */
export type TrialReport = Required<Pick<DeviceTrial, "difference" | "seconds" | "cpuSeconds">>;

/** How a child process that tried a device ended. */
export interface TrialOutcome {
  report?: TrialReport;
  /** The error that it caught. */
  error?: string;
  /** The signal that killed it, or its exit code where it printed nothing. */
  ended?: string;
  stderr: string;
}

/** What of the devices is in ONNX Runtime's package on this machine. */
export interface DevicePackage {
  platform: string;
  /** Providers that the library knows; CUDA's own libraries come apart. */
  known: readonly string[];
  cudaLibraries: boolean;
}

export function devicePackage(): DevicePackage {
  const platform = `${process.platform} ${process.arch}`;
  const home = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const folder = join(home, "bin/napi-v6", process.platform, process.arch);
  return {
    platform,
    known: ort.listSupportedBackends().map(({ name }) => name),
    cudaLibraries: existsSync(join(folder, "libonnxruntime_providers_cuda.so")),
  };
}

const WHERE: Readonly<Record<Device, string>> = {
  cpu: "Linux and Windows, and macOS on arm64",
  cuda: "Linux on x64",
  dml: "Windows",
  coreml: "macOS",
  webgpu: "Windows, macOS, and Linux on x64",
};

const DRIVER: Readonly<Record<Device, string>> = {
  cpu: "Install the dependencies again: npm ci.",
  cuda: "Install NVIDIA's driver, CUDA 12 and cuDNN 9.",
  dml: "Install a driver for DirectX 12.",
  coreml: "Update macOS.",
  webgpu:
    "Install the graphics card's driver: for Vulkan on Linux, with the loader (libvulkan1); for Direct3D 12 on Windows. VK_DRIVER_FILES may name a Vulkan driver; without a graphics card SwiftShader, slow, is one (docs/devices.md).",
};

/** What can be said of a device without trying it: the reason why it cannot work here, if there is one. */
export function missingFromPackage(
  device: Device,
  { platform, known, cudaLibraries }: DevicePackage,
): DeviceTrial | undefined {
  if (!known.includes(device)) {
    return {
      device,
      works: false,
      problem: "not-in-package",
      found: `no ${device} in ONNX Runtime's package for ${platform}`,
      fix: `It is there for ${WHERE[device]}.`,
    };
  }
  if (device === "cuda" && !cudaLibraries) {
    return {
      device,
      works: false,
      problem: "no-libraries",
      found: "no CUDA libraries beside ONNX Runtime",
      fix: "Let its install script fetch them: ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js (docs/devices.md).",
    };
  }
  return undefined;
}

/** What the end of a trial means. */
export function judgeTrial(device: Device, { report, error, ended, stderr }: TrialOutcome): DeviceTrial {
  if (report) {
    const difference = report.difference.toExponential(1);
    if (report.difference <= DEVICE_TOLERANCE)
      return {
        device,
        works: true,
        found: device === "cpu" ? "computes" : `computes as the processor within ${difference}`,
        ...report,
      };
    return {
      device,
      works: false,
      problem: "wrong-result",
      found: `results that differ from the processor's by ${difference}`,
      fix: "Update the driver, and report it with the output of androscope doctor --json.",
      ...report,
    };
  }
  const said = (error ?? stderr).replaceAll(/\s+/g, " ").trim();
  if (error !== undefined && (/adapter/i.test(said) || /AppendExecutionProvider/.test(said))) {
    // Where CUDA is installed but not found, only the library's own message on stderr names what is missing.
    const missing = /error: (\S+: cannot open shared object file)/.exec(stderr)?.[1];
    return { device, works: false, problem: "no-driver", found: missing ?? brief(said), fix: DRIVER[device] };
  }
  const fix = "Update the driver, or choose another device.";
  if (error !== undefined) return { device, works: false, problem: "failed", found: brief(said), fix };
  const found = `its process ended by ${ended}${said ? `: ${brief(said)}` : ""}`;
  return { device, works: false, problem: "crashed", found, fix };
}

/** The last of what a library said: in front are its own files and functions. */
function brief(text: string): string {
  return (/was false\. (.*)/.exec(text)?.[1] ?? text).slice(-200);
}

const PROGRAM = fileURLToPath(new URL("./device-trial.ts", import.meta.url));
/** A first use may compile hundreds of shaders. */
const PATIENCE_MS = 60_000;

/** Tries a device in a child process: a small network forward and backward, against the processor. */
export async function tryDevice(
  device: Device,
  { program = PROGRAM, patience = PATIENCE_MS } = {},
): Promise<DeviceTrial> {
  return missingFromPackage(device, devicePackage()) ?? judgeTrial(device, await outcome([program, device], patience));
}

function outcome(args: readonly string[], patience: number): Promise<TrialOutcome> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patience,
    killSignal: "SIGKILL",
    windowsHide: true,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ ended: error.message, stderr }));
    child.once("close", (code, signal) => {
      if (child.killed) return resolve({ error: `no answer within ${patience / 1000} s`, stderr });
      // Drivers print to stdout, too: the answer is the line that is JSON.
      const line = stdout.split("\n").find((text) => text.startsWith('{"trial":'));
      if (line) return resolve({ ...(JSON.parse(line).trial as Omit<TrialOutcome, "stderr">), stderr });
      resolve({ ended: signal ?? `exit ${code}`, stderr });
    });
  });
}

/** How much faster than the processor a device has to be for `auto`: the trial is short, and the processor exact. */
const WORTH_IT = 0.8;

/** The fastest device that computes as the processor does and is clearly faster; else the processor. */
export function fastest(trials: readonly DeviceTrial[]): Device {
  const [best] = trials
    .filter(({ works, seconds, cpuSeconds }) => works && seconds! < WORTH_IT * cpuSeconds!)
    .sort((a, b) => a.seconds! - b.seconds!);
  return best?.device ?? "cpu";
}
