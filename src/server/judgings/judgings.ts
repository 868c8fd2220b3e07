/**
 * Judges samples again with the model in use, one after the other, by the process that analyses. The queue is the table of
 * judgings: it outlives the program. What is judged is put in place when all of a sample is, so that one that is stopped,
 * fails or is killed leaves the sample as it was.
 */
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import type { ApiError, AppEvent, Judging } from "../api.ts";
import { apiError, diskFull, isDiskFull } from "../http/failures.ts";
import type { Database } from "../store/database.ts";
import {
  endJudging,
  finishJudging,
  headsToJudge,
  type ImageToJudge,
  type JudgedHead,
  judgingOf,
  putJudgingBack,
  queueJudging,
  requeueJudgings,
  takeJudging,
  type WhyEnded,
} from "../store/judgings.ts";
import { originalPath } from "../store/originals.ts";
import { requireReader } from "../store/refusals.ts";
import type { Act } from "../store/review.ts";

export interface JudgingsOptions {
  db: Database;
  /** Of the data. */
  folder: string;
  analyser: Analyser;
  tell: (event: AppEvent) => void;
}

interface Current {
  judging: Judging;
  stop: AbortController;
  begun: number;
  /** Heads. */
  done: number;
  of: number;
}

export class Judgings {
  readonly #options: JudgingsOptions;
  #working: Promise<void> | undefined;
  #current: Current | undefined;
  #closed = false;

  constructor(options: JudgingsOptions) {
    this.#options = options;
    requeueJudgings(options.db, apiError(givenUp()));
  }

  /** @throws what {@link queueJudging} does */
  start(asked: Act, sample: number): Judging {
    const { db, analyser } = this.#options;
    const judging = queueJudging(db, asked, sample, analyser.describe());
    if (judging.state === "queued") {
      this.#tell(judging);
      this.wake();
    }
    return judging;
  }

  /** Gives up one that waits or runs; any other is left as it is. @throws `server/not-found` */
  stop(id: number, reader: number): void {
    const stoppedBy = requireReader(this.#options.db, reader);
    this.#end(id, { stoppedBy });
  }

  /** Whoever asked for another model's opinion no longer gets it: it would be out of date at once. */
  modelChanged(): void {
    const { analyser } = this.#options;
    const running = this.#current?.judging;
    if (running && running.analyser.model !== analyser.describe().model)
      this.#end(running.id, { error: apiError(otherModel()) });
    this.wake();
  }

  #end(id: number, why: WhyEnded): void {
    const { db } = this.#options;
    judgingOf(db, id);
    const ended = endJudging(db, id, why);
    if (this.#current?.judging.id === id) this.#current.stop.abort(new Error("given up"));
    this.#tell(ended);
  }

  /** Begins with what waits. */
  wake(): void {
    if (this.#closed) return;
    this.#working ??= this.#work()
      // Not even its end could be written: nothing is changed, and the next start tries again.
      .catch(() => {
        process.stderr.write("androscope: the results of judging heads again could not be saved\n");
      })
      .finally(() => {
        this.#current = undefined;
        this.#working = undefined;
      });
  }

  /** Gives up what runs: it begins anew at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#current?.stop.abort(new Error("the server ends"));
    await this.#working;
    putJudgingBack(this.#options.db);
  }

  async #work(): Promise<void> {
    const { db, analyser } = this.#options;
    // What called wake() goes on first.
    await undefined;
    while (!this.#closed) {
      const judging = takeJudging(db);
      if (!judging) return;
      const { model } = judging.analyser;
      if (model !== analyser.describe().model) {
        this.#tell(endJudging(db, judging.id, { error: apiError(otherModel()) }));
        continue;
      }
      const images = headsToJudge(db, judging.sample, model);
      const of = images.reduce((sum, { heads }) => sum + heads.length, 0);
      const current = { judging, stop: new AbortController(), begun: performance.now(), done: 0, of };
      this.#current = current;
      this.#tell(judging);
      const ended = await this.#judge(current, images);
      this.#current = undefined;
      if (ended) this.#tell(ended);
    }
  }

  /** @returns undefined where it was given up, and whoever did so has told of it */
  async #judge(current: Current, images: readonly ImageToJudge[]): Promise<Judging | undefined> {
    const { db } = this.#options;
    const { judging, stop } = current;
    const judged: JudgedHead[] = [];
    const problems: NonNullable<Judging["result"]>["problems"] = [];
    for (const image of images) {
      try {
        judged.push(...(await this.#judgeImage(image, stop.signal)));
        if (stop.signal.aborted) return undefined;
      } catch (error) {
        if (stop.signal.aborted) return undefined;
        problems.push({ image: image.image, name: image.name, error: placeless(error) });
      }
      current.done += image.heads.length;
      this.#tell(judging);
    }
    const [problem] = problems;
    // Where no image can be read, something else is wrong than an image.
    if (problem && judged.length === 0) return endJudging(db, judging.id, { error: problem.error });
    try {
      return finishJudging(db, judging, judged, { planned: current.of, problems });
    } catch (error) {
      const full = isDiskFull(error) && diskFull("nothing was changed, and it can be judged again then");
      if (!full && !isAndroscopeError(error)) process.stderr.write(`androscope: judging again failed: ${error}\n`);
      return endJudging(db, judging.id, { error: placeless(full || error) });
    }
  }

  async #judgeImage({ sha256, kind, headLength, heads }: ImageToJudge, signal: AbortSignal): Promise<JudgedHead[]> {
    const { folder, analyser } = this.#options;
    const path = originalPath(folder, sha256);
    const asked = analyser.judge({ path, kind, headLength, centres: heads.map(({ centre }) => centre) }, signal);
    const opinions = await unlessGivenUp(asked, signal);
    return heads.flatMap((head, i) => {
      const opinion = opinions[i];
      return opinion && opinion.probabilities.length > 0 ? [{ ...head, opinion }] : [];
    });
  }

  #tell({ id, sample, state }: Judging): void {
    const { db, tell } = this.#options;
    const current = this.#current?.judging.id === id ? this.#current : undefined;
    const { done, of, begun } = current ?? { done: 0, of: 0, begun: 0 };
    const seconds = (performance.now() - begun) / 1000;
    const now = state === "running" ? judgingOf(db, id).state : state;
    const secondsLeft = now === "queued" || done === 0 ? null : (seconds / done) * (of - done);
    tell({ type: "judging", judging: id, sample, state: now, done, of, secondsLeft });
  }
}

/** An analysis may be before it in the same process: whoever gives up does not wait for that. */
function unlessGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {});
  if (signal.aborted) return Promise.reject(signal.reason);
  const given = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, given]);
}

/** Where an original lies is no business of the page's: its name is a sum. */
function placeless(error: unknown): ApiError {
  const { where: _, ...told } = apiError(error);
  if (!isAndroscopeError(error)) return told;
  return { ...told, message: `expected ${error.expected}, found ${error.found}. ${error.fix}` };
}

const otherModel = () =>
  new AndroscopeError("judging/other-model", {
    expected: "the model that was in use when it was asked for",
    found: "another one",
    fix: "Nothing was changed: judge again with the model in use now.",
  });

const givenUp = () =>
  new AndroscopeError("judging/failed", {
    expected: "a judging that comes to its end",
    found: "three in the middle of which the program ended",
    fix: "Nothing was changed. Try it again; if it fails again, report it with the number of heads.",
  });
