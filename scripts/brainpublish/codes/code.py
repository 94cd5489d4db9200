"""What is said of a code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """Meaning of a code.

    `severity` is error, warning or note; `fix` is the usual way out; `waived` says what
    happens if the config waives an error of this code, and is empty where none may be.
    """

    severity: str
    title: str
    fix: str = ""
    waived: str = ""
