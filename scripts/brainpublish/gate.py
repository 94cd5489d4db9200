"""The gate: one report of everything that is wrong with any input, before anything is sent."""

import logging
from collections.abc import Iterable
from pathlib import Path

from brainpublish.files import read_json, write_json
from brainpublish.findings import (
    ERROR,
    Finding,
    Refusal,
    as_text,
    count_text,
    errors_in,
    findings_from,
)

log = logging.getLogger(__name__)


def pass_gate(inputs: Iterable[str], output: str | Path, more: Iterable[Finding] = ()) -> None:
    """Write the gate's file if no input has an error; otherwise stop with all of them.

    Args:
        inputs: paths of findings (a list), or of plans (with their findings under that key).
        output: path to write: how many findings of each severity let pass.
        more: findings that stand in no file.

    Raises:
        Refusal: with every error and warning, grouped.
    """
    found = [*(finding for path in inputs for finding in _findings_in(path)), *more]
    errors = errors_in(found)
    serious = [finding for finding in found if finding.severity != "note"]
    log.info("all findings:\n%s", as_text(found, examples=len(found)))
    if errors:
        raise Refusal(
            f"{count_text(len(errors), 'error')} in the input. Nothing was sent.\n"
            f"{as_text(_by_weight(serious))}\n"
            "All findings: findings.json of each volume and bucket below results/."
        )
    counts = {level: sum(f.severity == level for f in found) for level in ("warning", "note")}
    write_json(output, {"errors": 0, **counts})


def _findings_in(path: str | Path) -> list[Finding]:
    value = read_json(path)
    return findings_from(value["findings"] if isinstance(value, dict) else value)


def _by_weight(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.severity != ERROR)
