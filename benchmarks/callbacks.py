"""Counts the callbacks of a recording that skips everything, by standing between Tamis and `sys.monitoring`.

    callbacks.py PROGRAM LOOPS TRACE

Prints the counts by event as JSON.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from worker import PROGRAMS

import tamis

FILTER = Path(__file__).parent / "filters" / "skip-all.toml"
NAMES = {value: name for name, value in vars(sys.monitoring.events).items() if isinstance(value, int)}


def main():
    program, loops, trace = sys.argv[1:]
    run = PROGRAMS[program]()
    run()
    counts = Counter()
    register = sys.monitoring.register_callback

    def counting(tool, event, callback):
        if callback is None:
            return register(tool, event, None)

        def counted(*arguments):
            counts[NAMES[event]] += 1
            return callback(*arguments)

        return register(tool, event, counted)

    sys.monitoring.register_callback = counting
    tamis.start(trace, trace_filter=FILTER)
    for _ in range(int(loops)):
        run()
    tamis.stop()
    if not counts:
        raise SystemExit("no callback was seen: the recorder does not register through `sys.monitoring`")
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    main()
