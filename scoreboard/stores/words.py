"""What went wrong with a store, in words."""

from __future__ import annotations

import os


def in_words(error: BaseException) -> str:
    """Why a store does not serve, for an operator: in the words of the system or of the server."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        said = os.strerror(error.errno)
        return said if error.strerror in (None, said) else f"{said} ({error.strerror})"
    return str(error) or repr(error)
