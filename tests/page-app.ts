/** Importing it gives a test file `androscope app` on a new folder, as a user starts it; ended after its tests. */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Running, startCommand } from "./running-app.ts";
import { temporary } from "./support.ts";

/** The folder of its data. */
export let data = "";
export let app: Running;
beforeAll(async () => {
  data = join(await temporary(), "data");
  app = await startCommand(data);
});
afterAll(() => app?.end());
