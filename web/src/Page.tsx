import { useState } from "react";
import { Help } from "./components/Help.tsx";
import { StatusLine } from "./components/StatusLine.tsx";
import { useKeys } from "./components/shortcuts.ts";
import { TopBar } from "./components/TopBar.tsx";
import { route } from "./state/router.ts";
import { session } from "./state/session.ts";
import { useStore } from "./state/store.ts";
import { Learning } from "./views/Learning.tsx";
import { Closed, Opening, Unreachable } from "./views/Outside.tsx";
import { ReaderChoice } from "./views/ReaderChoice.tsx";
import { SampleFrame } from "./views/SampleFrame.tsx";
import { Samples } from "./views/Samples.tsx";

/** The whole page: a bar, a view, a line. */
export function Page() {
  const open = useStore(session);
  const at = useStore(route);
  const [help, setHelp] = useState(false);
  // Asked at once where nobody is known to read.
  const [choosing, setChoosing] = useState<boolean | undefined>();
  useKeys({ "?": () => setHelp(true) });

  if (open.state === "opening") return <Opening />;
  if (open.state === "closed") return <Closed />;
  if (open.state === "unreachable") return <Unreachable why={open.why} />;
  const { reader } = open;
  return (
    <>
      <TopBar reader={reader} onHelp={() => setHelp(true)} onReader={() => setChoosing(true)} />
      <main>
        {at.view === "samples" && <Samples reader={reader} />}
        {at.view !== "samples" && !reader && (
          <p className="notice">Say first who reads: the button at the top right.</p>
        )}
        {at.view === "unknown" && <p className="notice">There is no such page.</p>}
        {at.view === "learning" && reader && <Learning key={reader.id} reader={reader} about={open.about} />}
        {at.view !== "samples" && at.view !== "learning" && at.view !== "unknown" && reader && (
          <SampleFrame key={`${at.sample} ${reader.id}`} at={at} reader={reader} about={open.about} />
        )}
      </main>
      <StatusLine use={open.about.use} />
      {help && <Help classes={open.about.classes} onClose={() => setHelp(false)} />}
      {(choosing ?? !reader) && (
        <ReaderChoice readers={open.readers} reader={reader} onClose={() => setChoosing(false)} />
      )}
    </>
  );
}
