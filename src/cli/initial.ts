/** Configuration and first weights, as commands that train take them. */
import {
  type Config,
  type EncoderInit,
  loadConfig,
  networkForInit,
  networkOfInit,
  readInit,
} from "../learning/index.ts";

/** @param init folder of weights, which say what the network is where nobody else does @throws `config/*`, `weights/*`, `file/*` */
export async function configAndInit(
  file: string | undefined,
  settings: readonly string[] | undefined,
  init: string | undefined,
): Promise<{ config: Config; init?: EncoderInit }> {
  if (init === undefined) return { config: await loadConfig(file, settings) };
  const config = await loadConfig(file, settings, await networkOfInit(init));
  return { config, init: await readInit(init, networkForInit(config)) };
}
