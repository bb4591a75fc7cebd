"""Texts of a known form, as types that a decoder checks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

#: The length keeps out what the pattern's end would let pass: a line break.
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", max_length=36)]
ActionType = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"^[^\n]*$")]
Signature = Annotated[str, Meta(min_length=64, max_length=64)]
Timestamp = Annotated[str, Meta(min_length=1, max_length=40)]
