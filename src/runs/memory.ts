/** What a process takes of the machine's memory. */
import { readFileSync } from "node:fs";

/**
 * The most memory that this process has had resident, in bytes. On Linux the system's own figure for a process begins
 * with that of the process which started it; the mark of the address space does not.
 */
export function peakRss(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
