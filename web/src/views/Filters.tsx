import { useRef } from "react";
import { EVERYTHING, type Selection, SORTS, STATES, STATUSES } from "../review/select.ts";
import { className } from "../review/values.ts";
import { useSample } from "../state/sample.ts";
import { useStore } from "../state/store.ts";

/** What the gallery shows, and in which order. */
export function Filters() {
  const { review, about, images } = useSample();
  const now = useStore(review.selection);
  const isFiltered = (Object.keys(EVERYTHING) as (keyof Selection)[]).some(
    (key) => key !== "sort" && now[key] !== EVERYTHING[key],
  );
  return (
    <search className="filters">
      <Choice id="sort" label="Order" value={now.sort} options={SORTS} onChoose={(sort) => review.choose({ sort })} />
      <Choice label="Status" value={now.status} options={STATUSES} onChoose={(status) => review.choose({ status })} />
      <Choice
        label="Class"
        value={now.class}
        options={{ "": "All", ...Object.fromEntries(about.classes.map((name) => [name, className(name)])) }}
        onChoose={(name) => review.choose({ class: name })}
      />
      <Choice label="Found" value={now.state} options={STATES} onChoose={(state) => review.choose({ state })} />
      {images.length > 1 && images.length <= 500 && (
        <Choice
          label="Image"
          value={String(now.image ?? "")}
          options={{ "": "All", ...Object.fromEntries(images.map(({ id, name }) => [` ${id}`.trim(), name])) }}
          onChoose={(id) => review.choose({ image: id === "" ? null : Number(id) })}
        />
      )}
      <input
        id="search"
        type="search"
        aria-label="Search heads"
        placeholder="Search: file, class, reason, #12"
        value={now.search}
        onChange={(event) => review.choose({ search: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {isFiltered && (
        <button type="button" className="quiet" onClick={() => review.choose({ ...EVERYTHING, sort: now.sort })}>
          Show all
        </button>
      )}
    </search>
  );
}

function Choice<T extends string>({
  id,
  label,
  value,
  options,
  onChoose,
}: {
  id?: string;
  label: string;
  value: T;
  options: Readonly<Record<T, string>>;
  onChoose: (value: T) => void;
}) {
  const byPointer = useRef(false);
  return (
    <label className="choice">
      {label}
      <select
        id={id}
        value={value}
        onPointerDown={() => {
          byPointer.current = true;
        }}
        onChange={(event) => {
          onChoose(event.target.value as T);
          // The next digit is a decision, and no search in this list.
          if (byPointer.current) event.currentTarget.blur();
        }}
        onKeyDown={(event) => {
          byPointer.current = false;
          if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
        }}
      >
        {(Object.entries(options) as [T, string][]).map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
