/** What the tests of this room share: an app with a stand-in analyser, a client that checks answers by their schemas. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Analysis, FoundHead } from "../../fields/index.ts";
import { encodePng, readImage } from "../../imaging/index.ts";
import { Random } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import {
  API,
  type BodyOf,
  type ImageKind,
  type ImageRecord,
  type ParamsOf,
  type QueryOf,
  type ResponseOf,
  type Route,
  type RouteName,
  type Uploaded,
  type Value,
} from "../api.ts";
import { type App, type AppOptions, startApp } from "../app.ts";

export const CLASSES = ["Normal", "Tapered", "Amorphous"];

/** Finds a grid of heads, as many as the picture's first pixel says (its red value); known before it is asked. */
export function standIn(options: { before?: (kind: ImageKind) => Promise<void> } = {}): Analyser {
  return {
    kinds: ["crop", "field"],
    describe: () => ({ program: "stand-in", classes: CLASSES, model: "m", detector: "d", licence: "none" }),
    async analyse(path, kind): Promise<Analysis> {
      await options.before?.(kind);
      const { width, height, data } = await readImage(path);
      const heads = Array.from({ length: kind === "crop" ? 1 : data[0]! }, (_, i) => drawn(i, width));
      return { width, height, heads };
    },
    // A class further than in the analysis, and surer of it; the last two fifths of a photograph are no heads to it.
    judge: async ({ centres }) =>
      centres.map((_, i) => ({
        ...(5 * i < 3 * centres.length ? { state: "head" } : { state: "refused", reason: "mask" }),
        ...{ probabilities: CLASSES.map((_, c) => (c === (i + 1) % 3 ? 0.9 : 0.05)), agreement: 0.85 },
      })),
    dispose() {},
  };
}

/** The i-th head of a grid: every fifth is cut, every seventh refused. */
function drawn(i: number, width: number): FoundHead {
  const perRow = Math.max(1, Math.floor(width / 10));
  const [left, top] = [(i % perRow) * 10 + 1, Math.floor(i / perRow) * 10 + 1];
  const outline: [number, number][] = [
    [left, top],
    [left + 8, top],
    [left + 8, top + 5],
    [left, top + 5],
  ];
  const state = i % 5 === 4 ? "cut" : i % 7 === 6 ? "refused" : "head";
  const probabilities = state === "cut" ? [] : CLASSES.map((_, c) => (c === i % 3 ? 0.8 : 0.1));
  return {
    number: i + 1,
    state,
    ...(state === "refused" ? { reason: "size" as const } : {}),
    ...{ score: 0.9, outline, centre: [left + 4, top + 2.5], axis: [1, 0], probabilities, agreement: 0.95 },
    measures: {
      ...{ areaPx: 40, perimeterPx: 24, lengthPx: 8, widthPx: 5, ellipticity: 1.6, elongation: 3 / 13, rugosity: 0.87 },
      ...{
        regularity: 0.78,
        symmetry: 1,
        acrosomeShare: 0.4,
        vacuoles: 0,
        vacuoleShare: 0,
        angleDeg: 0,
        centreX: left + 4,
        centreY: top + 2.5,
      },
    },
  };
}

/** A photograph in which {@link standIn} finds so many heads; different for every seed. */
export async function photograph(heads: number, seed: number, width = 200, height = 100): Promise<Uint8Array> {
  const random = Random.seeded(seed).stream("photograph", heads);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.uniform(0, 256));
  data[0] = heads;
  return encodePng({ width, height, data });
}

export const temporaryFolder = () => mkdtemp(join(tmpdir(), "androscope-app-"));

export interface Given<N extends RouteName> {
  params?: ParamsOf<N>;
  query?: QueryOf<N>;
  body?: BodyOf<N>;
}

/** For routes that are named at run time, and for what no page would send. */
export interface Loose {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

export interface Refusal {
  status: number;
  code: string;
  where?: string;
  found?: string;
}

/** Somebody with the token, or without. */
export class Client {
  readonly origin: string;
  readonly headers: Record<string, string>;

  constructor({ origin, token }: Pick<App, "origin" | "token">) {
    this.origin = origin;
    this.headers = { authorization: `Bearer ${token}` };
  }

