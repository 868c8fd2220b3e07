/**
 * Loaded into the command under test (NODE_OPTIONS=--import): ends it at an exact moment of its run, however slow the
 * machine. STOP_AT is `MOMENT NAME TIMES SIGNAL TARGET`: before or after the file whose path ends in NAME is put in
 * its place for the TIMES-th time, or after an event that holds NAME is written, SIGNAL goes to the whole process
 * group, or to the parent or the process itself alone. Every process of the command counts for itself.
 */
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [moment, name, times, signal, target] = (process.env.STOP_AT ?? "").split(" ");
let left = Number(times);

const pid = target === "parent" ? process.ppid : target === "self" ? process.pid : 0;
const stop = () => process.kill(pid, signal as NodeJS.Signals);
const counts = (place: string, isIt: boolean) => moment === place && isIt && --left === 0;

if (name) {
  const { rename, appendFile } = files;
  files.rename = async (from, to) => {
    const isIt = String(to).endsWith(name);
    if (counts("before", isIt)) stop();
    await rename(from, to);
    if (counts("after", isIt)) stop();
  };
  files.appendFile = async (path, data, options) => {
    await appendFile(path, data, options);
    if (counts("event", String(data).includes(name))) stop();
  };
  syncBuiltinESMExports();
}
