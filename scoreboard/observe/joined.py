"""The numbers of several workers as one text for Prometheus, each with a label that says whose it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_HELP, _COMMENT = "# HELP ", "#"


def joined(texts: Mapping[int, bytes | None]) -> bytes:
    """The texts of workers by their number, each as `Metrics.render` makes it; None of one that did not answer.

    A name stands once with what it means, and behind it all that is counted under it.
    """
    families: dict[str, tuple[list[str], list[str]]] = {}
    for number, text in texts.items():
        for name, described, samples in _families(text or b""):
            told = families.setdefault(name, (described, []))
            told[1].extend(_labelled(each, number) for each in samples)
    lines = ["# HELP worker_up Whether the worker told its numbers", "# TYPE worker_up gauge"]
    lines += [f'worker_up{{worker="{number}"}} {float(text is not None)}' for number, text in texts.items()]
    for described, samples in families.values():
        lines += [*described, *samples]
    return "\n".join([*lines, ""]).encode()


def _families(text: bytes) -> list[tuple[str, list[str], list[str]]]:
    """Name, description and samples of each family, in order."""
    found: list[tuple[str, list[str], list[str]]] = []
    for line in text.decode().splitlines():
        if line.startswith(_HELP):
            found.append((line.split(" ")[2], [line], []))
        elif line and found:
            _, described, samples = found[-1]
            (described if line.startswith(_COMMENT) else samples).append(line)
    return found


def _labelled(sample: str, number: int) -> str:
    """A name has neither brace nor blank in it, so the first of these is where its labels begin, or would."""
    name, brace, rest = sample.partition("{")
    if brace and " " not in name:
        return f'{name}{{worker="{number}",{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{number}"}} {value}'
