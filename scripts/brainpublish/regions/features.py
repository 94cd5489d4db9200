"""Payloads of all features of a bucket, out of its table of resolved regions."""

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainpublish.files import digest_of_json, write_text
from brainpublish.findings import Finding
from brainpublish.regions.collect import COLUMNS, feature_names
from brainpublish.regions.coverage import coverage_findings, overlap_findings, visible
from brainpublish.regions.mapping import Operator, build_operator
from brainpublish.regions.payload import feature_payload
from brainpublish.regions.tree import tree_findings
from brainpublish.regions.universe import universe


def write_regions(path: str | Path, frame: pd.DataFrame) -> None:
    """Write resolved regions as tab-separated text; numbers keep all their digits."""
    text = io.StringIO()
    frame.to_csv(text, sep="\t", index=False, lineterminator="\n")
    write_text(path, text.getvalue())


def read_regions(path: str | Path) -> pd.DataFrame:
    """Read what `write_regions` wrote."""
    kinds = dict.fromkeys(COLUMNS, "str") | {
        "atlas_id": "int64",
        "value": "float64",
        "rows": "int64",
    }
    return pd.read_csv(
        path, sep="\t", dtype=kinds, keep_default_na=False, float_precision="round_trip"
    )


def map_bucket(bucket: dict, frame: pd.DataFrame) -> tuple[dict[str, dict], list[Finding]]:
    """Return {feature: {regions, digest, payload}} and findings about what will be seen.

    `frame` has the columns of `collect.COLUMNS`. A feature with an error is left out. Equal
    lists of regions share one operator.
    """
    operators: dict[tuple[int, ...], Operator] = {}
    features: dict[str, dict] = {}
    names = feature_names(bucket)
    findings = tree_findings(bucket["name"], bucket.get("tree"), names)
    described = _described(bucket)
    for name, rows in frame.groupby("feature", sort=False):
        ids = tuple(rows["atlas_id"].tolist())
        if ids not in operators:
            operators[ids] = build_operator(ids)
        operator, values = operators[ids], rows["value"].tolist()
        findings += _feature_findings(name, rows, operator)
        if visible(operator):
            payload = feature_payload(operator.apply(values), values, **described[name])
            features[name] = {
                "regions": len(rows),
                "digest": digest_of_json(payload),
                "payload": payload,
            }
    return features, findings


def _feature_findings(name: str, rows: pd.DataFrame, operator: Operator) -> list[Finding]:
    places = _places(rows)
    return [
        *overlap_findings(name, places),
        *coverage_findings(name, operator, places, rows["value"].tolist()),
    ]


def _places(rows: pd.DataFrame) -> Sequence[tuple[int, str]]:
    by_acronym = {region.acronym: region.index for region in universe().regions}
    return [
        (by_acronym[acronym], side)
        for acronym, side in zip(rows["acronym"], rows["hemisphere"], strict=True)
    ]


def _described(bucket: dict) -> dict[str, dict[str, str]]:
    """Return {feature: {unit, short_desc}}."""
    return {
        name: {key: feature.get(key) or "" for key in ("unit", "short_desc")}
        for table in bucket["tables"]
        for name, feature in table["features"].items()
    }
