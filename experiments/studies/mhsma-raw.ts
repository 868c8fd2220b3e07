import type { Study } from "../../src/evaluation/index.ts";
import { MHSMA_RAW } from "../mhsma-recipes.ts";
import { study as mhsma } from "./mhsma.ts";

/** The baseline sees the published small crops, in which heads are as large as in the method's views. */
export const study: Study = {
  ...mhsma,
  name: "mhsma-raw",
  title: "MHSMA, official split, whole crops",
  dataset: { attribute: "all", size: 64 },
  rows: [{ name: "raw", what: "whole crops of 64, from scratch", config: MHSMA_RAW }],
};
