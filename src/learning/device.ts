/** Which device a run or a model uses: one that was tried and works, or an error that says what is missing. */
import { DEVICES, type Device, type DeviceProblem, type DeviceTrial, fastest, tryDevice } from "../autodiff/index.ts";
import { AndroscopeError, type ErrorCode } from "../runs/index.ts";

/** `auto`: the fastest that works and is clearly faster than the processor. */
export const DEVICE_CHOICES = [...DEVICES, "auto"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

const CODES: Readonly<Record<DeviceProblem, ErrorCode>> = {
  "not-in-package": "device/not-in-package",
  "no-libraries": "device/no-libraries",
  "no-driver": "device/no-driver",
  "wrong-result": "device/wrong-result",
  crashed: "device/crashed",
  failed: "device/failed",
};

const tried = new Map<Device, Promise<DeviceTrial>>();

/** Tries a device once in this process. */
function trialOf(device: Device): Promise<DeviceTrial> {
  let trial = tried.get(device);
  if (!trial) tried.set(device, (trial = tryDevice(device)));
  return trial;
}

/**
 * The device for a choice. The processor is taken as it is; any other is tried first, in a child process.
 * @param say told what `auto` chose, and why
 * @throws `device/*` where it does not work
 */
export async function usableDevice(
  choice: DeviceChoice = "cpu",
  { say, attempt = trialOf }: { say?: (text: string) => void; attempt?: (device: Device) => Promise<DeviceTrial> } = {},
): Promise<Device> {
  if (choice === "cpu") return choice;
  if (choice === "auto") {
    const trials: DeviceTrial[] = [];
    // One after the other: what is measured is their speed.
    for (const device of DEVICES) if (device !== "cpu") trials.push(await attempt(device));
    const device = fastest(trials);
    say?.(`device auto: ${device} (${trials.map(inWords).join("; ")})`);
    return device;
  }
  const trial = await attempt(choice);
  if (trial.works) return choice;
  throw new AndroscopeError(CODES[trial.problem!], {
    expected: `a device ${choice} that computes as the processor does`,
    found: trial.found,
    where: `device ${choice}`,
    fix: `${trial.fix} androscope doctor tries every device.`,
  });
}

/** A trial in a few words. */
export function inWords({ device, works, found, seconds, cpuSeconds }: DeviceTrial): string {
  if (!works) return `${device}: ${found}`;
  const ratio = cpuSeconds! / seconds!;
  const speed = ratio >= 1 ? `${ratio.toFixed(1)} times as fast` : `${(1 / ratio).toFixed(1)} times as slow`;
  return `${device}: ${found}${device === "cpu" ? "" : `, ${speed}`}`;
}
