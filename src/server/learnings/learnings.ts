/** Learnings of the app: one at a time, told of to the open pages, and the choice of the model that judges. */
import { join } from "node:path";
import { LEAST_TO_ADAPT as LEAST } from "../../evaluation/index.ts";
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import type { AnalyserInUse } from "../analysis/in-use.ts";
import type { AppEvent, Done, Learning } from "../api.ts";
import { apiError } from "../http/failures.ts";
import type { Database } from "../store/database.ts";
import {
  beginLearning,
  chooseModel,
  failBroken,
  failLearning,
  finishLearning,
  modelInUse,
  replayedChoice,
  replayedLearning,
  reviewedImages,
  stateOf,
} from "../store/learnings.ts";
import { originalPath } from "../store/originals.ts";
import { requireReader } from "../store/refusals.ts";
import { type Act, requireOpenEyes } from "../store/review.ts";
import type { LostModel } from "./at-start.ts";
import {
  type Learner,
  type LearningNews,
  type LearningOrder,
  MODELS,
  modelFile,
  type ReviewedImage,
} from "./learner.ts";
import { openLearned } from "./opening.ts";

export interface LearningsOptions {
  db: Database;
  /** Of the data. */
  folder: string;
  analyser: AnalyserInUse;
  /** Undefined where what analyses cannot be taught. */
  learner: Learner | undefined;
  /** The chosen model, where it could not be opened at the start. */
  lost: LostModel | undefined;
  tell: (event: AppEvent) => void;
}

interface Running {
  id: number;
  stop: AbortController;
  /** Whoever was the first. */
  stoppedBy?: NonNullable<Learning["stoppedBy"]>;
  begun: number;
  ends: Promise<void>;
}

export class Learnings {
  readonly #options: LearningsOptions;
  #running: Running | undefined;

  #lost: LostModel | undefined;

  constructor(options: LearningsOptions) {
    this.#options = options;
    this.#lost = options.lost;
    failBroken(options.db, apiError(stopped("the program ended")));
  }

  get can(): boolean {
    return this.#options.learner !== undefined;
  }

  /** The learned model that judges now; undefined: the one of the start. */
  get inUse(): { learning: number; model: string } | undefined {
    const { db, analyser } = this.#options;
    return analyser.isFirst ? undefined : modelInUse(db);
  }

  /** The learned model that should judge and cannot, until another is chosen. */
  get lost(): LostModel | undefined {
    return this.#lost;
  }

