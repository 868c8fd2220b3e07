/** The built page: its files are listed once at the start, so that no address can lead to another file. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";

/** Where the page is built to. */
export const PAGE = fileURLToPath(new URL("../../../web/dist", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

interface PageFile {
  bytes: Uint8Array;
  type: string;
  tag: string;
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Androscope</title>
<h1>Androscope</h1><p>The server runs; its page has not been built. docs/app-api.md tells of the API.</p>
<p>Research use only; not for diagnosis.</p></html>`;

/** Serves the files of a folder at their paths, and `index.html` for addresses of the page itself. */
export async function servePage(server: FastifyInstance, folder: string): Promise<void> {
  const files = await filesOf(folder);
  const index = files.get("/index.html") ?? fileOf(Buffer.from(NOT_BUILT), ".html");
  server.get("/*", { exposeHeadRoute: false }, (request, reply) => {
    const path = request.url.split("?")[0]!;
    const file = files.get(path);
    // An address without an ending is one of the page's own views.
    if (!file && (path.startsWith("/api/") || extname(path) !== "")) return reply.callNotFound();
    const shown = file ?? index;
    // Vite names what is in assets/ by its content.
    reply.header("cache-control", file && path.startsWith("/assets/") ? "max-age=31536000, immutable" : "no-cache");
    reply.header("etag", shown.tag);
    if (request.headers["if-none-match"] === shown.tag) return reply.code(304).send();
    return reply.type(shown.type).send(shown.bytes);
  });
}

async function filesOf(folder: string): Promise<Map<string, PageFile>> {
  const found = new Map<string, PageFile>();
  if (!existsSync(folder)) return found;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const type = extname(entry.name);
    // Maps of sources are for developers; links are not followed.
    if (!entry.isFile() || !TYPES[type]) continue;
    found.set(
      `/${relative(folder, path).split(sep).map(encodeURIComponent).join("/")}`,
      fileOf(await readFile(path), type),
    );
  }
  return found;
}

const fileOf = (bytes: Buffer, type: string): PageFile => ({
  bytes,
  type: TYPES[type]!,
  tag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
});
