/** The sample that is open: what every one of its views needs. */
import { createContext, useContext } from "react";
import type { About, ImageRecord, Reader, Sample, SampleOpinions } from "../../../src/server/api.ts";
import type { Asked } from "./asked.ts";
import type { Review } from "./review.ts";

export interface OpenSample {
  sample: Sample;
  images: readonly ImageRecord[];
  reader: Reader;
  about: About;
  review: Review;
  /** This reader reads it blind. */
  blind: boolean;
  /** Whose opinions its heads carry. */
  opinions: Asked<SampleOpinions>;
  /** Whether the model's opinion is shown. */
  withModel: boolean;
  /** Asks for the sample itself again; its images and heads are kept by the review. */
  reload: () => void;
}

export const SampleContext = createContext<OpenSample | undefined>(undefined);

export function useSample(): OpenSample {
  const sample = useContext(SampleContext);
  if (!sample) throw new Error("outside a sample");
  return sample;
}
