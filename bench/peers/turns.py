"""The other end of bench/peer.ts: reads JSON lines {"amount": k} and answers {"seconds": t, "cpu": c}.

t is the time of k units of work, c what all threads used of it. Not run by itself.
"""

import json
import sys
import time

sys.dont_write_bytecode = True


def serve(name, work, **more):
    """`work()` does one unit. `more` goes into the first line."""
    print(json.dumps({"name": name, **more}), flush=True)
    for line in sys.stdin:
        amount = json.loads(line)["amount"]
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(amount):
            work()
        seconds, used = time.perf_counter() - start, time.process_time() - cpu
        print(json.dumps({"seconds": seconds, "cpu": used}), flush=True)


def fastest(candidates, rounds=4, amount=2):
    """The quickest of (label, work) pairs, by the best of a few turns each. Which way PyTorch likes best depends on the
    machine, so the peer is given a choice and runs what suits it."""
    best = {label: float("inf") for label, _ in candidates}
    for _, work in candidates:
        work()
    for _ in range(rounds):
        for label, work in candidates:
            start = time.perf_counter()
            for _ in range(amount):
                work()
            best[label] = min(best[label], time.perf_counter() - start)
    return min(candidates, key=lambda candidate: best[candidate[0]])
