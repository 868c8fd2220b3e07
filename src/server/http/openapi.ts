/** The API as an OpenAPI 3.1 document, made of the schemas that requests are checked by. */
import { z } from "zod";
import { version } from "../../runs/index.ts";
import { API, failureSchema, type Route, type RouteName, uploadFieldsSchema } from "../api.ts";

type Json = Record<string, unknown>;

/** @param served names of the routes that this server answers */
export function openApi(served: readonly RouteName[]): Json {
  const paths: Record<string, Json> = {};
  for (const name of served) {
    const route: Route = API[name];
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Androscope app",
      version: version(),
      description: "Research use only; not for diagnosis.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: { Failure: schema(failureSchema, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }],
  };
}

function operation(name: string, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    ...(route.open ? { security: [] } : {}),
    parameters: [...parameters("path", route.params), ...parameters("query", route.query)],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: bodyOf(route.body) } }),
    responses: {
      200: { description: "Done.", content: contentOf(route.response) },
      default: {
        description: "Refused or failed.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
      },
    },
  };
}

function parameters(place: "path" | "query", object: z.ZodObject | undefined): Json[] {
  return Object.entries(object?.shape ?? {}).map(([name, type]) => ({
    name,
    in: place,
    required: place === "path" || !(type as z.ZodType).safeParse(undefined).success,
    schema: schema(type as z.ZodType, "input"),
  }));
}

function bodyOf(body: z.ZodType | "files"): Json {
  if (body !== "files") return { "application/json": { schema: schema(body, "input") } };
  const { kind } = uploadFieldsSchema.shape;
  const files = { type: "array", items: { type: "string", format: "binary" } };
  const fields = { kind: schema(kind, "input"), files };
  return { "multipart/form-data": { schema: { type: "object", properties: fields, required: ["kind", "files"] } } };
}

function contentOf(response: Route["response"]): Json {
  if ("media" in response) return { [response.media]: { schema: { type: "string", format: "binary" } } };
  return { "application/json": { schema: schema(response, "output") } };
}

function schema(type: z.ZodType, io: "input" | "output"): Json {
  // 3.1 takes JSON Schema 2020-12 as it is, without saying so at every place.
  const { $schema: _, ...rest } = z.toJSONSchema(type, { io, target: "draft-2020-12" });
  return rest;
}
