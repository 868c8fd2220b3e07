/** Judging again in tests: stand-ins for networks, and what a test asks of the app that it has at that moment. */
import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import type { Analyser } from "../analysis/analyser.ts";
import type { Head, Judging } from "../api.ts";
import { verifyFolder } from "../store/verify.ts";
import { photograph, standIn, type TestApp } from "./support.ts";

/** A stand-in under another model's name. */
export const named = (model: string, more: Partial<Analyser> = {}): Analyser => {
  const analyser = standIn();
  return { ...analyser, describe: () => ({ ...analyser.describe(), model }), ...more };
};

/** One whose judging waits until it is let through, an image at a time. */
export function gated(model: string) {
  const waiting: (() => void)[] = [];
  const { judge } = standIn();
  return {
    waiting: () => waiting.length,
    next: () => waiting.shift()!(),
    analyser: named(model, {
      async judge(...of) {
        await new Promise<void>((pass) => waiting.push(pass));
        return judge(...of);
      },
    }),
  };
}

/** What a model said of a head. */
export const opinionOf = ({ state, reason, agreement, probabilities, modelClass, judgedBy }: Head) => ({
  ...{ state, reason, agreement, probabilities, modelClass, judgedBy },
});

/** @param here the app, since a test may start it again, and the reader and sample that are meant where no other is named */
export function judgingIn(here: () => { app: TestApp; reader: number; sample: number }) {
  const act = (who = here().reader) => ({ id: randomUUID(), reader: who });
  const opinions = (who = here().reader) =>
    here().app.client.call("sampleOpinions", { params: { sample: here().sample }, query: { reader: who } });
  return {
    act,
    opinions,
    /** Two photographs, of eight heads and of three. */
    async analysed(): Promise<Head[]> {
      const { app, reader, sample } = here();
      await app.client.upload(sample, "field", { "a.png": await photograph(8, 1), "b.png": await photograph(3, 2) });
      await app.client.analysed(sample);
      return app.client.heads(sample, reader);
    },
    judgeAgain: (body: { id: string; reader: number; reason?: string } = act(), of = here().sample) =>
      here().app.client.call("judgeAgain", { params: { sample: of }, body }),
    refused: (body: unknown = act(), of = here().sample) =>
      here().app.client.refused("judgeAgain", { params: { sample: of }, body }),
    async ended(id: number): Promise<Judging> {
      let found: Judging | undefined;
      await vi.waitFor(async () => {
        found = (await opinions()).judgings.find((one) => one.id === id);
        expect(found?.state).not.toMatch(/queued|running/);
      });
      return found!;
    },
    intact: async () => expect(await verifyFolder(here().app.folder)).toMatchObject({ faults: [] }),
  };
}
