/** Where a run was computed: what a reader needs to repeat it, and nothing that names a person. */

import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";

export interface Environment {
  node: string;
  onnxruntime: string;
  platform: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
}

export function environment(): Environment {
  const require = createRequire(import.meta.url);
  return {
    node: process.version,
    onnxruntime: require("onnxruntime-node/package.json").version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
}
