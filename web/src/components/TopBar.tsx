import type { Reader } from "../../../src/server/api.ts";
import { queue } from "../state/review.ts";
import { choose, settings } from "../state/settings.ts";
import { useStore } from "../state/store.ts";
import { Analysing } from "./Analysing.tsx";
import { Link } from "./Link.tsx";

const THEMES = { system: "light", light: "dark", dark: "system" } as const;
const THEME_NAMES = { system: "◐ System", light: "☀ Light", dark: "☾ Dark" } as const;

export function TopBar({
  reader,
  onHelp,
  onReader,
}: {
  reader: Reader | undefined;
  onHelp: () => void;
  onReader: () => void;
}) {
  const { theme } = useStore(settings);
  return (
    <header className="top">
      <Link to={{ view: "samples" }} className="brand">
        Androscope
      </Link>
      <div id="place" className="place" />
      <Analysing />
      <Unsaved />
      <button type="button" className="quiet" onClick={onReader} title="Who reads">
        {reader ? `Reader: ${reader.name}` : "Who reads?"}
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => choose({ theme: THEMES[theme] })}
        title="Light, dark, or as the system"
      >
        {THEME_NAMES[theme]}
      </button>
      <button type="button" className="quiet" onClick={onHelp} aria-keyshortcuts="?" title="Keys">
        ? Help
      </button>
    </header>
  );
}

/** Says what is not on the disk yet, once it takes longer than one notices. */
function Unsaved() {
  const { waiting, trouble } = useStore(queue.state);
  if (!trouble) return null;
  return (
    <span className="unsaved" role="alert" title={trouble}>
      ⚠ {waiting} not saved yet
    </span>
  );
}
