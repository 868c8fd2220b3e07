/** Configuration, machine and command: what somebody else needs to come to the same figures. */
import { formatDuration } from "../../runs/index.ts";
import type { RunReportData } from "../data.ts";
import { escapeHtml, gigabytes, section, table } from "../html.ts";

const NAMES: Readonly<Record<string, string>> = {
  node: "Node.js",
  onnxruntime: "ONNX Runtime",
  platform: "platform",
  cpu: "processor",
  cores: "cores",
  memoryBytes: "memory",
};

/** JSON with a key per line and lists on one line, as people write it. */
export function readable(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value) ?? "null";
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(([key, v]) => `${inner}${JSON.stringify(key)}: ${readable(v, inner)}`);
  return lines.length ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
}

export function configurationSection({ changed, config }: RunReportData): string {
  const code = (text: string) => ({ html: `<code>${escapeHtml(text)}</code>` });
  const json = (value: unknown) => code(value === undefined ? "not set" : JSON.stringify(value));
  const rows = changed.map(({ key, value, usual }) => [code(key), json(value), json(usual)]);
  const differing = rows.length
    ? table(
        "Settings that differ from the default",
        [
          { name: "setting", long: true },
          { name: "here", long: true },
          { name: "default", long: true },
        ],
        rows,
      )
    : "<p>Every setting has its default.</p>";
  return section(
    "configuration",
    "Configuration",
    `<h3>Differing from the default</h3>${differing}<details><summary>Entire configuration</summary><pre>${escapeHtml(readable(config))}</pre></details>`,
  );
}

export function repeatSection(data: RunReportData): string {
  const { environment, version, threads, device = "cpu", seed, seconds, workers = 1, command } = data;
  const { peakRssBytes, totalPeakRssBytes } = data;
  const rows = [
    ["Androscope", version],
    ...Object.entries(environment).map(([key, value]) => [
      NAMES[key] ?? key,
      key === "memoryBytes" ? gigabytes(Number(value)) : String(value),
    ]),
    ["threads per operator", String(threads)],
    ["device", device],
    ["seed", String(seed)],
    ["time", formatDuration(seconds)],
    ...(workers > 1 ? [["folds at one time, each in a process", String(workers)]] : []),
    [workers > 1 ? "peak memory of a process" : "peak memory", gigabytes(peakRssBytes)],
    ...(totalPeakRssBytes === undefined || workers === 1
      ? []
      : [["peak memory of all processes, at most", gigabytes(totalPeakRssBytes)]]),
  ];
  return section(
    "repeat",
    "How to reproduce this",
    `<pre>${escapeHtml(command)}</pre><p>Choose another <code>--out</code>. The same version, data, configuration, seed, number of threads and device on the same kind of machine give the same bytes; elsewhere the last digits may differ. The images are the same if the SHA-256 in the section Data is.</p><h3>Environment</h3>${table("Environment", [{ name: "what" }, { name: "value", long: true }], rows)}`,
  );
}
