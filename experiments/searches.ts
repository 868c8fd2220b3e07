/** The searches for a recipe, each with what its recipes score outside, as far as both were computed. */
import type { StudyResults } from "../src/evaluation/index.ts";
import { ensemblesSection } from "./ensembles-section.ts";
import { readResults } from "./read-results.ts";
import type { Search } from "./sections.ts";
import { study as ablation } from "./studies/ablation.ts";
import { study as imagenetSearch } from "./studies/imagenet-search.ts";
import { study as recipes } from "./studies/recipes.ts";
import { study as search } from "./studies/search.ts";

/** Rows of the ablation that are recipes of the search: computed once. */
const SAME: Readonly<Record<string, string>> = {
  whole: "network",
  pooled: "scratch",
  wavelets: "wavelets",
  "wavelets-alone": "wavelets-alone",
};

/** What the recipes of the search score on single folds, as far as it is known. */
function outerResults(): StudyResults | undefined {
  const [known, more] = [ablation, recipes].map(({ name }) => readResults<StudyResults>(`studies/${name}.json`));
  if (!known) return undefined;
  const renamed = known.entries.filter(({ row }) => SAME[row]).map((entry) => ({ ...entry, row: SAME[entry.row]! }));
  return { ...known, entries: [...renamed, ...(more?.entries ?? [])] };
}

/** The search without weights from elsewhere. */
export function ownSearch(): Search | undefined {
  const [inner, outer] = [readResults<StudyResults>("studies/search.json"), outerResults()];
  return inner && outer && { about: search.about, rows: search.rows, inner, outer };
}

/** Starts from ImageNet beside the network, all inside the same pairs of folds. */
export function imagenetInside(): Search | undefined {
  const [own, inner] = [ownSearch(), readResults<StudyResults>("studies/imagenet-search.json")];
  const full = readResults<StudyResults>("studies/imagenet-full.json");
  if (!own || !inner) return undefined;
  const ofBase = (results: StudyResults) => results.entries.filter(({ row }) => row === "network");
  return {
    about: imagenetSearch.about,
    rows: [...search.rows.filter(({ name }) => name === "network"), ...imagenetSearch.rows],
    inner: { ...inner, entries: [...ofBase(own.inner), ...inner.entries] },
    outer: { ...own.outer, entries: [...ofBase(own.outer), ...(full?.entries ?? [])] },
  };
}

/** Means of up to four recipes of a search, all of them networks, and of these with wavelets. */
export function ensemblesOf({ rows, inner }: Search): string {
  const networks = rows.map(({ name }) => name).filter((name) => !name.startsWith("wavelets"));
  return ensemblesSection(inner, networks, "wavelets-alone", 4);
}
