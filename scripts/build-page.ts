/** `npm run build:web`: builds the app's page where its sources are others than it was built from. */
import { buildPage } from "../src/server/page-build.ts";

const built = await buildPage();
console.log(built.state === "failed" ? built.detail : `web/dist: ${built.state}`);
process.exitCode = built.state === "failed" || built.state === "cannot" ? 1 : 0;
