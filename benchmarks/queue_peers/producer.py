"""The producer: enqueues runs one after the other, and says how long each took.

    python -m benchmarks.queue_peers.producer MODULE RUNS WARM

Enqueues WARM runs, waits for a line on its input, enqueues RUNS more, and prints one JSON object.
"""

import gc
import importlib
import json
import sys
import time


def main() -> None:
    """Read the arguments; see above."""
    module, runs, warm = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    enqueue = importlib.import_module(module).enqueuer()
    for _ in range(warm):
        enqueue()
    sys.stdin.readline()
    gc.collect()
    took = []
    began_at = time.monotonic()
    for _ in range(runs):
        at = time.perf_counter()
        enqueue()
        took.append(time.perf_counter() - at)
    ended_at = time.monotonic()
    took.sort()
    told = {
        "began_at": began_at,
        "ended_at": ended_at,
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
