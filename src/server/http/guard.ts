/**
 * Who gets in: requests for this server by a name it goes by (a foreign page that had its own name resolve to this
 * machine says that name), from its own page or from no page at all, with the token of this start.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import type { FastifyReply, FastifyRequest } from "fastify";
import { AndroscopeError } from "../../runs/index.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "::1"];
export const isLoopback = (host: string) => LOOPBACK.includes(host) || /^127(\.\d{1,3}){3}$/.test(host);

export class Guard {
  readonly token = randomBytes(32).toString("base64url");
  readonly #names: ReadonlySet<string>;
  #port = 0;

  /** @param host that the server listens on */
  constructor(host: string) {
    this.#names = new Set(isLoopback(host) ? [...LOOPBACK, host] : [...LOOPBACK, host, ...ownNames()]);
  }

  listensOn(port: number): void {
    this.#port = port;
  }

  /** Ports of one machine share cookies, so the name tells them apart. */
  get #cookieName(): string {
    return `androscope-${this.#port}`;
  }

  /** The cookie is made from the token and is not the token: a page that leaks one does not leak the other. */
  get #cookie(): string {
    return createHmac("sha256", this.token).update("session").digest("base64url");
  }

  /** For every request, those of files too. @throws `server/foreign` */
  requireOwn(request: FastifyRequest): void {
    const { host, origin } = request.headers;
    const said = request.raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (said.length !== 1 || !this.#isOwn(host)) throw foreign("Host", said.length > 1 ? "several" : String(host));
    if (origin !== undefined) {
      const own = URL.canParse(origin) ? new URL(origin) : undefined;
      if (own?.protocol !== "http:" || own.host !== host?.toLowerCase()) throw foreign("Origin", origin);
    }
    const site = request.headers["sec-fetch-site"];
    // A link from elsewhere may open the page itself; it carries no cookie and reads nothing.
    const opens = request.headers["sec-fetch-mode"] === "navigate" && !request.url.startsWith("/api/");
    if (site !== undefined && site !== "same-origin" && site !== "none" && !opens) {
      throw foreign("Sec-Fetch-Site", String(site));
    }
  }

  #isOwn(host: string | undefined): boolean {
    const parsed = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d+))?$/i.exec(host ?? "");
    if (!parsed) return false;
    return Number(parsed[2] ?? 80) === this.#port && this.#names.has(parsed[1]!.replace(/^\[|\]$/g, "").toLowerCase());
  }

  /** @throws `server/no-token` */
  requireToken(request: FastifyRequest): void {
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (bearer !== undefined ? equal(bearer, this.token) : this.#hasCookie(request.headers.cookie)) return;
    throw noToken();
  }

  #hasCookie(header: string | undefined): boolean {
    return (header ?? "").split(";").some((pair) => {
      const at = pair.indexOf("=");
      return pair.slice(0, at).trim() === this.#cookieName && equal(pair.slice(at + 1).trim(), this.#cookie);
    });
  }

  /** Exchanges the token for the cookie. @throws `server/no-token` */
  openSession(token: string, reply: FastifyReply): void {
    if (!equal(token, this.token)) throw noToken();
    reply.header("set-cookie", `${this.#cookieName}=${this.#cookie}; Path=/; HttpOnly; SameSite=Strict`);
  }
}

/** By sums of the same length, in the same time whatever is wrong. */
function equal(given: string, wanted: string): boolean {
  const sum = (text: string) => createHmac("sha256", "equal").update(text).digest();
  return timingSafeEqual(sum(given), sum(wanted));
}

/** Addresses and the name of this machine; no other name, so that none can be made to point here. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return [hostname().toLowerCase(), ...addresses.filter((address) => isIP(address) !== 0)];
}

function foreign(header: string, found: string): AndroscopeError {
  return new AndroscopeError("server/foreign", {
    expected: "a request of the app's own page, by the address that androscope app printed",
    found: found.slice(0, 100),
    where: header,
    fix: "Open the address that androscope app printed.",
  });
}

function noToken(): AndroscopeError {
  return new AndroscopeError("server/no-token", {
    expected: "the token of this start of androscope app",
    found: "none, or another",
    fix: "Open the address that androscope app printed; every start has a new one.",
  });
}

/** On every answer. Scripts and pictures of the server alone; nothing of the page is shown inside another. */
export const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
} as const;
