"""The step from tables to resolved regions, as the workflow runs it: files in, files out."""

from pathlib import Path

from brainpublish.findings import write_findings
from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.frames import write_table


def resolve(bucket: dict, regions: str | Path, findings: str | Path) -> None:
    """Write the resolved regions of a bucket's tables, and what was found in the tables."""
    frame, found = resolve_bucket(bucket)
    write_table(regions, frame)
    write_findings(findings, found)
