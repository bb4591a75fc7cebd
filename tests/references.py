"""References in a description of an API, OpenAPI's and AsyncAPI's alike."""

from __future__ import annotations

from typing import Any


def follow_references(value: Any, document: Any) -> None:
    """Find what each ``$ref`` below `value` names in the document; raises KeyError for one that leads nowhere."""
    if isinstance(value, dict):
        if "$ref" in value:
            found = document
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step]
        for each in value.values():
            follow_references(each, document)
    elif isinstance(value, list):
        for each in value:
            follow_references(each, document)
