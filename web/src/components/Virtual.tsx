import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Rows beyond the visible ones, so that scrolling meets drawn ones. */
const MORE = 2;

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
  render: (index: number) => ReactNode;
}

/** A grid of cells of one size of which only the rows in view exist. */
export function VirtualGrid({ count, cell, at, label, active, onColumns, render }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 0, height: 0, top: 0 });
  const columns = Math.max(1, Math.floor(view.width / cell.width));
  const rows = Math.ceil(count / columns);

  useLayoutEffect(() => {
    const element = frame.current!;
    const measure = () => setView({ width: element.clientWidth, height: element.clientHeight, top: element.scrollTop });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  useEffect(() => onColumns(columns), [columns, onColumns]);

  useLayoutEffect(() => {
    const element = frame.current!;
    if (at < 0 || view.width === 0) return;
    const top = Math.floor(at / columns) * cell.height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + cell.height > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + cell.height - element.clientHeight;
    }
  }, [at, columns, cell.height, view.width]);

  const first = Math.max(0, Math.floor(view.top / cell.height) - MORE);
  const last = Math.min(rows - 1, Math.floor((view.top + view.height) / cell.height) + MORE);
  const shown: ReactNode[] = [];
  for (let row = first; row <= last; row++) {
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
        // Drawn anew only where another row comes into view.
        const top = Math.floor(scrollTop / cell.height) * cell.height;
        setView((now) => (now.top === top ? now : { ...now, top }));
      }}
    >
      <div role="presentation" className="all" style={{ height: rows * cell.height }}>
        {shown}
      </div>
    </div>
  );
}
