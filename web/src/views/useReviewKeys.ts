/** The keys with which heads are decided: the same in the gallery and in the picture. */
import { useEffect, useState } from "react";
import { type Keys, useKeys } from "../components/shortcuts.ts";
import { EXCLUSIONS, excluded, ofClass } from "../review/values.ts";
import { say } from "../state/announce.ts";
import { useSample } from "../state/sample.ts";
import { choose, settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";

/** @returns whether a reason for leaving out is being asked for, and how to say so */
export function useReviewKeys(active = true): [boolean, (asking: boolean) => void] {
  const { review, about, withModel } = useSample();
  const [excluding, setExcluding] = useState(false);
  const current = useStore(review.current);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another head, another question
  useEffect(() => setExcluding(false), [current]);
  const keys: Record<string, Keys[string]> = {
    x: () => setExcluding(true),
    a: () => {
      const model = review.head?.modelClass;
      if (model && withModel) review.decide(ofClass(model));
      else say(withModel ? "The model gives this head no class." : "The model's opinion is hidden (M shows it).");
    },
    u: () => void review.undo(),
    "Ctrl+z": () => void review.undo(),
    "Shift+u": () => void review.redo(),
    "Ctrl+Shift+z": () => void review.redo(),
    "Ctrl+y": () => void review.redo(),
    Delete: () => review.decide(null),
    s: () => review.nextUndecided(),
    " ": () => review.nextUndecided(),
    n: () => review.move(1),
    p: () => review.move(-1),
    ArrowRight: () => review.move(1),
    ArrowLeft: () => review.move(-1),
    Home: () => review.move(Number.NEGATIVE_INFINITY),
    End: () => review.move(Number.POSITIVE_INFINITY),
    c: () => review.toggleCompared(),
    l: () => choose({ outlines: !settings.get().outlines }),
    m: () => choose({ model: withModel ? "hide" : "show" }),
    r: () => document.getElementById("reason")?.focus(),
  };
  for (const [i, name] of about.classes.slice(0, 9).entries()) keys[String(i + 1)] = () => review.decide(ofClass(name));
  useKeys(keys, active);
  const leaveOut: Record<string, Keys[string]> = { Escape: () => setExcluding(false), x: () => setExcluding(false) };
  for (let i = 0; i < 9; i++) leaveOut[String(i + 1)] = () => say("1, 2 or 3: why is it left out? Esc leaves it in.");
  for (const [i, { why }] of EXCLUSIONS.entries()) {
    leaveOut[String(i + 1)] = () => {
      setExcluding(false);
      review.decide(excluded(why));
    };
  }
  useKeys(leaveOut, active && excluding);
  return [excluding, setExcluding];
}
