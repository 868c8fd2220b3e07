/** Models in words. They have no names: the first digits of their SHA-256 stand for them. */
import type { ImageRecord } from "../../../src/server/api.ts";

type Described = Pick<NonNullable<ImageRecord["analyser"]>, "model" | "adapted">;

export const shortModel = (model: string): string => model.slice(0, 8);

/** `Model 1a2b3c4d`, with what it was learned from where that is known. */
export function modelInWords({ model, adapted }: Described): string {
  return `Model ${shortModel(model)}${adapted ? `, learned from ${adapted.heads} heads` : ""}`;
}