  /** @throws `learning/*`, `review/blind`, `server/not-found` */
  start(asked: { id: string; reader: number; samples: readonly number[] }): Learning {
    const { db, folder, analyser, learner } = this.#options;
    const samples = [...new Set(asked.samples)];
    const replayed = replayedLearning(db, { ...asked, samples });
    if (replayed) return replayed;
    if (!learner) throw notHere();
    requireReader(db, asked.reader);
    if (this.#running) throw busy();
    this.#requireSameClasses();
    for (const sample of samples) requireOpenEyes(db, sample, asked.reader);
    const { classes, model } = analyser.describe();
    const pathOf = (sha256: string) => originalPath(folder, sha256);
    const images = reviewedImages(db, samples, { reader: asked.reader, classes, pathOf });
    requireEnough(images);
    const learning = beginLearning(db, { ...asked, samples }, model, images);
    const stop = new AbortController();
    const current = this.inUse;
    const models = join(folder, MODELS);
    const before = current && join(models, modelFile(current.model));
    const order = { images, folder: models, ...(before === undefined ? {} : { before }) };
    // Begun when this one is known to run: a learner that fails at once would end it before, and leave it running for ever.
    const ends = Promise.resolve()
      .then(() => this.#run(learner, learning.id, order, classes, stop.signal))
      .catch(() => {
        process.stderr.write("androscope: how a learning ended could not be saved\n");
      });
    this.#running = { id: learning.id, stop, begun: performance.now(), ends };
    this.#tellState(learning.id, { done: 0, of: 1 });
    return learning;
  }

  async #run(
    learner: Learner,
    id: number,
    order: LearningOrder,
    classes: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { db } = this.#options;
    try {
      const learned = await learner.learn(order, signal, (news) => this.#tellState(id, news));
      finishLearning(db, id, learned, classes);
    } catch (error) {
      const by = signal.aborted ? this.#running?.stoppedBy : undefined;
      failLearning(db, id, apiError(signal.aborted ? signal.reason : placeless(error)), by);
    } finally {
      this.#running = undefined;
    }
    this.#tellState(id, { done: 1, of: 1 });
  }

  #tellState(id: number, { done, of }: LearningNews): void {
    const { db, tell } = this.#options;
    const begun = this.#running?.begun;
    const seconds = begun === undefined ? 0 : (performance.now() - begun) / 1000;
    const secondsLeft = begun === undefined ? 0 : done > 0 ? (seconds / done) * (of - done) : null;
    tell({ type: "learning", learning: id, state: stateOf(db, id).state, done, of, secondsLeft });
  }

  /** Gives up a learning that runs; any other is left as it is. @throws `server/not-found` */
  async stop(id: number, reader: number): Promise<void> {
    const by = requireReader(this.#options.db, reader);
    const running = this.#running;
    const why = stopped(`one that ${by.name} stopped`);
    if (running?.id === id) {
      running.stoppedBy ??= by;
      running.stop.abort(why);
      await running.ends;
    } else if (stateOf(this.#options.db, id).state === "running") {
      // It ended when that could not be saved.
      failLearning(this.#options.db, id, apiError(why), by);
      this.#tellState(id, { done: 1, of: 1 });
    }
  }

  /** @throws `learning/no-model`, `model/*`, `file/*` */
  async use(act: Act, learning: number | null): Promise<Done> {
    const { db, analyser, learner, tell } = this.#options;
    const answer = ({ id, seq, at, replayed }: Done) => ({ id, seq, at, replayed });
    const before = replayedChoice(db, act, learning);
    if (before) return answer(before);
    requireReader(db, act.reader);
    if (!learner) throw notHere();
    if (learning === null) this.#requireSameClasses();
    const next = learning === null ? undefined : await this.#opened(learner, learning);
    try {
      // Sent again while the model was being opened.
      const meanwhile = replayedChoice(db, act, learning);
      const row = meanwhile ?? chooseModel(db, act, learning);
      if (meanwhile) await next?.dispose();
      // What judges is what the log says: that comes first, since it may fail.
      else if (next) analyser.replace(next);
      else analyser.restoreFirst();
      if (!meanwhile) {
        this.#lost = undefined;
        tell({ type: "model" });
      }
      return answer(row);
    } catch (error) {
      await next?.dispose();
      throw error;
    }
  }

  async #opened(learner: Learner, learning: number): Promise<Analyser> {
    const { db, folder, analyser } = this.#options;
    const { model } = stateOf(db, learning);
    if (model === null) throw noModel(learning);
    try {
      const next = await openLearned(learner, folder, model);
      const [wanted, found] = [analyser, next].map((one) => one.describe().classes.join(", "));
      if (found === wanted) return next;
      await next.dispose();
      throw otherClasses(wanted!, found!);
    } catch (error) {
      throw placeless(error);
    }
  }

  /**
   * Classes are those of the model that judged at the start, for as long as the program runs: readers would be left deciding
   * between those of another one.
   */
  #requireSameClasses(): void {
    const { analyser } = this.#options;
    const { classes, adapted } = analyser.describe();
    const [wanted, found] = [classes, analyser.describeFirst().classes].map((names) => names.join(", "));
    if (wanted !== found) throw otherStart(wanted!, found!, adapted?.base);
  }

  async close(): Promise<void> {
    const running = this.#running;
    running?.stop.abort(stopped("the program ended"));
    await running?.ends;
    this.#options.learner?.dispose();
  }
}

function requireEnough(images: readonly ReviewedImage[]): void {
  const [held, learned] = [true, false].map((part) => images.filter((image) => image.held === part));
  const count = (some: readonly ReviewedImage[]) => some.reduce((sum, { heads }) => sum + heads.length, 0);
  const classes = new Set(learned!.flatMap(({ heads }) => heads.map(({ label }) => label))).size;
  const photographs = new Set(learned!.map(({ sha256 }) => sha256)).size;
  const enough =
    count(learned!) >= LEAST.learned &&
    count(held!) >= LEAST.held &&
    classes >= LEAST.classes &&
    photographs >= LEAST.groups;
  if (enough) return;
  throw new AndroscopeError("learning/too-few", {
    expected: `at least ${LEAST.learned} heads of ${LEAST.classes} classes in two images to learn from, and ${LEAST.held} in others to compare on`,
    found: `${count(learned!)} of ${classes} in ${photographs}, and ${count(held!)}`,
    fix: "Decide more heads, of several images; disputed ones count once they are settled.",
  });
}

/** Where originals and models lie is no business of the page's. */
function placeless(error: unknown): unknown {
  if (!isAndroscopeError(error)) return error;
  const { code, expected, found, fix } = error;
  return new AndroscopeError(code, { expected, found, fix });
}

const busy = () =>
  new AndroscopeError("learning/busy", {
    expected: "no other learning",
    found: "one that runs",
    fix: "Wait for its end, or stop it.",
  });

const notHere = () =>
  new AndroscopeError("learning/not-here", {
    expected: "an analysis whose model can be learned again",
    found: "another",
    fix: "Start androscope app with a model of androscope train.",
  });

const noModel = (learning: number) =>
  new AndroscopeError("learning/no-model", {
    expected: "a learning that left a model",
    found: "one that did not",
    where: `learning ${learning}`,
    fix: "Choose another one.",
  });

const otherClasses = (expected: string, found: string) =>
  new AndroscopeError("learning/not-here", {
    expected: `a model of the classes ${expected}, between which heads are decided here`,
    found: `one of ${found}`,
    fix: "Start androscope app with the model that it was learned from.",
  });

/** @param base SHA-256 of the model that the one in use was learned from */
const otherStart = (expected: string, found: string, base: string | undefined) =>
  new AndroscopeError("learning/not-here", {
    expected: `a start with a model of the classes ${expected}, between which heads are decided here`,
    found: `one with a model of ${found}`,
    fix: `End the app and start it with --model and the model that the one in use was learned from${base ? `, of the SHA-256 ${base}` : ""}.`,
  });

const stopped = (found: string) =>
  new AndroscopeError("learning/stopped", {
    expected: "a learning that comes to its end",
    found,
    fix: "Start it again.",
  });
