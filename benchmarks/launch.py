"""Runs a command and measures it from outside: seconds from start to end, and the most memory it held.

usage: python -I -S benchmarks/launch.py MEASURED CORES COMMAND...

What was measured goes into the file MEASURED as JSON; the command's own output passes through. CORES is
how many of the cores the command may use, 0 for all.

A process of its own that imports next to nothing: the peak that the system keeps of a child begins with the
memory of the process it was forked from, which here is some 10 MB.
"""

import json
import os
import sys
import time

# Linux counts in KiB, macOS in bytes (getrusage(2) of each).
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main(measured: str, cores: str, *command: str) -> int:
    """Run the command -> its exit code; 128 and more where a signal ended it, as a shell says it."""
    if int(cores):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[: int(cores)])
    started = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    found = {"process_seconds": seconds, "peak_mib": usage.ru_maxrss * RSS_UNIT / 2**20}
    with open(measured, "w", encoding="utf-8") as file:
        json.dump(found, file)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
