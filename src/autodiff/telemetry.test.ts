import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("ONNX Runtime keeps no device identifier and no events", async () => {
  const home = await mkdtemp(join(tmpdir(), "androscope-home-"));
  const program = join(home, "program.ts");
  try {
    const door = fileURLToPath(new URL("./index.ts", import.meta.url));
    await writeFile(
      program,
      `import { add, InferenceRunner, input } from ${JSON.stringify(door)};
       const x = input("x", [2]);
       const runner = await InferenceRunner.create({ y: add(x, x) });
       console.log((await runner.run({ x: Float32Array.of(1, 2) })).y.data[1]);`,
    );
    // Without what else would switch it off: continuous integration does, and so may the tester.
    const { CI: _, ORT_DISABLE_TELEMETRY: __, XDG_CACHE_HOME: ___, ...rest } = process.env;
    const env = { ...rest, HOME: home };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { env, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).toBe("4");
    expect(await readdir(home)).toEqual(["program.ts"]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
