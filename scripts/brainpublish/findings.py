"""What is wrong with an input, said to a person: code, place, what was found, what to do."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from brainpublish.codes import CODES
from brainpublish.files import read_json, write_json

ERROR, WARNING, NOTE = "error", "warning", "note"


class Refusal(Exception):
    """A stop with a reason that is written for the person who runs the workflow.

    Its text is shown as it stands, without a traceback: what, where, and what to do.
    """


@dataclass(frozen=True)
class Finding:
    """One thing found in an input. The severity follows from the code."""

    code: str
    where: str
    message: str
    fix: str = ""
    severity: str = ""

    def __post_init__(self):
        known = CODES[self.code]
        object.__setattr__(self, "severity", self.severity or known.severity)
        object.__setattr__(self, "fix", self.fix or known.fix)


def write_findings(path: str | Path, findings: Iterable[Finding]) -> None:
    """Write findings as a JSON list of {code, severity, where, message, fix}."""
    write_json(path, [asdict(finding) for finding in findings])


def read_findings(path: str | Path) -> list[Finding]:
    """Read what `write_findings` wrote."""
    return findings_from(read_json(path))


def findings_from(items: Iterable[dict]) -> list[Finding]:
    """Make findings of plain dictionaries with the fields of a `Finding`."""
    return [Finding(**item) for item in items]


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a run."""
    return [finding for finding in findings if finding.severity == ERROR]


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun: 1 file, 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_text(findings: Iterable[Finding], examples: int = 3) -> str:
    """Return findings as plain text: grouped by code, with some examples and a count each."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    return "\n".join(_group_text(code, group, examples) for code, group in groups.items())


def _group_text(code: str, group: list[Finding], examples: int) -> str:
    first = group[0]
    lines = [f"{first.severity.upper()} {code}: {CODES[code].title} ({len(group)})"]
    lines += [f"  {finding.where}: {finding.message}" for finding in group[:examples]]
    if len(group) > examples:
        lines.append(f"  ... and {len(group) - examples} more")
    fixes = list(dict.fromkeys(finding.fix for finding in group if finding.fix))
    lines += [f"  What to do: {fix}" for fix in fixes[:examples]]
    return "\n".join(lines)
