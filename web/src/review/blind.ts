import type { Reader, Sample } from "../../../src/server/api.ts";

/** Whether the reader reads the sample blind and has heads left: whatever tells of others' decisions is refused until then. */
export function isBlindNow(
  { readings, heads }: Pick<Sample, "readings" | "heads">,
  { id }: Pick<Reader, "id">,
): boolean {
  return readings.some(({ reader, role, decided }) => reader.id === id && role === "blind" && decided < heads);
}
