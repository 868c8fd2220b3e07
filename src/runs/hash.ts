/** The name of a thing that is known by everything it depends on. */
import { createHash } from "node:crypto";

/** SHA-256 of plain data, in hexadecimal; the order of keys does not count, nor do keys whose value is undefined. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}

/** The one JSON text of a value. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
