import type { Study } from "../../src/evaluation/index.ts";
import { study as mhsma } from "./mhsma.ts";

export const study: Study = {
  ...mhsma,
  name: "mhsma-groups",
  title: "MHSMA, five folds by smear-like key",
  about: "All 1540 images in five folds drawn by the seed, no key of groups.csv in two of them.",
  seeds: [1],
  split: { kind: "drawn", k: 5, group: "group" },
};
