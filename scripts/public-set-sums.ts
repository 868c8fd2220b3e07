/**
 * Writes the list of SHA-256 sums of a public set, by which imports are checked and datasets are recognised:
 *   node scripts/public-set-sums.ts hushem ../shared/data/hushem > src/datasets/hushem-sums.json
 *   node scripts/public-set-sums.ts mhsma  ../shared/data/mhsma  > src/datasets/mhsma-sums.json
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hashFile, isImageName } from "../src/datasets/index.ts";

const [set, root] = process.argv.slice(2);
if (!set || !root) throw new Error("usage: public-set-sums.ts NAME FOLDER");

const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => isImageName(path) || path.endsWith(".npy"))
  .sort();
const files: Record<string, { sha256: string; bytes: number }> = {};
for (const path of paths) {
  const file = join(root, path);
  files[path] = { sha256: await hashFile(file), bytes: statSync(file).size };
}
process.stdout.write(`${JSON.stringify({ set, files }, null, 2)}\n`);
