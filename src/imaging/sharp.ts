/** sharp, loaded when a picture first needs it: whoever reads bitmaps alone need not wait for it. */
import type sharp from "sharp";

let loaded: Promise<typeof sharp> | undefined;

export function loadSharp(): Promise<typeof sharp> {
  loaded ??= import("sharp").then((module) => {
    // One picture at a time per thread is enough; sharp's own cache would only hold memory.
    module.default.cache(false);
    return module.default;
  });
  return loaded;
}
