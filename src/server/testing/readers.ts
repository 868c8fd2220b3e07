/** What the tests of readers at work share: importing it gives a test file an app with three readers, ended after its tests. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import type { Head } from "../api.ts";
import { type Client, photograph, type TestApp, testApp } from "./support.ts";

export let app: TestApp;
export let client: Client;
export let [ann, ben, cem] = [0, 0, 0];
beforeAll(async () => {
  app = await testApp();
  ({ client } = app);
  [ann, ben, cem] = [await client.newReader("Ann"), await client.newReader("Ben"), await client.newReader("Çem")];
});
afterAll(() => app.end());

let seed = 0;
/** A sample with one photograph of so many heads. */
export async function sampleOf(heads: number): Promise<{ sample: number; heads: Head[] }> {
  const sample = await client.newSample(ann);
  await client.upload(sample, "field", { "smear 1.png": await photograph(heads, ++seed) });
  await client.analysed(sample);
  return { sample, heads: await client.heads(sample, ann) };
}

/** What every act has. */
export const act = (reader: number, reason = "") => ({ id: randomUUID(), reader, reason });
