import { useState } from "react";
import { openSession, tokenIn } from "../state/session.ts";

export function Opening() {
  return (
    <p className="notice" role="status">
      Opening …
    </p>
  );
}

/** Without a token, or with one of an earlier start. */
export function Closed() {
  const [text, setText] = useState("");
  const token = tokenIn(text);
  return (
    <form
      className="notice"
      onSubmit={(event) => {
        event.preventDefault();
        if (token) void openSession(token);
      }}
    >
      <h1>Androscope</h1>
      <p role="alert">
        This page needs the address that <code>androscope app</code> printed when it started; every start has a new one.
        Open it, or paste it here. Decisions that were not saved yet are kept by this browser.
      </p>
      <label>
        Address
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="http://127.0.0.1:…/#token=…"
        />
      </label>
      <button type="submit" className="main" disabled={!token}>
        Open
      </button>
      <p className="soft">Research use only; not for diagnosis.</p>
    </form>
  );
}

export function Unreachable({ why }: { why: string }) {
  return (
    <div className="notice">
      <h1>Androscope</h1>
      <p role="alert">{why}</p>
      <button type="button" className="main" onClick={() => void openSession()}>
        Try again
      </button>
    </div>
  );
}
