/** Dependencies are pinned exactly, and docs/dependencies.md tells the truth about them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFile(`${ROOT}/${path}`, "utf8");

test("every dependency is pinned exactly, installed as pinned, and documented with its version and licence", async () => {
  const { dependencies, devDependencies } = JSON.parse(await read("package.json"));
  const pinned: Record<string, string> = { ...dependencies, ...devDependencies };
  const rows = (await read("docs/dependencies.md")).matchAll(
    /^\| `([^`]+)` \| (\S+) \| ([^|]+) \| (\S+) \| [^|]+ \|$/gm,
  );
  const documented = new Map([...rows].map(([, name, version, licence, date]) => [name!, { version, licence, date }]));
  expect([...documented.keys()].sort()).toEqual(Object.keys(pinned).sort());
  for (const [name, version] of Object.entries(pinned)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    const installed = JSON.parse(await read(`node_modules/${name}/package.json`));
    expect(installed.version, name).toBe(version);
    expect(documented.get(name), name).toMatchObject({ version, licence: installed.license });
    expect(documented.get(name)!.date, name).toMatch(/^20\d\d-\d\d-\d\d$/);
  }
});

test("install scripts are allowed to node alone", async () => {
  const { allowScripts } = JSON.parse(await read("package.json"));
  expect(allowScripts).toEqual({ node: true, "onnxruntime-node": false, protobufjs: false });
});
