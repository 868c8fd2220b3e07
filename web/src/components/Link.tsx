import type { ReactNode } from "react";
import { go, pathOf, type Route } from "../state/router.ts";

/** A link inside the page: opens in place, in a new tab where one asks for it. */
export function Link({
  to,
  children,
  ...rest
}: {
  to: Exclude<Route, { view: "unknown" }>;
  children: ReactNode;
  className?: string;
  tabIndex?: number;
  "aria-current"?: "page" | undefined;
  "aria-label"?: string;
}) {
  return (
    <a
      href={pathOf(to)}
      {...rest}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
