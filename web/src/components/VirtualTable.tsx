import { type ReactNode, useLayoutEffect, useRef } from "react";
import { useKeys } from "./shortcuts.ts";
import { reveal, useView } from "./view.ts";

/** Pixels that every row is high, the head's included. */
export const ROW = 28;

/** Rows beyond the visible ones, so that scrolling meets drawn ones. */
const MORE = 4;

interface Props {
  label: string;
  count: number;
  /** The row at hand. Its first link or button is where the Tab key comes to. */
  at: number;
  onAt: (at: number) => void;
  columns: readonly { name: string; width?: string; isNumber?: boolean }[];
  /** A `tr` of the row's cells. @param rowIndex its `aria-rowindex` */
  render: (index: number, rowIndex: number) => ReactNode;
}

/**
 * A table of which only the rows in view exist, and the one at hand, so that the focus is not lost where it is scrolled away.
 * Arrows, Page Up and Down, Home and End go from row to row; assistive technology is told how many there are.
 */
export function VirtualTable({ label, count, at, onAt, columns, render }: Props) {
  const { frame, view, scrolled } = useView(ROW);
  const toFocus = useRef(false);
  const go = (to: number) => {
    toFocus.current = true;
    const next = Math.min(count - 1, Math.max(0, to));
    if (next !== at) onAt(next);
    else focusRow();
  };
  const focusRow = () => {
    toFocus.current = false;
    reveal(frame.current!, { top: at * ROW, height: ROW }, ROW);
    const row = frame.current!.querySelector(`[aria-rowindex="${rowIndex(at)}"]`);
    row?.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
  };
  // From elsewhere a key comes to the row at hand first.
  const by = (rows: number) => () => go(frame.current!.contains(document.activeElement) ? at + rows : at);
  const page = Math.max(1, Math.floor(view.height / ROW) - 2);
  useKeys({
    ...{ ArrowDown: by(1), ArrowUp: by(-1), PageDown: by(page), PageUp: by(-page) },
    ...{ Home: () => go(0), End: () => go(count - 1) },
  });
  useLayoutEffect(() => {
    if (toFocus.current) focusRow();
  });

  const first = Math.max(0, Math.floor(view.top / ROW) - MORE);
  const last = Math.min(count - 1, Math.floor((view.top + view.height) / ROW) + MORE);
  const drawn = new Set([at]);
  for (let i = first; i <= last; i++) drawn.add(i);
  const rows: ReactNode[] = [];
  let next = 0;
  const leaveRoom = (until: number) => {
    if (until > next) rows.push(<Room key={`before ${until}`} rows={until - next} columns={columns.length} />);
  };
  for (const i of [...drawn].sort((a, b) => a - b)) {
    leaveRoom(i);
    rows.push(render(i, rowIndex(i)));
    next = i + 1;
  }
  leaveRoom(count);
  return (
    <div ref={frame} className="scroll" onScroll={scrolled}>
      <table
        className="list virtual-table"
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows hold links and buttons, keys go from row to row
        role="grid"
        aria-label={label}
        aria-rowcount={count + 1}
        aria-readonly="true"
        onFocus={({ target }) => {
          const index = Number(target.closest("tr")?.getAttribute("aria-rowindex"));
          if (index > 1) onAt(index - 2);
        }}
      >
        <colgroup>
          {columns.map(({ name, width }) => (
            <col key={name} {...(width ? { style: { width } } : {})} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, isNumber }) => (
              <th key={name} scope="col" className={isNumber ? "number" : ""}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows}</tbody>
      </table>
    </div>
  );
}

/** From 1, the head's. */
const rowIndex = (index: number) => index + 2;

/** In place of rows that are not drawn. */
function Room({ rows, columns }: { rows: number; columns: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row cannot be focused
    <tr aria-hidden="true" className="room">
      <td colSpan={columns} style={{ height: rows * ROW }} />
    </tr>
  );
}
