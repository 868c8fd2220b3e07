import { cpus, totalmem } from "node:os";
import { version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { deviceChoice, TRAINING_OPTIONS } from "./options.ts";

export const command: Command = {
  name: "doctor",
  summary: "Checks that this machine and installation can run Androscope.",
  usage: "[--device DEVICE]",
  example: "androscope doctor",
  options: {
    device: { ...TRAINING_OPTIONS.device, help: "the device that has to work; all are tried and listed" },
  },
  async run({ options }) {
    const choice = deviceChoice(options.device);
    // Loaded here, since what is missing is what this command is asked about.
    const where = await import("../evaluation/index.ts")
      .then(({ environment }) => environment())
      .catch(() => undefined);
    const checks: { name: string; ok: boolean; detail: string }[] = [];
    const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
    checks.push({ name: "Node", ok: major > 22 || (major === 22 && minor >= 18), detail: process.version });
    try {
      const { add, InferenceRunner, input } = await import("../autodiff/index.ts");
      const x = input("x", [2]);
      const runner = await InferenceRunner.create({ y: add(x, x) });
      const { y } = await runner.run({ x: Float32Array.of(1, 2) });
      runner.dispose();
      checks.push({ name: "ONNX Runtime", ok: (y!.data as Float32Array)[1] === 4, detail: where?.onnxruntime ?? "" });
    } catch (error) {
      checks.push({ name: "ONNX Runtime", ok: false, detail: (error as Error).message });
    }
    try {
      const { decodeImage, encodePng } = await import("../imaging/index.ts");
      const image = await decodeImage(await encodePng({ width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }));
      checks.push({ name: "image decoding", ok: image.data[5] === 6, detail: "sharp" });
    } catch (error) {
      checks.push({ name: "image decoding", ok: false, detail: (error as Error).message });
    }
    const devices = await listDevices().catch(() => []);
    if (choice !== "cpu" && choice !== "auto") {
      const trial = devices.find(({ device }) => device === choice);
      const ok = trial?.works ?? false;
      checks.push({ name: `device ${choice}`, ok, detail: ok ? trial!.found : `${trial?.found}. ${trial?.fix ?? ""}` });
    }
    const gigabytes = totalmem() / 1e9;
    checks.push({
      name: "memory",
      ok: gigabytes >= 3,
      detail: `${gigabytes.toFixed(1)} GB; training takes about 1.2 GB`,
    });
    const healthy = checks.every((check) => check.ok);
    return {
      json: { version: version(), healthy, checks, devices, environment: where ?? null },
      text: [
        `Androscope ${version()} on ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown"} × ${cpus().length}`,
        ...checks.map((c) => `${c.ok ? "ok  " : "FAIL"} ${c.name}: ${c.detail}`),
        "",
        ...(devices.length > 0 ? ["Devices (docs/devices.md):"] : []),
        ...devices.map((d) => `  ${d.works ? "works  " : "missing"} ${d.text}${d.works ? "" : `. ${d.fix}`}`),
        ...devices.filter((d) => d.automatic).map(({ device }) => `  --device auto takes ${device}.`),
      ].join("\n"),
      next: healthy ? ["androscope demo"] : ["npm ci   installs what is missing"],
      exitCode: healthy ? 0 : 1,
    };
  },
};

/** Every device, tried, one after the other. */
async function listDevices() {
  const { DEVICES, fastest, tryDevice } = await import("../autodiff/index.ts");
  const { inWords } = await import("../learning/index.ts");
  const trials: Awaited<ReturnType<typeof tryDevice>>[] = [];
  for (const device of DEVICES) trials.push(await tryDevice(device));
  const automatic = fastest(trials);
  return trials.map((trial) => ({ ...trial, text: inWords(trial), automatic: trial.device === automatic }));
}
