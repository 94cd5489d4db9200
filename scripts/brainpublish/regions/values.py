"""Numbers out of cells: plain decimal numbers only, everything else is named, nothing guessed."""

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?[0-9]+")
NOT_ZERO = re.compile(r"[+-]?[0.]*[1-9]")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T][\d:.]+)?")
FLOAT_DIGITS = 15  # a whole number of so many digits is kept exactly
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
MISSING = frozenset(["", "na", "n/a", "nan", "-nan", "null", "none", "#n/a", "#na", "<na>"])
NINES = tuple(sign * nines for sign in (-1.0, 1.0) for nines in (99.0, 999.0, 9999.0, 99999.0))
APART = 10
LARGEST = 1e300  # beyond it the range of a colour bar is no finite number


class Cell(NamedTuple):
    """What a cell holds: a number, nothing (`value` is None), or a fault with its code."""

    value: float | None = None
    code: str = ""
    message: str = ""


def cell_number(
    text: str, decimal: str = ".", missing: Collection[str] = (), typed: bool = False
) -> Cell:
    """Read one cell.

    `decimal` is the decimal mark, a point or a comma; beside a comma, 1.234 may be a thousand
    and more, and is refused, unless the cell was a number in its file (`typed`). `missing` are
    further texts that stand for no value; those that are numbers are compared as numbers.
    """
    text = text.strip()
    plain = text.replace(",", ".") if decimal == "," and "." not in text else text
    if not NUMBER.fullmatch(plain):
        return _no_number(text, missing)
    if missing and (text in missing or float(plain) in _numbers(tuple(missing))):
        return Cell()
    value = float(plain)
    if not -LARGEST <= value <= LARGEST:
        return Cell(code="VALUE_NOT_FINITE", message=f"{text!r} is too large to be shown")
    if value == 0 and NOT_ZERO.match(plain):
        return Cell(code="VALUE_NOT_FINITE", message=f"{text!r} is too small to be told from 0")
    if decimal == "," and not typed and THOUSANDS.fullmatch(text):
        message = f"{text!r}: a thousands mark, or a decimal point beside `decimal: ','`?"
        return Cell(code="VALUE_NOT_NUMBER", message=message)
    if len(plain) > FLOAT_DIGITS and WHOLE.fullmatch(plain) and int(plain) != int(value):
        message = f"{text!r} has more digits than a 64-bit float keeps: {value:.0f}"
        return Cell(code="VALUE_NOT_EXACT", message=message)
    return Cell(value)


def _no_number(text: str, missing: Collection[str]) -> Cell:
    if text.casefold() in MISSING or text in missing:
        return Cell()
    if INFINITE.fullmatch(text):
        return Cell(code="VALUE_NOT_FINITE", message=f"{text!r} is not a finite number")
    return Cell(code="VALUE_NOT_NUMBER", message=f"{text!r} is not a number{_hint(text)}")


@cache
def _numbers(texts: tuple[str, ...]) -> frozenset[float]:
    """Return those of some texts that are numbers, so that -999.0 is -999 too."""
    return frozenset(float(text) for text in texts if NUMBER.fullmatch(text))


def _hint(text: str) -> str:
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return ": a decimal comma or a thousands mark?"
    if re.fullmatch(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", text):
        return ": a decimal comma?"
    if re.fullmatch(r"[<>~≤≥]\s*\S+", text):
        return ": a limit is no value"
    if text.endswith("%"):
        return ": write the number without the percent sign"
    if text.startswith("="):
        return (
            ": a formula whose result is not in the file; open and save it in a spreadsheet program"
        )
    if text.startswith("#"):
        return ": an error of the spreadsheet"
    if DATE_TIME.fullmatch(text):
        return ": a date, which a spreadsheet may have made of a number"
    if "\u2212" in text:
        return ": write the minus sign as a hyphen"
    if text.casefold() in ("true", "false"):
        return ": write 1 and 0 if that is meant"
    return ""


def suspected_code(values: Sequence[float]) -> str:
    """Say which repeated value looks like a code for missing; nothing if none does.

    Such a value is a row of nines that lies apart from all others: below zero where no other
    is, or far beyond them.
    """
    for code in NINES:
        times = values.count(code)
        rest = [value for value in values if value != code]
        if times < 2 or not rest:
            continue
        if (code < 0 <= min(rest)) or abs(code) > APART * max(map(abs, rest)):
            return (
                f"{code:g} occurs {times} times beside values from {min(rest):g} to {max(rest):g}"
            )
    return ""
