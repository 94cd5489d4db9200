"""Checking of JSON fields: every problem of a body in one 400/1003 answer."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brainpublish.local.bossdb.errors import BossError, Code

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
REQUIRED = object()
INTEGER_LIMIT = 2**31
TRUE_VALUES = {"true", "t", "1", "on", "yes", "y"}
FALSE_VALUES = {"false", "f", "0", "off", "no", "n"}


class Invalid(Exception):
    """A field's value is not acceptable; carries the text and the kind of the problem."""

    def __init__(self, message: str, kind: str = "invalid"):
        super().__init__(message)
        self.message = message
        self.kind = kind


@dataclass(frozen=True)
class Field:
    """A field of a JSON body. `default` REQUIRED means that it must be given on creation."""

    parse: Callable[[Any], Any]
    default: Any = REQUIRED
    nullable: bool = False

    def value(self, given: Any) -> Any:
        """Return the checked value. Raises Invalid."""
        if given is not None:
            return self.parse(given)
        if self.nullable:
            return None
        raise Invalid("This field may not be null.", "null")


def problems_text(problems: Mapping[str, Invalid]) -> str:
    """Return problems in the form in which the real service writes them."""
    parts = [
        f"'{name}': [ErrorDetail(string={problem.message!r}, code={problem.kind!r})]"
        for name, problem in problems.items()
    ]
    return "{" + ", ".join(parts) + "}"


def refuse(problems: Mapping[str, Invalid]) -> None:
    """Raise 400/1003 if there is any problem."""
    if problems:
        raise BossError(Code.INVALID_POST_ARGUMENT, problems_text(problems))


def read_all(fields: Mapping[str, Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for all fields, with defaults. Raises 400/1003 naming every bad field."""
    values, problems = {}, {}
    for name, field in fields.items():
        if name not in data and field.default is not REQUIRED:
            values[name] = field.default
        elif name not in data:
            problems[name] = Invalid("This field is required.", "required")
        else:
            _read_one(name, field, data[name], values, problems)
    refuse(problems)
    return values


def read_changes(
    fields: Mapping[str, Field], data: Mapping[str, Any], ignore_unknown: bool = False
) -> dict[str, Any]:
    """Return values for the fields that are given. Raises 400/1003 for bad or unknown ones."""
    values, problems = {}, {}
    for name, given in data.items():
        if name in fields:
            _read_one(name, fields[name], given, values, problems)
        elif not ignore_unknown:
            problems[name] = Invalid("This field cannot be changed.", "read_only")
    refuse(problems)
    return values


def _read_one(name: str, field: Field, given: Any, values: dict, problems: dict) -> None:
    try:
        values[name] = field.value(given)
    except Invalid as problem:
        problems[name] = problem


def text(limit: int) -> Callable[[Any], str]:
    """Parse text of a length up to a limit; numbers are taken as text."""

    def parse(given: Any) -> str:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise Invalid("Not a valid string.")
        trimmed = str(given).strip()
        if len(trimmed) > limit:
            raise Invalid(f"Ensure this field has no more than {limit} characters.", "max_length")
        return trimmed

    return parse


def name(given: Any) -> str:
    """Parse the name of a resource."""
    value = text(255)(given)
    if not NAME.fullmatch(value):
        raise Invalid("Allowed are ASCII letters, digits, _ and -.")
    return value


def integer(given: Any) -> int:
    """Parse a 32-bit integer; 2048.0 and "2048" are integers, 2048.5 is not."""
    try:
        value = int(str(given).strip().removesuffix(".0"))
    except ValueError:
        raise Invalid("A valid integer is required.") from None
    if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        raise Invalid("Ensure this value is within 32 bits.", "max_value")
    return value


def number(given: Any) -> float:
    """Parse a finite number; text that spells one is accepted."""
    try:
        value = float(given)
    except (TypeError, ValueError, OverflowError):
        raise Invalid("A valid number is required.") from None
    if not math.isfinite(value):
        raise Invalid("A finite number is required.")
    return value


def boolean(given: Any) -> bool:
    """Parse a truth value in the spellings that web forms use."""
    spelled = str(given).strip().lower() if isinstance(given, str | int | bool) else ""
    if spelled in TRUE_VALUES:
        return True
    if spelled in FALSE_VALUES:
        return False
    raise Invalid("Must be a valid boolean.")


def choice(options: Iterable[str]) -> Callable[[Any], str]:
    """Parse one of some words, case-sensitively."""
    allowed = tuple(options)

    def parse(given: Any) -> str:
        if not isinstance(given, str) or given not in allowed:
            raise Invalid(f'"{given}" is not a valid choice.', "invalid_choice")
        return given

    return parse


def names(data: Mapping[str, Any], field_name: str) -> list[str]:
    """Return a list of names from a body; an absent list is empty. Raises 400/1003."""
    given = data.get(field_name, [])
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        refuse({field_name: Invalid("Expected a list of channel names.", "not_a_list")})
    return list(dict.fromkeys(given))


DESCRIPTION = Field(text(4096), default="")
PUBLIC = Field(boolean, default=False)
NAME_CHANGE = Field(name)
