"""The step from resolved regions to payloads, as the workflow runs it: files in, files out."""

from collections.abc import Mapping
from pathlib import Path

from brainpublish.files import compact_json, read_json, write_bytes
from brainpublish.findings import errors_in, read_findings, write_findings
from brainpublish.regions.features import coverage_table, map_bucket
from brainpublish.regions.frames import read_regions, write_table


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
