"""Bodies of requests: JSON objects whose values are at hand as they were written, too.

What is stored as it came need not be written anew: for a large payload that takes longer than
reading it.
"""

import json
from json.decoder import WHITESPACE, scanstring
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder()


class Value(NamedTuple):
    """A value, and its JSON as it was written."""

    value: Any
    text: str

    def ascii_text(self) -> str:
        """Return JSON that holds no character beyond ASCII."""
        return self.text if self.text.isascii() else json.dumps(self.value)


def members(body: bytes) -> dict[str, Value]:
    """Return the members of a JSON object, the last one of each name, as `json.loads` does.

    Raises ValueError if the body is no JSON, TypeError if it is JSON of another kind.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    at = _past_blanks(text, 0)
    if text[at : at + 1] != "{":
        json.loads(text)
        raise TypeError("no JSON object")
    found: dict[str, Value] = {}
    at = _past_blanks(text, at + 1)
    if text[at : at + 1] == "}":
        return _ended(text, at + 1, found)
    while True:
        name, at = _name(text, at)
        value, end = _DECODER.raw_decode(text, at)
        found[name] = Value(value, text[at:end])
        at = _past_blanks(text, end)
        if text[at : at + 1] == "}":
            return _ended(text, at + 1, found)
        at = _past_blanks(text, _past(text, at, ","))


def _name(text: str, at: int) -> tuple[str, int]:
    """Return a member's name, and where its value begins."""
    name, end = scanstring(text, _past(text, at, '"'), True)
    return name, _past_blanks(text, _past(text, _past_blanks(text, end), ":"))


def _past(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, at)
    return at + 1


def _past_blanks(text: str, at: int) -> int:
    return WHITESPACE.match(text, at).end()


def _ended(text: str, at: int, found: dict[str, Value]) -> dict[str, Value]:
    if _past_blanks(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return found
