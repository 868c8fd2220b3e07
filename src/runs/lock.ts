/**
 * One writer per folder: a file `lock` that names the process which holds it. The lock of a process that was killed is
 * void. It guards against a second process on this machine; machines that share a folder do not see each other's.
 */
import { open, readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { AndroscopeError, fileError } from "./errors.ts";

/** Folders that this process holds or is about to. */
const held = new Set<string>();

/** Takes the folder, which must exist. @returns what gives it free. @throws `run/busy`, `file/*` */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  // There may be several ways to one folder.
  const key = await realpath(folder).catch((error) => {
    throw fileError(error, folder, "write");
  });
  if (held.has(key)) throw busy(folder, process.pid);
  held.add(key);
  const file = join(key, "lock");
  try {
    await take(file, folder);
  } catch (error) {
    held.delete(key);
    throw error;
  }
  let closed = false;
  return async () => {
    // Once only: a second time it might be another's.
    if (closed) return;
    closed = true;
    await rm(file, { force: true });
    held.delete(key);
  };
}

async function take(file: string, folder: string): Promise<void> {
  const mine = await describe(process.pid);
  while (!(await create(file, mine))) {
    const owner = await read(file);
    if (owner === undefined) continue;
    // A number alone that equals ours is that of a former process; with its start time it is another thread of this one.
    const former = owner === mine && !owner.includes(" ");
    if (!former && (await isRunning(owner))) throw busy(folder, pidIn(owner));
    await removeVoid(file, owner, mine);
  }
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    try {
      await handle.writeFile(content);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileError(error, file, "write");
  }
}

/** What the lock says; undefined where it is gone. An empty one is being written just now, unless it stays empty. */
async function read(file: string): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw fileError(error, file);
    });
    if (text !== "" || attempt === 20) return text;
    await wait(100);
  }
}

/**
 * Removes a void lock. Of several that found it void one after the other may, and looks again before it does: what it
 * read a moment ago may be gone, and the lock that of a process which was faster.
 */
async function removeVoid(file: string, expected: string, mine: string): Promise<void> {
  const guard = `${file}-void`;
  if (await create(guard, mine)) {
    try {
      if ((await read(file)) === expected) await rm(file, { force: true });
    } finally {
      await rm(guard, { force: true });
    }
    return;
  }
  const other = await read(guard);
  // Killed in the very moment of removing.
  if (other !== undefined && !(await isRunning(other))) await rm(guard, { force: true });
  await wait(20);
}

/**
 * A process, so that it is told from a later one of the same number: numbers are used again, at once in containers.
 * Where the system does not tell when a process began, the number alone.
 */
async function describe(pid: number): Promise<string> {
  try {
    const [boot, stat] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    // After the name, which may hold anything: the state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not yet asked how.
    return fields[0] === "Z" || fields[0] === "X" ? "" : `${pid} ${boot.trim()} ${fields[19]}`;
  } catch {
    return String(pid);
  }
}

const pidIn = (description: string) => Number(description.split(" ")[0]);

async function isRunning(description: string): Promise<boolean> {
  const pid = pidIn(description);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = await describe(pid);
  // A lock, or a system, that tells the number only: assume the worst.
  return now === description || (now !== "" && (!now.includes(" ") || !description.includes(" ")));
}

function busy(folder: string, pid: number): AndroscopeError {
  return new AndroscopeError("run/busy", {
    expected: "a run folder that nobody writes to",
    found: `process ${pid} at work in it`,
    where: folder,
    fix: "Wait for it to end, or use another folder.",
  });
}
