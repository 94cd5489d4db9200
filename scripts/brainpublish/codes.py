"""The stable codes of findings: what each means, how severe it is, what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """Meaning of a code. `severity` is error, warning or note; `fix` is the usual way out."""

    severity: str
    title: str
    fix: str = ""


CONFIG_CODES: dict[str, Code] = {}

SLICE_CODES: dict[str, Code] = {}

REGION_CODES: dict[str, Code] = {}

CODES: dict[str, Code] = CONFIG_CODES | SLICE_CODES | REGION_CODES
