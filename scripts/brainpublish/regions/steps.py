"""The two steps from tables to payloads, as the workflow runs them: files in, files out."""

from collections.abc import Mapping
from pathlib import Path

from brainpublish.files import compact_json, read_json, write_bytes
from brainpublish.findings import errors_in, read_findings, write_findings
from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.features import coverage_table, map_bucket, read_regions, write_table


def resolve(bucket: dict, regions: str | Path, findings: str | Path) -> None:
    """Write the resolved regions of a bucket's tables, and what was found in the tables."""
    frame, found = resolve_bucket(bucket)
    write_table(regions, frame)
    write_findings(findings, found)


def map_features(
    bucket: dict,
    regions: str | Path,
    resolved: str | Path,
    spatial: Mapping[str, str],
    payloads: str | Path,
    coverage: str | Path,
    findings: str | Path,
) -> None:
    """Write the payloads of a bucket's features, their coverage, and all findings of the bucket.

    `spatial` has the payloads and findings of points and volumes, if the bucket has any.
    With an error in any input there are no payloads: they would lack what could not be read.
    """
    features, mapped = map_bucket(bucket, read_regions(regions))
    write_table(coverage, coverage_table(features))
    found = [*read_findings(resolved), *mapped]
    if spatial:
        features |= read_json(spatial["payloads"])
        found += read_findings(spatial["findings"])
    write_bytes(payloads, compact_json({} if errors_in(found) else features))
    write_findings(findings, found)
