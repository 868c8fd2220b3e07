import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "web/src/**/*.test.ts",
      "bench/**/*.test.ts",
      "experiments/**/*.test.ts",
      "tests/**/*.test.ts",
    ],
    // ONNX Runtime sessions hold threads of their own: one process per core at most, and none shared between files.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    // Hooks train small networks, too.
    hookTimeout: 120_000,
  },
});
