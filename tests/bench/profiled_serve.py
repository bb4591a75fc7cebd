"""The server under the sampler: `python -m tests.bench.profiled_serve serve ...` takes what `scoreboard` takes.

SIGUSR1 begins, SIGUSR2 ends sampling and writes the stacks to the file named by BENCH_STACKS.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from scoreboard.__main__ import main
from tests.bench.sampler import Sampler


def _serve_sampled(path: Path) -> None:
    sampler = Sampler()

    def finish(*_: object) -> None:
        sampler.stop()
        part = path.with_suffix(".part")
        sampler.write(part)
        part.rename(path)  # whoever waits for the file finds it whole

    signal.signal(signal.SIGUSR1, lambda *_: sampler.start())
    signal.signal(signal.SIGUSR2, finish)
    main()


if __name__ == "__main__":
    _serve_sampled(Path(os.environ["BENCH_STACKS"]))
