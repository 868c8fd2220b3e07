/** Configurations as users give them: a file with a part of one, and single settings. config.ts says what is in them. */
import { AndroscopeError, readText } from "../runs/index.ts";
import { type Config, resolveConfig } from "./config.ts";

/**
 * A configuration from a file and single settings.
 * @param file JSON with any part of the configuration
 * @param settings `tune.steps=100`, later ones win; the value is JSON, or text where it is not
 * @param network settings of it where neither has them, instead of the defaults; not where `tune.network` is set
 */
export async function loadConfig(
  file: string | undefined,
  settings: readonly string[] = [],
  network: Partial<Config["network"]> = {},
): Promise<Config> {
  const value = file === undefined ? {} : await readConfigFile(file);
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) {
      throw new AndroscopeError("usage/bad-value", {
        expected: "--set KEY=VALUE",
        found: JSON.stringify(setting),
        where: "--set",
        fix: "For example --set tune.steps=200.",
      });
    }
    setValue(value, setting.slice(0, at).split("."), parseValue(setting.slice(at + 1)));
  }
  withNetwork(value, network);
  const sources = [...(file === undefined ? [] : [file]), ...(settings.length > 0 ? ["--set"] : [])];
  return resolveConfig(value, sources.join(" with ") || undefined);
}

/**
 * Puts the network that weights from elsewhere are of where a configuration does not say it: a probe's, or else the one for
 * both stages; not where stage 2 has one of its own.
 */
export function withNetwork(value: Record<string, unknown>, network: Partial<Config["network"]>): void {
  if (Object.keys(network).length === 0) return;
  const tune = isTree(value.tune) ? value.tune : {};
  if (isTree(tune.probe)) tune.probe = { network, ...tune.probe };
  else if (tune.network === undefined && (value.network === undefined || isTree(value.network))) {
    value.network = { ...network, ...value.network };
  }
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

async function readConfigFile(path: string): Promise<Tree> {
  const text = await readText(path);
  let found = "something else";
  try {
    const value: unknown = JSON.parse(text);
    if (isTree(value)) return value;
  } catch (cause) {
    found = (cause as Error).message;
  }
  throw new AndroscopeError("config/unreadable", {
    expected: "a JSON object",
    found,
    where: path,
    fix: 'Correct the file; {"tune": {"steps": 200}} is a whole configuration.',
  });
}

/** Only own keys are stepped into: a setting of "__proto__.x" or "toString.x" must not reach what all objects share. */
function setValue(tree: Tree, keys: readonly string[], value: unknown): void {
  const last = keys.at(-1)!;
  let node: unknown = tree;
  for (const key of keys.slice(0, -1)) {
    if (!isTree(node) || key === "__proto__") throw unknownKey(keys);
    if (!Object.hasOwn(node, key)) node[key] = {};
    node = node[key];
  }
  if (!isTree(node) || last === "__proto__") throw unknownKey(keys);
  node[last] = value;
}

function unknownKey(keys: readonly string[]): AndroscopeError {
  return new AndroscopeError("config/unknown-key", {
    expected: "a key of the configuration",
    found: keys.join("."),
    where: "--set",
    fix: "Correct the name or remove it; docs/method.md lists every key.",
  });
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
