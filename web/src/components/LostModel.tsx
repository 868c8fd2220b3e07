import type { ReactNode } from "react";
import type { About } from "../../../src/server/api.ts";
import { shortModel } from "../review/models.ts";

/** Says that the learned model in use is missing and which one judges meanwhile; nothing where it is there. */
export function LostModel({ about: { lostModel }, children }: { about: About; children?: ReactNode }) {
  if (!lostModel) return null;
  const { where, found } = lostModel.error;
  return (
    <p role="alert" className="lost-model">
      <strong>
        Model {shortModel(lostModel.model)}, the learned one in use, is missing; the original model judges meanwhile.
      </strong>{" "}
      At the start there was {found} at {where} in the data folder. Put it back and start the app again, or choose
      another model under Learn from corrections. {children}
    </p>
  );
}
