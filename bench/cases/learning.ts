/**
 * The method's own training steps, whole, in the default configuration: stage 1 (distillation) and stage 2 (tuning), on
 * phantoms of 131 px. bench/peers/reference_learning.py is the same in PyTorch, and src/learning/pytorch.test.ts holds
 * that it is. Both start from the same weights here, and a first loss that differs ends the comparison.
 */
import { defaultConfig } from "../../src/learning/config.ts";
import type { BenchmarkCase, BenchmarkPeer } from "../case.ts";
import { learner, type Stage, workload, writeWorkload } from "../learning.ts";
import { pythonPeer } from "../peer.ts";

function stageCase(stage: Stage): BenchmarkCase {
  let ours: Awaited<ReturnType<typeof learner>> | undefined;
  const pytorch: BenchmarkPeer = {
    peer: "PyTorch",
    install: "apt-get install python3-torch",
    note: "Our side draws its batch within the step, as in training; PyTorch is handed batches that lie ready.",
    async start(threads) {
      const { folder, remove } = await writeWorkload(stage, await workload(stage), ours!.first);
      try {
        const peer = await pythonPeer("torch", "pytorch_learning.py", [folder, "--threads", `${threads}`]);
        if (peer === undefined) return undefined;
        const loss = peer.hello.loss as number;
        if (!(Math.abs(loss / ours!.firstLoss - 1) < 1e-3)) {
          await peer.stop();
          throw new Error(`${stage}: the first loss is ${ours!.firstLoss} here and ${loss} in PyTorch`);
        }
        return peer;
      } finally {
        await remove();
      }
    },
  };
  return {
    name: `train-step/${stage}`,
    unit: "crops/s",
    amount: 32,
    unitsPer: defaultConfig[stage].batch,
    ours: async (threads) => (ours = await learner(await workload(stage), threads)),
    peers: [pytorch],
  };
}

export const cases: BenchmarkCase[] = [stageCase("tune"), stageCase("distill")];
