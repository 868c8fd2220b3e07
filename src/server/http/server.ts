/** The HTTP server: every request is looked at by the guard and checked by its schemas before its handler sees it. */
import multipart from "@fastify/multipart";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { z } from "zod";
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import { API, type Route, type RouteName } from "../api.ts";
import { apiError, badRequest, diskFull, isDiskFull, statusOf } from "./failures.ts";
import { SECURITY_HEADERS } from "./guard.ts";
import { type Context, type Handlers, handlersOf } from "./handlers.ts";
import { openApi } from "./openapi.ts";
import { servePage } from "./page.ts";

/** Of a JSON body: the largest batch of decisions with reasons. */
const BODY_BYTES = 4 * 2 ** 20;
/** Of an upload of many files, as a whole, in milliseconds. */
const REQUEST_TIME = 3600_000;
/** Without a byte in either direction. Events have a heartbeat. */
const IDLE_TIME = 120_000;

/** @param page folder of the built page */
export async function httpServer(context: Context, page: string): Promise<FastifyInstance> {
  const server = fastify({
    // Nothing of a request is logged: names of files and readers may be personal.
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIME,
    connectionTimeout: IDLE_TIME,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _, reply) => answerError(error, reply as FastifyReply),
  });
  // A file that is too large is refused in its line; the files after it are read on.
  await server.register(multipart, { throwFileSizeLimit: false });
  server.removeContentTypeParser("text/plain");
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    context.guard.requireOwn(request);
  });
  server.setErrorHandler((error, _, reply) => answerError(error, reply));
  server.setNotFoundHandler((_, reply) => answerError(noRoute(), reply));
  const handlers: Handlers = handlersOf(context, () => document);
  const served = Object.keys(handlers) as RouteName[];
  const document = openApi(served);
  for (const name of served) mount(server, API[name], handlers[name] as AnyHandler, context);
  await servePage(server, page);
  return server;
}

type AnyHandler = (call: {
  params: unknown;
  query: unknown;
  body: unknown;
  request: FastifyRequest;
  reply: FastifyReply;
}) => unknown;

function mount(server: FastifyInstance, route: Route, handler: AnyHandler, { guard }: Context): void {
  server.route({
    method: route.method,
    url: route.path,
    onRequest: async (request, reply) => {
      reply.header("cache-control", "no-store");
      if (!route.open) guard.requireToken(request);
      // A body of another type than the route takes is not even read.
      const isForm = request.headers["content-type"]?.startsWith("multipart/") ?? false;
      if (isForm && route.body !== "files") throw badRequest([{ path: [], message: "multipart/form-data" }], "body");
    },
    handler: async (request, reply) => {
      const answer = await handler({
        params: checked(route.params, request.params, "params"),
        query: checked(route.query, request.query, "query"),
        body: route.body === "files" ? undefined : checked(route.body, request.body, "body"),
        request,
        reply,
      });
      return answer;
    },
  });
}

/** @throws `server/bad-request` */
function checked(schema: z.ZodType | undefined, value: unknown, part: string): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw badRequest(parsed.error.issues, part);
  return parsed.data;
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  const ours = isAndroscopeError(error) ? error : frameworkError(error);
  if (!isAndroscopeError(ours)) {
    // No more than this: the error may tell what was in the request.
    process.stderr.write(`androscope: a request failed: ${(error as Error).stack ?? error}\n`);
  }
  const status = statusOf(ours);
  // What is left of a refused body is not read.
  if (status === 413 || status === 401 || status === 403) reply.header("connection", "close");
  return reply
    .headers(SECURITY_HEADERS)
    .code(status)
    .type("application/json")
    .send({ error: apiError(ours) });
}

/** Fastify's own refusals, and a full disk, as ours; anything else as it is. */
function frameworkError(error: unknown): unknown {
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (isDiskFull(error)) return diskFull("what was answered is saved, and what was not can be sent again");
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE" || statusCode === 413) {
    return new AndroscopeError("server/too-large", {
      expected: `a body of at most ${BODY_BYTES / 2 ** 20} MiB`,
      found: "more",
      fix: "Send less at once.",
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return badRequest([{ path: [], message: String(code ?? "a request that cannot be read") }], "request");
  }
  return error;
}

const noRoute = () =>
  new AndroscopeError("server/not-found", {
    expected: "a route of docs/app-api.md",
    found: "another",
    fix: "Correct the address.",
  });
