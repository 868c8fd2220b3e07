import { className } from "../review/values.ts";

/** A class by colour, digit and name: never by colour alone. */
export function ClassMark({
  name,
  classes,
  short = false,
}: {
  name: string;
  classes: readonly string[];
  short?: boolean;
}) {
  const at = classes.indexOf(name);
  return (
    <span className={`class-mark c${at % 8}`}>
      <span className="digit">{at + 1}</span>
      {short ? className(name).slice(0, 3) : className(name)}
    </span>
  );
}
