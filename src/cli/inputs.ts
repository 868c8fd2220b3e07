/** Images named on the command line: files, and folders with all images below them. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { listImages } from "../datasets/index.ts";
import { AndroscopeError, fileError } from "../runs/index.ts";

export interface NamedImage {
  /** Where the file is. */
  path: string;
  /** A short name that no other image of the call has, without extension. */
  stem: string;
}

/** @throws `usage/missing-argument`, `file/not-found`, `data/empty` */
export async function namedImages(command: string, arguments_: readonly string[]): Promise<NamedImage[]> {
  if (arguments_.length === 0) {
    throw new AndroscopeError("usage/missing-argument", {
      expected: "images or folders",
      found: "nothing",
      fix: `See androscope ${command} --help.`,
    });
  }
  const paths: { path: string; name: string }[] = [];
  for (const argument of arguments_) {
    const info = await stat(argument).catch((error) => {
      throw fileError(error, argument);
    });
    if (!info.isDirectory()) paths.push({ path: argument, name: basename(argument) });
    else for (const id of (await listImages(argument)).paths) paths.push({ path: join(argument, id), name: id });
  }
  if (paths.length === 0) {
    throw new AndroscopeError("data/empty", {
      expected: "at least one image",
      found: "none",
      where: arguments_.join(" "),
      fix: "Name image files, or a folder that holds some.",
    });
  }
  const used = new Map<string, number>();
  return paths.map(({ path, name }) => {
    const plain = name.replace(/\.[^./]+$/, "").replace(/[\\/]/g, "__");
    const times = (used.get(plain) ?? 0) + 1;
    used.set(plain, times);
    return { path, stem: times === 1 ? plain : `${plain}~${times}` };
  });
}
