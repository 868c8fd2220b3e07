import { className } from "../review/values.ts";
import { Dialog } from "./Dialog.tsx";

/** Every key of the page. */
export function Help({ classes, onClose }: { classes: readonly string[]; onClose: () => void }) {
  const groups: [string, [string, string][]][] = [
    [
      "Deciding",
      [
        ...classes.map((name, i): [string, string] => [String(i + 1), className(name)]),
        ["X, then 1 2 3", "Exclude: no head, cut off, cannot be judged"],
        ["A", "As the model says"],
        ["Delete", "Take my decision on this head away"],
        ["U or Ctrl+Z", "Undo my newest act"],
        ["Shift+U", "Do again"],
        ["R", "Write a reason; it goes with the next decision"],
      ],
    ],
    [
      "Going through",
      [
        ["→ N / ← P", "Next, previous"],
        ["↓ ↑", "A row down, up"],
        ["S or Space", "Skip to the next undecided"],
        ["Home / End", "First, last"],
        ["PgDn / PgUp", "Four rows; in a table: a page; in a picture: the next, previous image"],
        ["/", "Search"],
        ["F", "Filters"],
        ["Enter", "In the picture, and back"],
        ["G then I H D R", "Go to images, heads, disagreements, report"],
      ],
    ],
    [
      "Looking",
      [
        ["L", "Outlines on or off"],
        ["M", "The model's opinion on or off"],
        ["C / V", "Put to the comparison / compare"],
        ["+ − 0", "Picture: nearer, farther, whole"],
        ["Shift+arrows", "Picture: move"],
      ],
    ],
    [
      "Outline",
      [
        ["O / Shift+O", "Fix the outline / add a head that was missed"],
        ["Tab or ] / [", "Next, previous corner"],
        ["Arrows, Shift: 5×", "Move the corner, or all after W"],
        ["I / Delete", "Put a corner in, take it out"],
        ["W", "Move all corners or one"],
        ["+ / −", "Larger, smaller"],
        ["Enter / Esc", "Save / leave as it was"],
        ["Backspace", "Back to the analysis's own outline"],
      ],
    ],
  ];
  return (
    <Dialog title="Keys" onClose={onClose} wide>
      <div className="help">
        {groups.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
