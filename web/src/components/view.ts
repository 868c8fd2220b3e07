/** What of a scrolled element is in view. Parts of a list that are not need not be drawn. */
import { type RefObject, useLayoutEffect, useRef, useState } from "react";

export interface View {
  width: number;
  height: number;
  /** How far it is scrolled: whole rows, so that nothing is drawn anew before another one comes into view. */
  top: number;
}

/** @param row pixels that a row is high */
export function useView(row: number): { frame: RefObject<HTMLDivElement | null>; view: View; scrolled: () => void } {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ width: 0, height: 0, top: 0 });
  useLayoutEffect(() => {
    const element = frame.current!;
    const measure = () => setView({ width: element.clientWidth, height: element.clientHeight, top: element.scrollTop });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const scrolled = () => {
    const top = Math.floor(frame.current!.scrollTop / row) * row;
    setView((now) => (now.top === top ? now : { ...now, top }));
  };
  return { frame, view, scrolled };
}

/** Scrolls as little as brings a row into view. @param head pixels at the top that stay where they are, over the rows */
export function reveal(element: HTMLElement, row: { top: number; height: number }, head = 0): void {
  const room = element.clientHeight - head;
  if (row.top < element.scrollTop) element.scrollTop = row.top;
  else if (row.top + row.height > element.scrollTop + room) element.scrollTop = row.top + row.height - room;
}
