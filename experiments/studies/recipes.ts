import type { Study } from "../../src/evaluation/index.ts";
import { RECIPES } from "./search.ts";

/** Those that a fold would choose (docs/results.md), other than the two that the ablation computes. */
const CHOSEN = ["shape-maps", "long-mixed", "fine"];

export const study: Study = {
  name: "recipes",
  title: "Chosen recipes of the search on HuSHeM",
  about:
    "What the recipes that a fold would choose by the search score on that fold: the outer half of nested cross-validation.",
  seeds: [1, 2, 3, 4, 5],
  rows: RECIPES.filter(({ name }) => CHOSEN.includes(name)),
};
