/** Errors as the API tells them. */
import { AndroscopeError, type ErrorCode, isAndroscopeError } from "../../runs/index.ts";
import type { ApiError } from "../api.ts";

/** What is not of the catalogue is told without its detail, which may hold anything; it goes to stderr. */
export function apiError(error: unknown): ApiError {
  if (!isAndroscopeError(error)) {
    return {
      code: "server/internal",
      message: "An error that should not happen.",
      fix: "Look at the terminal of androscope app, and report what it says.",
    };
  }
  const { code, message, expected, found, where, fix } = error;
  return { code, message, expected, found, fix, ...(where === undefined ? {} : { where }) };
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  "server/bad-request": 400,
  "server/no-token": 401,
  "server/foreign": 403,
  "server/not-found": 404,
  "server/too-large": 413,
  "upload/too-large": 413,
  "upload/too-many": 413,
  "upload/too-slow": 408,
  "upload/not-multipart": 415,
  "upload/broken-off": 400,
  "file/disk-full": 507,
  "review/unknown-class": 422,
  "review/bad-outline": 422,
};

export function statusOf(error: unknown): number {
  if (!isAndroscopeError(error)) return 500;
  const { code } = error;
  return STATUS[code] ?? (/^(review|learning|judging)\//.test(code) ? 409 : code.startsWith("image/") ? 422 : 500);
}

const SQLITE_FULL = 13;

/** Of the database. */
export const isDiskFull = (error: unknown): boolean => (error as { errcode?: number }).errcode === SQLITE_FULL;

/** @param kept what is left as it was */
export function diskFull(kept: string): AndroscopeError {
  return new AndroscopeError("file/disk-full", {
    expected: "room on the disk",
    found: "a full disk",
    fix: `Free some space; ${kept}.`,
  });
}

/** @param issues of zod, the first of which is told */
export function badRequest(issues: readonly { path: PropertyKey[]; message: string }[], part: string): AndroscopeError {
  const [issue] = issues;
  return new AndroscopeError("server/bad-request", {
    expected: "what docs/app-api.md tells",
    found: issue?.message ?? "something else",
    where: [part, ...(issue?.path ?? []).map(String)].join("."),
    fix: "Correct the request.",
  });
}
