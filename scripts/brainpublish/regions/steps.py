"""The two steps from tables to payloads, as the workflow runs them: files in, files out."""

from pathlib import Path

from brainpublish.files import write_json
from brainpublish.findings import errors_in, read_findings, write_findings
from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.features import map_bucket, read_regions, write_regions


def resolve(bucket: dict, regions: str | Path, findings: str | Path) -> None:
    """Write the resolved regions of a bucket's tables, and what was found in the tables."""
    frame, found = resolve_bucket(bucket)
    write_regions(regions, frame)
    write_findings(findings, found)


def map_features(
    bucket: dict,
    regions: str | Path,
    resolved: str | Path,
    payloads: str | Path,
    findings: str | Path,
) -> None:
    """Write the payloads of a bucket's features, and all findings of the bucket.

    With an error in any table there are no payloads: they would lack what could not be read.
    """
    features, mapped = map_bucket(bucket, read_regions(regions))
    found = [*read_findings(resolved), *mapped]
    write_json(payloads, {} if errors_in(found) else features)
    write_findings(findings, found)
