import type { Head } from "../../../src/server/api.ts";
import { ClassMark } from "../components/ClassMark.tsx";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { useSample } from "../state/sample.ts";
import { type Basis, classIn, spread } from "./tally.ts";

/** Of each class. */
const MOST = 12;

/** Heads of each class: evenly spread over the sample, not chosen for their looks. */
export function Pictures({
  heads,
  classes,
  basis,
}: {
  heads: readonly Head[];
  classes: readonly string[];
  basis: Basis;
}) {
  const { review } = useSample();
  const groups = classes
    .map((name) => ({ name, of: heads.filter((head) => classIn(head, basis) === name) }))
    .filter(({ of }) => of.length > 0);
  if (groups.length === 0) return null;
  return (
    <section>
      <h2>Pictures</h2>
      <p className="soft">
        By {basis === "final" ? "the readers' final class" : "the model's class"}; at most {MOST} of each, evenly spread
        over the sample in the order of images and heads.
      </p>
      {groups.map(({ name, of }) => (
        <figure key={name} className="strip">
          <figcaption>
            <ClassMark name={name} classes={classes} /> <span className="soft">{of.length}</span>
          </figcaption>
          <div>
            {spread(of, MOST).map((head) => (
              <span key={head.id} className="shown-head">
                <HeadPicture head={head} heads={review.heads} size={72} tone={classes.indexOf(name)} />
                {review.hasSeveral(head.image) && head.number}
              </span>
            ))}
          </div>
        </figure>
      ))}
    </section>
  );
}
