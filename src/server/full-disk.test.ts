/** A disk that fills up: what is refused says so, and what was answered before is there. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { verifyFolder } from "./store/verify.ts";
import { testApp } from "./testing/support.ts";

test("a database that cannot grow refuses the act as a whole, by the code of a full disk", async () => {
  // SQLite's own limit stands for the disk's: the error is the same.
  const app = await testApp({ mostPages: 60 });
  try {
    const reader = await app.client.newReader("Ann");
    const made: number[] = [];
    let refusal: { code: string; status: number } | undefined;
    for (let i = 0; i < 500 && !refusal; i++) {
      const body = { id: randomUUID(), reader, name: `Sample ${i}`, note: "x".repeat(4000) };
      const response = await app.client.fetch("createSample", { body });
      const answer = (await response.json()) as { id: number; error: { code: string } };
      if (response.ok) made.unshift(answer.id);
      else refusal = { ...answer.error, status: response.status };
    }
    expect(refusal).toMatchObject({ status: 507, code: "file/disk-full" });
    expect(made.length).toBeGreaterThan(0);
    const { samples } = await app.client.call("listSamples", { query: {} });
    expect(samples.map(({ id }) => id)).toEqual(made);
    await app.close();
    expect(await verifyFolder(app.folder)).toMatchObject({ intact: true, rows: made.length });
  } finally {
    await app.end();
  }
});
