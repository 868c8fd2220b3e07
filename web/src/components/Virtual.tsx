import { type ReactNode, useEffect, useLayoutEffect, useReducer, useRef } from "react";
import { reveal, useView } from "./view.ts";

/** Rows beyond the visible ones, so that scrolling meets drawn ones. */
const MORE = 1;

/** Rows a second: faster, nobody looks at them. */
const FLYING = 15;
/** Milliseconds after which it is over. */
const REST = 100;
/** Milliseconds that a row waits for its pictures. */
const PATIENCE = 200;

const waited = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Props {
  count: number;
  /** Pixels. */
  cell: { width: number; height: number };
  /** Kept in view; −1: none. */
  at: number;
  /** What is shown of the list is told to screen readers by the list itself. */
  label: string;
  active: string | undefined;
  onColumns: (columns: number) => void;
  /** Done when what a cell shows can be drawn at once; its row waits for that, but not long. */
  prepare: (index: number) => Promise<unknown>;
  render: (index: number) => ReactNode;
}

/** The rows that are drawn, and when those that are wanted can be. */
const nothingDrawn = (layout: string) => ({
  layout,
  rows: new Set<number>(),
  ready: new Map<number, Promise<unknown>>(),
});

/**
 * The rows to draw of those that are wanted: one more at every frame, so that no frame draws many. First the one of the cell that
 * is at hand, then from the first one down; while the grid flies past, none but that one, so that nothing is drawn and no
 * picture asked for that is gone before anybody sees it.
 */
function useRowByRow(
  { first, last, urgent }: { first: number; last: number; urgent: number },
  layout: string,
  fliesUntil: { readonly current: number },
  prepare: (row: number) => Promise<unknown>,
): number[] {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const known = useRef(nothingDrawn(layout));
  if (known.current.layout !== layout) known.current = nothingDrawn(layout);
  const { rows, ready } = known.current;
  for (const row of rows) if (row < first || row > last) rows.delete(row);
  for (const row of ready.keys()) if (row < first || row > last) ready.delete(row);
  const isWanted = (row: number) => row >= first && row <= last && !rows.has(row);
  let next = isWanted(urgent) ? urgent : first;
  while (next <= last && !isWanted(next)) next++;
  useEffect(() => {
    if (next > last) return;
    const left = next === urgent ? 0 : fliesUntil.current - performance.now();
    if (left > 0) {
      const timer = setTimeout(again, left);
      return () => clearTimeout(timer);
    }
    // Drawn with its pictures: one after the other they would have the same part of the screen painted many times.
    let frame = 0;
    let given = false;
    // Once for each row: a page that is drawn anew meanwhile must not begin to wait anew.
    if (!ready.has(next)) ready.set(next, Promise.race([prepare(next), waited(PATIENCE)]));
    void ready.get(next)!.then(() => {
      if (given) return;
      frame = requestAnimationFrame(() => {
        frame = requestAnimationFrame(() => {
          known.current.rows.add(next);
          again();
        });
      });
    });
    return () => {
      given = true;
      cancelAnimationFrame(frame);
    };
  });
  return [...rows].sort((a, b) => a - b);
}

/** A grid of cells of one size of which only the rows in view exist. */
export function VirtualGrid({ count, cell, at, label, active, onColumns, prepare, render }: Props) {
  const { frame, view, scrolled } = useView(cell.height);
  const fliesUntil = useRef(0);
  const before = useRef({ top: 0, at: 0 });
  const columns = Math.max(1, Math.floor(view.width / cell.width));
  const rows = Math.ceil(count / columns);

  useEffect(() => onColumns(columns), [columns, onColumns]);

  useLayoutEffect(() => {
    if (at < 0 || view.width === 0) return;
    reveal(frame.current!, { top: Math.floor(at / columns) * cell.height, height: cell.height });
  }, [at, columns, cell.height, view.width, frame]);

  const first = Math.max(0, Math.floor(view.top / cell.height) - MORE);
  const last = Math.min(rows - 1, Math.floor((view.top + view.height) / cell.height) + MORE);
  const urgent = Math.floor(Math.max(0, at) / columns);
  const drawn = useRowByRow({ first, last, urgent }, `${columns}`, fliesUntil, (row) => {
    const indices = Array.from({ length: columns }, (_, k) => row * columns + k).filter((i) => i < count);
    return Promise.all(indices.map(prepare));
  });
  const shown: ReactNode[] = [];
  for (const row of drawn) {
    const cells: ReactNode[] = [];
    for (let i = row * columns; i < Math.min(count, (row + 1) * columns); i++) cells.push(render(i));
    shown.push(
      <div key={row} className="row" role="presentation" style={{ transform: `translateY(${row * cell.height}px)` }}>
        {cells}
      </div>,
    );
  }
  return (
    <div
      ref={frame}
      className="virtual"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={active}
      onScroll={({ currentTarget: { scrollTop } }) => {
        const now = performance.now();
        const { top, at } = before.current;
        const rowsASecond = (1000 * Math.abs(scrollTop - top)) / cell.height / Math.max(16, now - at);
        if (rowsASecond > FLYING) fliesUntil.current = now + REST;
        before.current = { top: scrollTop, at: now };
        scrolled();
      }}
    >
      <div role="presentation" className="all" style={{ height: rows * cell.height }}>
        {shown}
      </div>
    </div>
  );
}
