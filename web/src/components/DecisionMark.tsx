import type { Value } from "../../../src/server/api.ts";
import { valueInWords } from "../review/values.ts";
import { ClassMark } from "./ClassMark.tsx";

/** A decision: its class, or why the head is left out. */
export function DecisionMark({
  value,
  classes,
  short = false,
}: {
  value: Value;
  classes: readonly string[];
  short?: boolean;
}) {
  if (value.kind === "class") return <ClassMark name={value.class} classes={classes} short={short} />;
  return (
    <span className="class-mark out" title={valueInWords(value)}>
      <span className="digit">✕</span>
      {valueInWords(value)}
    </span>
  );
}
