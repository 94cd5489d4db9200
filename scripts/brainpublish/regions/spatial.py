"""The step that makes features of points and volumes, as the workflow runs it."""

from collections.abc import Iterator
from pathlib import Path

from brainpublish.files import compact_json, digest_of_json, write_bytes
from brainpublish.findings import Finding, errors_in, write_findings
from brainpublish.regions.points import point_feature
from brainpublish.regions.volume import volume_feature


def encode_volumes(bucket: dict, payloads: str | Path, findings: str | Path) -> None:
    """Write the payloads of a bucket's points and volumes, and what was found in them."""
    features, found = {}, []
    for name, payload, said in _features(bucket):
        found += said
        if payload is not None and not errors_in(said):
            features[name] = {"regions": 0, "digest": digest_of_json(payload), "payload": payload}
    write_bytes(payloads, compact_json(features))
    write_findings(findings, found)


def _features(bucket: dict) -> Iterator[tuple[str, dict | None, list[Finding]]]:
    for name, section in bucket["points"].items():
        yield name, *point_feature(name, section)
    for name, section in bucket["volume"].items():
        yield name, *volume_feature(name, section)
