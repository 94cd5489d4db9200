"""Payloads of all features of a bucket, out of its table of resolved regions."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from brainpublish.files import digest_of_json, write_text
from brainpublish.findings import Finding
from brainpublish.regions.collect import feature_names
from brainpublish.regions.coverage import (
    region_findings,
    shortened,
    value_findings,
    visible,
)
from brainpublish.regions.mapping import build_operator
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
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    # pandas' own parser of numbers may be off in the last digit; Python's is not.
    return frame.assign(
        atlas_id=[int(text) for text in frame["atlas_id"]],
        value=[float(text) for text in frame["value"]],
        rows=[int(text) for text in frame["rows"]],
    )


def map_bucket(bucket: dict, frame: pd.DataFrame) -> tuple[dict[str, dict], list[Finding]]:
    """Return {feature: {regions, digest, payload}} and findings about what will be seen.

    `frame` has the columns of `collect.COLUMNS`. A feature that no view shows is left out.
    Features with equal lists of regions share one operator.
    """
    findings = tree_findings(bucket["name"], bucket.get("tree"), feature_names(bucket))
    described = _described(bucket)
    features: dict[str, dict] = {}
    for ids, tables in _by_regions(frame).items():
        operator, places = build_operator(ids), _places(next(iter(tables.values())))
        findings += region_findings(_where(bucket, tables), operator, places)
        for name, rows in tables.items():
            values = rows["value"].tolist()
            findings += value_findings(_where(bucket, [name]), places, values)
            if visible(operator):
                payload = feature_payload(operator.apply(values), values, **described[name])
                features[name] = _prepared(payload, len(values))
    return features, findings


def _by_regions(frame: pd.DataFrame) -> dict[tuple[int, ...], dict[str, pd.DataFrame]]:
    """Return {atlas ids: {feature: its rows}}."""
    grouped: dict[tuple[int, ...], dict[str, pd.DataFrame]] = {}
    for name, rows in frame.groupby("feature", sort=False):
        grouped.setdefault(tuple(rows["atlas_id"].tolist()), {})[name] = rows
    return grouped


def _where(bucket: dict, names: Iterable[str]) -> str:
    return f"bucket {bucket['name']}, {shortened(names)}"


def _prepared(payload: dict, regions: int) -> dict:
    return {"regions": regions, "digest": digest_of_json(payload), "payload": payload}


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
