/**
 * Reading a zip that is not trusted. The whole directory is judged before any entry is read: names that leave the
 * folder, links, encryption and sizes beyond reason refuse the archive, not only the entry.
 */
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { AndroscopeError, fileError, isAndroscopeError } from "../runs/index.ts";

export interface ArchiveLimits {
  entries: number;
  /** Unpacked bytes of one entry. */
  entryBytes: number;
  /** Unpacked bytes of all entries. */
  totalBytes: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = { entries: 20_000, entryBytes: 256 * 2 ** 20, totalBytes: 2 * 2 ** 30 };

/** The bits of a Unix mode that tell a file's type, and the type of a symbolic link. */
const TYPE_BITS = 0o170000;
const LINK = 0o120000;

/**
 * Files of a zip that `wanted` chooses, one after the other in memory. Throws `data/unsafe-archive` for a hostile
 * archive before yielding anything, `data/import` for a damaged one.
 */
export async function* readArchive(
  path: string,
  wanted: (entry: { name: string; bytes: number }) => boolean,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): AsyncGenerator<{ name: string; content: Uint8Array }> {
  const entries = await withZip(path, (zip) => listEntries(zip, path, limits));
  const zip = await openZip(path);
  try {
    for (const entry of entries) {
      if (!wanted({ name: entry.fileName, bytes: entry.uncompressedSize })) continue;
      yield { name: entry.fileName, content: await readEntry(zip, entry, path) };
    }
  } finally {
    zip.close();
  }
}

async function listEntries(zip: ZipFile, path: string, limits: ArchiveLimits): Promise<Entry[]> {
  const refuse = (found: string) =>
    new AndroscopeError("data/unsafe-archive", {
      expected: "an archive of ordinary files below its own folder",
      found,
      where: path,
      fix: "Do not unpack this archive; get it again from its publisher.",
    });
  if (zip.entryCount > limits.entries) throw refuse(`${zip.entryCount} entries`);
  const entries: Entry[] = [];
  const names = new Set<string>();
  let total = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileName, uncompressedSize } = entry;
      const shown = JSON.stringify(fileName.slice(0, 200));
      if (((entry.externalFileAttributes >>> 16) & TYPE_BITS) === LINK) throw refuse(`the symbolic link ${shown}`);
      if (entry.isEncrypted()) throw refuse(`the encrypted entry ${shown}`);
      if (fileName.includes("\0")) throw refuse(`a name with a NUL byte, ${shown}`);
      if (names.has(fileName)) throw refuse(`the name ${shown} twice`);
      if (uncompressedSize > limits.entryBytes) throw refuse(`${uncompressedSize} bytes in ${shown}`);
      if ((total += uncompressedSize) > limits.totalBytes)
        throw refuse(`more than ${limits.totalBytes} bytes unpacked`);
      names.add(fileName);
      if (!fileName.endsWith("/")) entries.push(entry);
    }
  } catch (error) {
    if (isAndroscopeError(error)) throw error;
    // yauzl checks names itself: "absolute path: …", "invalid relative path: …", "invalid characters in fileName: …".
    const { message } = error as Error;
    throw /absolute path|relative path|invalid characters/.test(message) ? refuse(message) : damaged(path, error);
  }
  return entries;
}

async function readEntry(zip: ZipFile, entry: Entry, path: string): Promise<Uint8Array> {
  try {
    const chunks: Uint8Array[] = [];
    // yauzl ends with an error as soon as more bytes come than the directory announced.
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  } catch (error) {
    throw damaged(path, error);
  }
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { autoClose: false });
  } catch (error) {
    const known = fileError(error, path);
    throw isAndroscopeError(known) ? known : damaged(path, error);
  }
}

async function withZip<T>(path: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  const zip = await openZip(path);
  try {
    return await use(zip);
  } finally {
    zip.close();
  }
}

function damaged(path: string, cause: unknown): AndroscopeError {
  return new AndroscopeError("data/import", {
    expected: "an intact zip archive",
    found: (cause as Error).message,
    where: path,
    fix: "Download it again from its publisher.",
    cause,
  });
}
