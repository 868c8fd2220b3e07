/** The report of a cross-validation: one self-contained HTML file, no script, nothing from the network. */
import type { RunReportData } from "./data.ts";
import { escapeHtml } from "./html.ts";
import { certaintySection } from "./sections/certainty.ts";
import { classesSection } from "./sections/classes.ts";
import { datasetSection } from "./sections/dataset.ts";
import { foldsSection } from "./sections/folds.ts";
import { headline } from "./sections/headline.ts";
import { learningSection } from "./sections/learning.ts";
import { labelsSection, masksSection, mistakesSection } from "./sections/pictures.ts";
import { configurationSection, repeatSection } from "./sections/repeat.ts";
import { robustnessSection } from "./sections/robustness.ts";
import { STYLE } from "./style.ts";

/** What escaping does not stop, should it ever fail, the browser refuses: scripts, and whatever is not in the file. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

const SECTIONS = [
  classesSection,
  foldsSection,
  certaintySection,
  robustnessSection,
  learningSection,
  mistakesSection,
  labelsSection,
  masksSection,
  datasetSection,
  configurationSection,
  repeatSection,
];

/** Renders the report. It is well-formed XML as well as HTML. */
export function renderRunReport(data: RunReportData): string {
  const sections = SECTIONS.map((render) => render(data)).filter(Boolean);
  const contents = sections.map((html) => {
    const [, id, title] = /^<section id="([a-z]+)"><h2>([^<]*)/.exec(html)!;
    return `<li><a href="#${id}">${title}</a></li>`;
  });
  const title = escapeHtml(data.title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"/><meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}"/><meta name="viewport" content="width=device-width,initial-scale=1"/><meta name="color-scheme" content="light dark"/><title>${title}</title><style>${STYLE}</style></head>
<body><main>${headline(data)}
<nav aria-label="Contents"><ul>${contents.join("")}</ul></nav>
${sections.join("\n")}
<footer><strong>Research use only, not for diagnosis.</strong> Androscope ${escapeHtml(data.version)}.</footer></main></body></html>
`;
}
