import { describe, expect, test } from "vitest";
import type { Device, DeviceProblem, DeviceTrial } from "../autodiff/index.ts";
import { DEVICE_CHOICES as OFFERED } from "../cli/options.ts";
import { AndroscopeError } from "../runs/index.ts";
import { DEVICE_CHOICES, usableDevice } from "./device.ts";

const missing = (device: Device, problem: DeviceProblem): DeviceTrial => ({
  device,
  works: false,
  problem,
  found: `no ${device}`,
  fix: "Get one.",
});
const working = (device: Device, seconds: number): DeviceTrial => ({
  device,
  works: true,
  found: "computes",
  difference: 1e-6,
  seconds,
  cpuSeconds: 1,
});

describe("the device of a run", () => {
  test("is the processor unless another is asked for, and that is not tried", async () => {
    const attempt = () => Promise.reject(new Error("tried"));
    expect(await usableDevice(undefined, { attempt })).toBe("cpu");
    expect(await usableDevice("cpu", { attempt })).toBe("cpu");
  });

  test("is the one asked for where it works", async () => {
    expect(await usableDevice("webgpu", { attempt: async (device) => working(device, 300) })).toBe("webgpu");
  });

  test.each(["not-in-package", "no-libraries", "no-driver", "wrong-result", "crashed", "failed"] as const)(
    "that does not work is an error: %s",
    async (problem) => {
      const refusal = await usableDevice("webgpu", { attempt: async (device) => missing(device, problem) }).catch(
        (e) => e,
      );
      expect(refusal).toBeInstanceOf(AndroscopeError);
      expect(refusal).toMatchObject({ code: `device/${problem}`, found: "no webgpu", where: "device webgpu" });
      expect(refusal.fix).toBe("Get one. androscope doctor tries every device.");
    },
  );

  test("auto is the fastest that works, and says what it found", async () => {
    const said: string[] = [];
    const say = (text: string) => said.push(text);
    const attempt = async (device: Device) =>
      device === "cuda" || device === "webgpu"
        ? working(device, device === "cuda" ? 0.1 : 0.5)
        : missing(device, "not-in-package");
    expect(await usableDevice("auto", { say, attempt })).toBe("cuda");
    expect(said[0]).toMatch(
      /^device auto: cuda \(cuda: computes, 10\.0 times as fast; dml: no dml; .*webgpu: computes, 2\.0 times/,
    );
    const slow = async (device: Device) => (device === "webgpu" ? working(device, 300) : missing(device, "no-driver"));
    expect(await usableDevice("auto", { say, attempt: slow })).toBe("cpu");
    expect(said[1]).toContain("webgpu: computes, 300.0 times as slow");
  });

  test("the commands offer the same", () => expect(OFFERED).toEqual(DEVICE_CHOICES));
});
