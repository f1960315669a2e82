"""The floor: the same log files inflated and hashed, in memory, and nothing else done.

    python -m bench.floor SIZE DIFFERENT FILES THREADS

A process of its own, which says how many seconds it took: of the wall clock, and of a processor.
What it runs is the product's own strict reading of one gzip member.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench.timed import Took
from bench.worlds import pool
from integrity.chain.content import read_member
from integrity.chain.limits import Limits


def floor(size: int, different: int, files: int, threads: int = 2) -> Took:
    """What so many log files of that size cost at the least."""
    asked = [str(number) for number in (size, different, files, threads)]
    words = [sys.executable, "-m", "bench.floor", *asked]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return Took(*map(float, told))


def _main(size: int, different: int, files: int, threads: int) -> None:
    contents = pool(size, different)
    limit = Limits().max_log_bytes

    def check(share: range) -> None:
        for number in share:
            content = contents[number % len(contents)]
            read = read_member((memoryview(content.body),), max_bytes=limit)
            assert read.sha256 == content.sha256
            assert read.flaw is None

    with ThreadPoolExecutor(threads) as executor:
        check(range(len(contents)))
        wall, cpu = time.perf_counter(), time.process_time()
        list(executor.map(check, [range(at, files, threads) for at in range(threads)]))
        print(time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
