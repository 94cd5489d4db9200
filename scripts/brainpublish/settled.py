"""Whether what a job left is still what it would leave: decided from its own record.

A job that only waits for a gate must not run again whenever the gate does, so the gate is
an `ancient` input of it. But when the gate runs again, Snakemake looks at no other reason
to run a job behind an `ancient` input: a job that was killed before, or whose settings
changed in the same breath, would be passed over, and the run would end well all the same.
So the input is `ancient` only for jobs that are settled.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from brainpublish.files import digest_of_json, read_json_object

MADE_FROM = "made_from"

_MEMORIES = ("metadata/*", "metadata.db")
"""Where Snakemake keeps what jobs were made from, below .snakemake."""
_FIRST = ("volumes/*/*/stamps.json", "features/*/resolved.json")
"""One of the results of each rule that others build on, below results."""


def made_from(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the entry of a record that says which settings it was made from."""
    return {MADE_FROM: digest_of_json(settings)}


def is_settled(record: str | Path, expected: Mapping[str, Any], inputs: Iterable[str]) -> bool:
    """Say whether a record is there, holds what is expected, and is no older than its inputs.

    Never raises for what it finds: Snakemake passes over a job whose input function raises,
    as long as the job's output is there.

    Args:
        record: path of the JSON file that the job wrote as its last act.
        expected: entries that it must have, with their values.
        inputs: paths of what the job was made from; one that is missing is about to be made.
    """
    try:
        made = Path(record).stat().st_mtime_ns
        newest = max((Path(path).stat().st_mtime_ns for path in inputs), default=0)
    except OSError:
        return False
    held = record_of(record)
    return newest <= made and all(held.get(key) == value for key, value in expected.items())


def entry_of(record: str | Path, key: str, kind: type = str) -> Any:
    """Return an entry of a record, or None where there is none of that type."""
    held = record_of(record).get(key)
    return held if isinstance(held, kind) else None


def record_of(path: str | Path) -> dict:
    """Return the entries of a record, none where it is not there or no record."""
    try:
        return read_json_object(path)
    except OSError:
        return {}


def distrust_times() -> None:
    """Let the first jobs run again where Snakemake has lost its memory of what jobs were made from.

    It would then look at times alone, and see no change of settings. Results of the first jobs
    are made old; records, which a copied or cleaned folder still has, decide what follows.
    """
    if any(found for each in _MEMORIES for found in Path(".snakemake").glob(each)):
        return
    for each in _FIRST:
        for path in Path("results").glob(each):
            # Not 0, which Snakemake takes for a file that is not there.
            os.utime(path, (1, 1))
