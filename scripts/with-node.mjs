// Runs a program under the project's own Node (the `node` package of npm), installing the dependencies first where
// they are missing. Plain JavaScript: this is the one file that an older Node has to understand.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether node_modules holds what the lock file asks for, by npm's own record, which npm writes when all is in place. */
function installedByHand(lock) {
  try {
    const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
    const [wanted, found] = [packagesOf(lock), packagesOf(join(root, "node_modules", ".package-lock.json"))];
    // Optional ones are for other platforms, most of them; where C's library is musl, it is installed once more. The
    // checkout itself has the empty name.
    const isForHere = ({ os, cpu, libc }) =>
      os?.includes(process.platform) && cpu?.includes(process.arch) && !libc?.includes("musl");
    const required = Object.keys(wanted).filter((name) => name && (!wanted[name].optional || isForHere(wanted[name])));
    return (
      required.every((name) => name in found) &&
      // Without the scripts of packages there is no Node in the package `node`.
      existsSync(nodePath()) &&
      Object.keys(found).every((name) => name in wanted && wanted[name].version === found[name].version)
    );
  } catch {
    return false;
  }
}

/**
 * Installs once per lock file: the stamp in node_modules holds the hash of the lock it was made from. After an `npm ci` by
 * hand there is only the stamp to write.
 */
export function installIfMissing() {
  const lock = join(root, "package-lock.json");
  if (!existsSync(lock)) return;
  const stamp = join(root, "node_modules", ".androscope-installed");
  const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  if (installedByHand(lock)) return writeFileSync(stamp, wanted);
  process.stderr.write("androscope: installing the dependencies (once; about half a minute) …\n");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // npm's own chatter goes to stderr, so that --json keeps stdout pure.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (npm.status !== 0) {
    process.stderr.write(
      "androscope: npm ci failed. Check the network and the disk, then run the same command again.\n",
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

// Large pages for the memory of tensors, where Linux's C library can ask for them and nobody has set it otherwise: a
// training step takes a tenth less processor time (docs/performance.md). Elsewhere nothing reads it. Also in
// src/jobs/pool.ts, for workers of programs that were not started here.
const HUGE_PAGES = "glibc.malloc.hugetlb=1";

/** The path of a Node that runs TypeScript directly: this one if it is new enough, else the project's own. */
function nodePath() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const own = createRequire(join(root, "package.json"));
  try {
    return join(dirname(own.resolve("node/package.json")), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
    process.stderr.write("androscope: Node 22.18 or newer is needed, or the project's own: run npm ci.\n");
    process.exit(1);
  }
}

/** Runs `args` under that Node and leaves with its exit code. The child ends when this process does, even by SIGKILL. */
export function run(args) {
  const child = spawn(nodePath(), ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: {
      // Types are stripped and modules compiled once, not at every start. Gone with node_modules; where the folder
      // cannot be written, Node goes without.
      NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "androscope"),
      ...process.env,
      // ONNX Runtime reports to its maker by default: see src/autodiff/telemetry.ts. Here for worker threads, too.
      ORT_DISABLE_TELEMETRY: "1",
      GLIBC_TUNABLES: process.env.GLIBC_TUNABLES ?? HUGE_PAGES,
    },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`androscope: could not start Node: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installIfMissing();
  run(process.argv.slice(2));
}
