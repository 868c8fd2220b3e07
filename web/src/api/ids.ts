import { inParts } from "./upload.ts";

/** The server's limit for ids in one address. */
const MOST = 500;

/** Ids as addresses hold them: with commas between, in as many parts as it takes. */
export const idsInParts = (ids: Iterable<number>): string[] => inParts([...ids], MOST).map((part) => part.join(","));
