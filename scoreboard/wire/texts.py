"""Texts of a known form, as types that a decoder checks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

#: How ids of players and actions are written, as a regular expression.
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: The length keeps out what the pattern's end would let pass: a line break.
Uuid = Annotated[str, Meta(pattern=f"^{UUID}$", max_length=36)]
ActionType = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"^[^\n\x00]*$")]
#: U+0000 is taken from nobody; the decoder sees to it, and no database would take it.
Clean = Annotated[str, Meta(extra_json_schema={"pattern": r"^[^\u0000]*$"})]
Signature = Annotated[str, Meta(min_length=64, max_length=64)]
#: What it means is for `times.moment_of` to say, which refuses all others in a sentence of its own.
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
