/** The app's server as a whole: a data folder that nobody else holds, its database, helpers, queue and HTTP. */
import { chmod } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { AndroscopeError, lockFolder, makeFolder } from "../runs/index.ts";
import type { Analyser } from "./analysis/analyser.ts";
import { AnalyserInUse } from "./analysis/in-use.ts";
import { AnalysisQueue } from "./analysis/queue.ts";
import { Events } from "./http/events.ts";
import { Guard } from "./http/guard.ts";
import { PAGE } from "./http/page.ts";
import { httpServer } from "./http/server.ts";
import { UPLOAD_LIMITS, type UploadLimits } from "./http/uploads.ts";
import { Judgings } from "./judgings/judgings.ts";
import { type LostModel, openAtStart } from "./learnings/at-start.ts";
import type { Learner } from "./learnings/learner.ts";
import { Learnings } from "./learnings/learnings.ts";
import { DECODING_SECONDS, Pictures, preparePictures } from "./pictures/pictures.ts";
import { openDatabase } from "./store/database.ts";
import { tilesOf } from "./store/heads.ts";
import { modelInUse } from "./store/learnings.ts";
import { prepareOriginals } from "./store/originals.ts";

export interface AppOptions {
  /** Made where it is missing. */
  folder: string;
  /** Loaded when the folder is held; the server disposes of it. */
  analyser: () => Promise<Analyser>;
  /** Learns models from what readers decide; without it none can be learned. The server disposes of it. */
  learner?: Learner;
  /** Judge with the analyser's own model, even where a learned one is in use in this folder. */
  ownModel?: boolean;
  /** 0: any that is free. */
  port?: number;
  host?: string;
  limits?: Partial<UploadLimits>;
  /** Of the database, for tests of a full disk. */
  mostPages?: number;
  /** For one picture to be decoded. */
  decodingSeconds?: number;
  /** Folder of the built page. */
  page?: string;
}

export interface App {
  /** Without the token. */
  origin: string;
  /** What a browser opens. */
  url: string;
  token: string;
  /** The learned model that is chosen in the folder, where its file cannot be used: the one of the start judges meanwhile. */
  lostModel: LostModel | undefined;
  close(): Promise<void>;
}

/** @throws `run/busy`, `store/*`, `server/address`, `file/*`, and what the analyser throws */
export async function startApp(options: AppOptions): Promise<App> {
  const { folder, host = "127.0.0.1", port = 0 } = options;
  // What is in it is patients' data.
  if (await makeFolder(folder)) await chmod(folder, 0o700);
  /** What to undo, the newest first. */
  const closing: (() => void | Promise<void>)[] = [await lockFolder(folder)];
  const close = async () => {
    for (let act = closing.pop(); act; act = closing.pop()) await act();
  };
  try {
    await prepareOriginals(folder);
    await preparePictures(folder);
    const db = await openDatabase(join(folder, "androscope.db"));
    closing.push(() => db.close());
    if (options.mostPages !== undefined) db.exec(`PRAGMA max_page_count = ${options.mostPages}`);
    const analyser = new AnalyserInUse(await options.analyser());
    const learned = options.ownModel ? undefined : modelInUse(db);
    let lostModel: LostModel | undefined;
    if (learned && options.learner) {
      const opened = await openAtStart(options.learner, folder, learned);
      if ("analyser" in opened) analyser.replace(opened.analyser);
      else lostModel = opened.lost;
    }
    const pictures = new Pictures(folder, options.decodingSeconds ?? DECODING_SECONDS);
    closing.push(() => pictures.close());
    const events = new Events();
    const queue = new AnalysisQueue({
      ...{ db, folder, analyser },
      tell: (event) => events.tell(event),
      // Nobody waits for these: a page that asks earlier has them made.
      done: (image) => void pictures.makeThumbnails(image, tilesOf(db, image.id)).catch(() => {}),
    });
    closing.push(() => queue.close());
    const judgings = new Judgings({ db, folder, analyser, tell: (event) => events.tell(event) });
    closing.push(() => judgings.close());
    const learnings = new Learnings({
      ...{ db, folder, analyser, learner: options.learner, lost: lostModel },
      tell: (event) => events.tell(event),
    });
    closing.push(() => learnings.close());
    const guard = new Guard(host);
    const limits = { ...UPLOAD_LIMITS, ...options.limits };
    const server = await httpServer(
      { db, folder, analyser, learnings, judgings, queue, pictures, events, guard, limits },
      options.page ?? PAGE,
    );
    closing.push(async () => {
      events.close();
      await server.close();
    });
    await server.listen({ host, port }).catch((error) => {
      throw addressError(error, host, port);
    });
    const { port: given } = server.server.address() as AddressInfo;
    guard.listensOn(given);
    queue.wake();
    judgings.wake();
    const origin = `http://${shownHost(host)}:${given}`;
    return { origin, url: `${origin}/#token=${guard.token}`, token: guard.token, lostModel, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All addresses are no address to open. */
function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function addressError(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  if (error.syscall !== "listen" && error.syscall !== "bind" && error.syscall !== "getaddrinfo") return error;
  const found = error.code === "EADDRINUSE" ? "one that another program uses" : String(error.code);
  return new AndroscopeError("server/address", {
    expected: "an address and port to listen on",
    found,
    where: `${host}:${port}`,
    fix: "Choose another --port, or 0 for any that is free; --host must be an address of this machine.",
    cause: error,
  });
}