  async fetch(name: RouteName, { params, query, body }: Loose = {}): Promise<Response> {
    const route: Route = API[name];
    const path = route.path.replace(/:(\w+)/g, (_, key) => encodeURIComponent(String(params?.[key])));
    const asked = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(asked.map(([key, value]): [string, string] => [key, String(value)]));
    return fetch(`${this.origin}${path}?${search}`, {
      method: route.method,
      headers: { ...this.headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** The answer, which must fit its schema to the last key. */
  async call<N extends RouteName>(name: N, given: Given<N> = {}): Promise<ResponseOf<N>> {
    const response = await this.fetch(name, given as Loose);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${name}: ${response.status} ${JSON.stringify(answer)}`);
    const { response: schema } = API[name];
    if ("media" in schema) throw new Error(`${name} is no JSON`);
    const parsed = schema.parse(answer);
    // zod drops keys that a schema does not know: the page would never learn of them.
    if (JSON.stringify(sorted(parsed)) !== JSON.stringify(sorted(answer))) throw new Error(`${name}: unknown keys`);
    return parsed as ResponseOf<N>;
  }

  async refused(name: RouteName, given: Loose = {}): Promise<Refusal> {
    const response = await this.fetch(name, given);
    const answer = (await response.json()) as { error: Refusal };
    if (response.ok) throw new Error(`${name} was not refused: ${JSON.stringify(answer)}`);
    return { ...answer.error, status: response.status };
  }

  /** @param files by name, in order */
  async upload(sample: number, kind: ImageKind, files: Record<string, Uint8Array>): Promise<Uploaded[]> {
    const form = new FormData();
    form.append("kind", kind);
    for (const [name, bytes] of Object.entries(files)) form.append("files", new Blob([new Uint8Array(bytes)]), name);
    const url = `${this.origin}/api/samples/${sample}/images`;
    const response = await fetch(url, { method: "POST", headers: this.headers, body: form });
    const answer = (await response.json()) as { error?: Refusal };
    if (!response.ok) throw Object.assign(new Error(JSON.stringify(answer)), answer.error);
    return API.uploadImages.response.parse(answer).files;
  }

  async newReader(name: string): Promise<number> {
    return (await this.call("createReader", { body: { name } })).id;
  }

  async newSample(reader: number, name = "Sample"): Promise<number> {
    return (await this.call("createSample", { body: { id: randomUUID(), reader, name } })).id;
  }

  /** Waits until nothing of a sample is queued or running. */
  async analysed(sample: number): Promise<ImageRecord[]> {
    for (let attempt = 0; attempt < 3000; attempt++) {
      const { images } = await this.call("listImages", { params: { sample } });
      if (images.every(({ state }) => state === "done" || state === "failed")) return images;
      await wait(20);
    }
    throw new Error("the analysis does not end");
  }

  async heads(sample: number, reader: number, outlines: "true" | "false" = "false") {
    return (await this.call("listHeads", { params: { sample }, query: { reader, outlines } })).heads;
  }

  /** One decision; answers its row of the log. @param value a class, an exclusion's reason, or null */
  async decide(reader: number, head: number, value: string | null, id: string = randomUUID()) {
    const asked = { id, head, value: asValue(value) };
    return (await this.call("decide", { body: { reader, decisions: [asked] } })).done[0]!;
  }
}

/** Keys in one order. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

/** @param value a class, an exclusion's reason, or null */
export function asValue(value: string | null): Value | null {
  if (value === null) return null;
  if (value === "no-head" || value === "cut" || value === "unjudgeable") return { kind: "excluded", why: value };
  return { kind: "class", class: value };
}

export interface TestApp extends App {
  folder: string;
  client: Client;
  /** Ends it and starts it anew on the same folder. */
  again(options?: Partial<AppOptions>): Promise<TestApp>;
  /** Ends it and removes the folder. */
  end(): Promise<void>;
}

export async function testApp(options: Partial<AppOptions> = {}): Promise<TestApp> {
  const folder = options.folder ?? (await temporaryFolder());
  const app = await startApp({ analyser: async () => standIn(), ...options, folder });
  return {
    ...app,
    folder,
    client: new Client(app),
    async again(more = {}) {
      await app.close();
      return testApp({ ...options, ...more, folder });
    },
    async end() {
      await app.close();
      // A helper that was ended in the middle of a picture may leave one more file.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
