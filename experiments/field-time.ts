/** How long a photograph takes in the steady state, from file to measured heads: `… field-time.ts FIELDS [THREADS]`. For docs/performance.md. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Analyser, estimateFrom } from "../src/fields/index.ts";
import { readImage } from "../src/imaging/index.ts";

const [folder, threads = "2"] = process.argv.slice(2) as [string, string | undefined];
const paths = (await readdir(join(folder, "images"))).sort().map((name) => join(folder, "images", name));
const analyser = await Analyser.open({ threads: Number(threads) });
const headLength = await estimateFrom(paths.map((path) => () => readImage(path)));
const chosen = paths.filter((_, i) => i % 4 === 0);
for (const path of chosen.slice(0, 4)) await analyser.field(await readImage(path), headLength);
const times: number[] = [];
let heads = 0;
const cpu = process.cpuUsage();
for (const path of chosen) {
  const begun = performance.now();
  heads += (await analyser.field(await readImage(path), headLength)).heads.length;
  times.push(performance.now() - begun);
}
const { user, system } = process.cpuUsage(cpu);
analyser.dispose();
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.round(share * (times.length - 1))]!.toFixed(0);
console.log(
  `${chosen.length} fields, ${(heads / chosen.length).toFixed(1)} regions each: median ${at(0.5)} ms, 5 % ${at(0.05)}, 95 % ${at(0.95)}; processor ${((user + system) / 1000 / chosen.length).toFixed(0)} ms; ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`,
);
