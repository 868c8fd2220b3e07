import { type ReactNode, useEffect, useRef } from "react";

/** A modal dialog: the browser keeps the focus inside, Esc closes it, and the focus goes back to where it was. */
export function Dialog({
  title,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={element} className={wide ? "wide" : ""} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      {/* Last, so that the focus begins with what the dialog is for. */}
      <button type="button" className="quiet close" aria-label="Close" onClick={onClose}>
        ✕
      </button>
    </dialog>
  );
}
