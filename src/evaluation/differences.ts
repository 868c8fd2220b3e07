/** What differs between two configurations. */

export interface Difference {
  /** Path of keys, with dots. */
  key: string;
  value: unknown;
  usual: unknown;
}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

/** The leaves of two documents that differ; a list is a leaf. Absent on one side counts as undefined. */
export function differences(value: unknown, usual: unknown, key = ""): Difference[] {
  if (isRecord(value) && isRecord(usual)) {
    const keys = [...new Set([...Object.keys(usual), ...Object.keys(value)])];
    return keys.flatMap((k) => differences(value[k], usual[k], key ? `${key}.${k}` : k));
  }
  return JSON.stringify(value) === JSON.stringify(usual) ? [] : [{ key, value, usual }];
}
