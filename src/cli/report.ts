import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type RunReportData, renderRunReport } from "../reports/index.ts";
import { AndroscopeError, readJson, writeFileAtomic } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { onlyPositional } from "./options.ts";

export const command: Command = {
  name: "report",
  summary: "Rebuilds the report of a finished run from its data.",
  usage: "<RUN> [--out FILE.html]",
  example: "androscope report runs/hushem-1",
  options: { out: { type: "string", value: "FILE", help: "where to write it (default: report.html in the run)" } },
  async run({ positionals, options }) {
    const folder = onlyPositional("report", "run folder", positionals);
    const source = join(folder, "report-data.json");
    if (!existsSync(source)) {
      throw new AndroscopeError("run/not-a-run", {
        expected: "a finished cross-validation",
        found: "a folder without report-data.json",
        where: folder,
        fix: "Finish it with androscope crossval … --resume.",
      });
    }
    const out = options.out ?? join(folder, "report.html");
    await writeFileAtomic(out, renderRunReport(await readJson<RunReportData>(source)));
    return { json: { report: resolve(out) }, text: `Report: ${resolve(out)}` };
  },
};
