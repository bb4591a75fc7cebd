"""A route that does nothing, of a plain Quart on a plain Hypercorn under Trio: the least that this stack can cost.

python -m tests.bench.peers.empty_quart      (started by `tests.bench.measures.top`; prints its port)
"""

from __future__ import annotations

import socket
import sys
from functools import partial

import hypercorn.trio
import trio
from hypercorn.config import Config
from quart_trio import QuartTrio

app = QuartTrio(__name__, static_folder=None)


@app.route("/api/scores/top")
async def nothing() -> tuple[bytes, dict[str, str]]:
    """Two bytes of JSON."""
    return b"{}", {"content-type": "application/json"}


async def told() -> None:
    """Until whoever started this closes the input."""
    await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


def main() -> None:
    """Serve until its input is closed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        config = Config()
        config.bind = [f"fd://{listener.dup().detach()}"]  # which Hypercorn closes at its end
        config.accesslog = None
        config.loglevel = "ERROR"
        config.keep_alive_max_requests = 10**9
        print(f"port {listener.getsockname()[1]}", flush=True)  # noqa: T201 - what its starter reads
        trio.run(partial(hypercorn.trio.serve, app, config, shutdown_trigger=told))


if __name__ == "__main__":
    main()
