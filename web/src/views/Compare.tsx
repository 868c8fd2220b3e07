import { ClassMark } from "../components/ClassMark.tsx";
import { DecisionMark } from "../components/DecisionMark.tsx";
import { Dialog } from "../components/Dialog.tsx";
import { HeadPicture } from "../components/HeadPicture.tsx";
import { percent } from "../numbers/format.ts";
import { MEASURES, measureOf, shownValue, unitOf } from "../numbers/measures.ts";
import { shownClass } from "../review/values.ts";
import { useSample } from "../state/sample.ts";
import { useStore } from "../state/store.ts";

/** Some heads side by side. */
export function Compare({ onClose }: { onClose: () => void }) {
  const { review, about, sample, withModel } = useSample();
  const heads = useStore(review.compared).flatMap((id) => review.heads.get(id) ?? []);
  const { classes } = about;
  return (
    <Dialog title={`Compare ${heads.length} heads`} onClose={onClose} wide>
      <table className="compare">
        <thead>
          <tr>
            <td />
            {heads.map((head) => (
              <th key={head.id} scope="col">
                <HeadPicture
                  head={head}
                  heads={review.heads}
                  size={150}
                  tone={classes.indexOf(shownClass(head, withModel) ?? "")}
                  axis
                />
                {head.number} <span className="soft">{review.nameOf(head.image)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">My decision</th>
            {heads.map(({ id, decision }) => (
              <td key={id}>{decision ? <DecisionMark value={decision.value} classes={classes} /> : "–"}</td>
            ))}
          </tr>
          {withModel && (
            <tr>
              <th scope="row">Model</th>
              {heads.map(({ id, modelClass, probabilities }) => (
                <td key={id}>
                  {modelClass ? <ClassMark name={modelClass} classes={classes} /> : "–"}{" "}
                  {probabilities.length > 0 && percent(Math.max(...probabilities))}
                </td>
              ))}
            </tr>
          )}
          {MEASURES.map((kind) => (
            <tr key={kind.key}>
              <th scope="row">
                {kind.name} {unitOf(kind, sample.umPerPx)}
              </th>
              {heads.map(({ id, measures }) => (
                <td key={id}>
                  {measures ? shownValue(kind, measureOf(kind, measures, sample.umPerPx), sample.umPerPx) : "–"}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <button
        type="button"
        onClick={() => {
          review.compared.set([]);
          onClose();
        }}
      >
        Empty the comparison
      </button>
    </Dialog>
  );
}
