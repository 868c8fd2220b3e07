/**
 * The routes that the page asks, as plain text: importing the server's table itself would bring all of zod into the page.
 * The type makes every method and path the table's own.
 */
import type { API, BodyOf, ParamsOf, QueryOf, ResponseOf, RouteName } from "../../../src/server/api.ts";

export const ROUTES = {
  openSession: ["POST", "/api/session"],
  about: ["GET", "/api/about"],
  listReaders: ["GET", "/api/readers"],
  createReader: ["POST", "/api/readers"],
  listSamples: ["GET", "/api/samples"],
  createSample: ["POST", "/api/samples"],
  getSample: ["GET", "/api/samples/:sample"],
  changeSample: ["PATCH", "/api/samples/:sample"],
  calibrate: ["POST", "/api/samples/:sample/calibration"],
  assignReading: ["POST", "/api/samples/:sample/readings"],
  listImages: ["GET", "/api/samples/:sample/images"],
  uploadImages: ["POST", "/api/samples/:sample/images"],
  retryImage: ["POST", "/api/images/:image/retry"],
  pixels: ["GET", "/api/images/:image/pixels"],
  thumbnail: ["GET", "/api/thumbnails/:key"],
  listHeads: ["GET", "/api/samples/:sample/heads"],
  addHead: ["POST", "/api/images/:image/heads"],
  changeOutline: ["POST", "/api/heads/:head/outline"],
  headLog: ["GET", "/api/heads/:head/log"],
  decide: ["POST", "/api/decisions"],
  undo: ["POST", "/api/undo"],
  settle: ["POST", "/api/consensus"],
  disagreements: ["GET", "/api/samples/:sample/disagreements"],
  countDisagreements: ["GET", "/api/samples/:sample/disagreements/count"],
  report: ["GET", "/api/samples/:sample/report"],
  exportCsv: ["GET", "/api/samples/:sample/export.csv"],
  exportJson: ["GET", "/api/samples/:sample/export.json"],
  exportGeoJson: ["GET", "/api/samples/:sample/export.geojson"],
  listLearnings: ["GET", "/api/learnings"],
  startLearning: ["POST", "/api/learnings"],
  getLearning: ["GET", "/api/learnings/:learning"],
  stopLearning: ["POST", "/api/learnings/:learning/stop"],
  useModel: ["POST", "/api/model"],
  listOpinions: ["GET", "/api/opinions"],
  sampleOpinions: ["GET", "/api/samples/:sample/opinions"],
  judgeAgain: ["POST", "/api/samples/:sample/judgings"],
  stopJudging: ["POST", "/api/judgings/:judging/stop"],
  headOpinions: ["GET", "/api/heads/:head/opinions"],
  events: ["GET", "/api/events"],
} as const satisfies { readonly [N in RouteName]?: readonly [(typeof API)[N]["method"], (typeof API)[N]["path"]] };

export type Asked = keyof typeof ROUTES;

type Part<Name extends string, T> = [T] extends [never] ? Record<never, never> : { readonly [K in Name]: T };

/** What a call of a route takes. */
export type Call<N extends Asked> = Part<"params", ParamsOf<N>> & Part<"query", QueryOf<N>> & Part<"body", BodyOf<N>>;
export type Answer<N extends Asked> = ResponseOf<N>;

type Values = Readonly<Record<string, unknown>>;

/** The address of a route. */
export function addressOf(path: string, params: Values = {}, query: Values = {}): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size > 0 ? `${filled}?${search}` : filled;
}

/** For links and pictures. */
export function urlOf<N extends Asked>(name: N, call: Omit<Call<N>, "body">): string {
  const { params, query } = call as { params?: Values; query?: Values };
  return addressOf(ROUTES[name][1], params, query);
}
