/** Keys of a view. One listener for the page; the view that asked last is heard first. */
import { useLayoutEffect, useRef } from "react";

/** By `KeyboardEvent.key`; `Shift+`, `Ctrl+` and `Alt+` before it where held (Shift not for characters that need it). */
export type Keys = Readonly<Record<string, ((event: KeyboardEvent) => void) | undefined>>;

const layers: { current: Keys }[] = [];

/** Keys follow the picture in the same step: after a passive effect, one pressed right after a change would be lost. */
export function useKeys(keys: Keys, active = true): void {
  const layer = useRef(keys);
  useLayoutEffect(() => {
    layer.current = keys;
  });
  useLayoutEffect(() => {
    if (!active) return;
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
    };
  }, [active]);
}

export function nameOfKey({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): string {
  const isLetter = /^[a-z]$/i.test(key);
  const shift = shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  return `${ctrlKey || metaKey ? "Ctrl+" : ""}${altKey ? "Alt+" : ""}${shift}${isLetter ? key.toLowerCase() : key}`;
}

/** Where a key already has a meaning of its own. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  if (target.matches("input:not([type=checkbox], [type=radio], [type=button]), textarea, select")) return true;
  if (key === "Enter" || key === " ") return target.matches("button, a, summary, input, label");
  if (key.startsWith("Arrow")) return target.matches("input");
  return false;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOfKey(event);
  if (isTaken(event.target, event.key)) return;
  for (const layer of layers.toReversed()) {
    const act = layer.current[name];
    if (!act) continue;
    event.preventDefault();
    act(event);
    return;
  }
});
