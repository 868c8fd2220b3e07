/** A URL to a file on disk, with limits: what is on the other end is not trusted. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { AndroscopeError, fileError, type Progress, silent } from "../runs/index.ts";

export interface DownloadOptions {
  /** More bytes than this are refused. */
  maxBytes?: number;
  /** Longest silence of the server, in milliseconds. */
  idleMs?: number;
  progress?: Progress;
}

/** Streams `url` (http or https) to `path`. The caller removes what a failure leaves. Throws `data/download`, `file/*`. */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { maxBytes = 512 * 2 ** 20, idleMs = 30_000, progress = silent } = options;
  const refuse = (found: string, cause?: unknown) =>
    new AndroscopeError("data/download", {
      expected: `a complete file of at most ${megabytes(maxBytes)}`,
      found,
      where: url,
      fix: "Check the address, or download the file with a browser and give its path to --from.",
      cause,
    });
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), idleMs);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), idleMs);
  };
  const failure = (error: unknown) => {
    if (error instanceof AndroscopeError) return error;
    if (silence.signal.aborted) return refuse(`no data for ${Math.round(idleMs / 1000)} s`, error);
    const known = fileError(error, path, "write");
    if (known instanceof AndroscopeError) return known;
    const { message, cause } = error as Error;
    return refuse(`a broken transfer (${(cause as Error | undefined)?.message ?? message})`, error);
  };
  try {
    // Uncompressed, so that Content-Length counts the bytes that arrive.
    const response = await fetch(url, { signal: silence.signal, headers: { "accept-encoding": "identity" } });
    if (!response.ok || !response.body) throw refuse(`HTTP status ${response.status}`);
    const announced = Number(response.headers.get("content-length") ?? Number.NaN);
    if (announced > maxBytes) throw refuse(`a file of ${megabytes(announced)}`);
    progress.start("Downloading", Number.isFinite(announced) ? announced : 0);
    let received = 0;
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        heard();
        received += chunk.length;
        if (received > maxBytes) throw refuse(`more than ${megabytes(maxBytes)}`);
        progress.update(received, megabytes(received));
        yield chunk;
      }
    };
    await pipeline(response.body, counted, createWriteStream(path, { flags: "wx" }));
    if (Number.isFinite(announced) && received !== announced) throw refuse(`${received} of ${announced} bytes`);
    progress.finish(megabytes(received));
  } catch (error) {
    throw failure(error);
  } finally {
    clearTimeout(timer);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
