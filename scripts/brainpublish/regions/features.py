"""Payloads of all features of a bucket, out of its table of resolved regions."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import pandas as pd

from brainpublish.files import digest_of_json
from brainpublish.findings import Finding
from brainpublish.regions.aggregate import STATISTICS
from brainpublish.regions.coverage import (
    AS_IS,
    EXPAND,
    coverage,
    grey,
    node_findings,
    overlap_findings,
    shortened,
    value_findings,
    visibility_findings,
    visible,
)
from brainpublish.regions.mapping import Operator, build_operator, own_voxels
from brainpublish.regions.overlap import Place, expanded, overlaps
from brainpublish.regions.payload import feature_payload
from brainpublish.regions.tree import feature_names, tree_findings
from brainpublish.regions.universe import MAPPINGS, signed_id, universe

WHOLE, OWN = "whole", "own"


def map_bucket(bucket: dict, frame: pd.DataFrame) -> tuple[dict[str, dict], list[Finding]]:
    """Return {feature: {regions, digest, coverage, payload}} and findings about what is seen.

    `frame` has the columns of `collect.COLUMNS`. A feature that no view shows is left out.
    Features with equal lists of regions share one operator.
    """
    findings = tree_findings(bucket["name"], bucket.get("tree"), feature_names(bucket))
    sections = {name: table for table in bucket["tables"] for name in table["features"]}
    grouped = _by_regions(frame, sections)
    of_table = _places_of_tables(grouped, sections)
    beside = [name for name in STATISTICS if frame[name].notna().any()]
    features: dict[str, dict] = {}
    for key, tables in grouped.items():
        where, places = _where(bucket, tables), _places(next(iter(tables.values())))
        operator, said = _operator(where, places, *key[1:])
        findings += said
        is_visible = visible(operator)
        covered: dict[int, dict] = {}
        for name, rows in tables.items():
            table = id(sections[name])
            if table not in covered:
                covered[table] = coverage(operator, places, of_table[table])
            values = rows["value"].tolist()
            texts = _texts(sections[name]["features"][name])
            named = sections[name].get("missing") is not None
            where = _where(bucket, [name])
            findings += value_findings(where, places, values, texts["unit"], named)
            if is_visible:
                cmap = sections[name]["features"][name].get("cmap")
                mapped = _mapped(operator, rows, beside)
                payload = feature_payload(mapped, values, **texts, cmap=cmap)
                features[name] = {
                    "regions": len(values),
                    "digest": digest_of_json(payload),
                    "coverage": {**covered[table], "zero": grey(places, values)},
                    "payload": payload,
                }
    return features, findings


def _mapped(
    operator: Operator, rows: pd.DataFrame, beside: Sequence[str]
) -> dict[str, dict[str, dict[int, float]]]:
    """Return {statistic: {mapping: {table row: value}}} of one feature.

    `beside` are the statistics that any feature of the bucket has.
    """
    there = [name for name in beside if rows[name].notna().any()]
    return {
        "mean": operator.apply(rows["value"].tolist()),
        **{name: operator.carry(rows[name].tolist()) for name in there},
    }


def _by_regions(
    frame: pd.DataFrame, sections: dict[str, dict]
) -> dict[tuple, dict[str, pd.DataFrame]]:
    """Return {(atlas ids, overlap, nodes): {feature: its rows}}."""
    grouped: dict[tuple, dict[str, pd.DataFrame]] = {}
    for name, rows in frame.groupby("feature", sort=False):
        section = sections[name]
        ways = section.get("overlap", AS_IS), section.get("nodes", WHOLE)
        grouped.setdefault((tuple(rows["atlas_id"].tolist()), *ways), {})[name] = rows
    return grouped


def _places_of_tables(
    grouped: dict[tuple, dict[str, pd.DataFrame]], sections: dict[str, dict]
) -> dict[int, Sequence[Place]]:
    """Return {id of a table's section: the places that any of its features has a value for}."""
    of_table: dict[int, dict[Place, None]] = {}
    for tables in grouped.values():
        places = dict.fromkeys(_places(next(iter(tables.values()))))
        for table in {id(sections[name]) for name in tables}:
            of_table.setdefault(table, {}).update(places)
    return {key: list(places) for key, places in of_table.items()}


def coverage_table(features: Mapping[str, dict]) -> pd.DataFrame:
    """Return the coverage of features as a table: one row each, lists of acronyms as text."""
    rows = []
    for name, feature in features.items():
        held = feature["coverage"]
        drawn = {f"drawn_{view}": count for view, count in held["drawn"].items()}
        root = {f"root_{view}": ", ".join(each) for view, each in held["root"].items()}
        lists = {key: ", ".join(held[key]) for key in ("missing", "nowhere", "zero")}
        rows.append({"feature": name, "given": held["given"], **drawn, **root, **lists})
    columns = ["feature", "given", *(f"drawn_{view}" for view in MAPPINGS), "root_beryl"]
    return pd.DataFrame(rows, columns=[*columns, "root_cosmos", "missing", "nowhere", "zero"])


def _operator(
    where: str, places: Sequence[Place], overlap: str, nodes: str
) -> tuple[Operator, list[Finding]]:
    """Return the operator of a list of places, and what is said about the list.

    `nodes` is whole or own: whether a region that is both node and leaf means all of it or
    its own voxels alone.
    """
    own = own_voxels()
    single = own if nodes == OWN else {}
    below = overlaps(places, frozenset(single))
    if overlap == EXPAND:
        parts = expanded(places, own, frozenset(single))
    else:
        parts = [(_signed_id(place, single), i) for i, place in enumerate(places)]
    operator = build_operator([atlas_id for atlas_id, _ in parts])
    operator = operator.after([position for _, position in parts], len(places))
    return operator, [
        *overlap_findings(where, below, overlap, operator, places),
        *([] if single or overlap == EXPAND else node_findings(where, places, own)),
        *visibility_findings(where, operator, places),
    ]


def _signed_id(place: Place, own: dict[int, int]) -> int:
    index, side = place
    return signed_id(own.get(index, universe().regions[index].atlas_id), side)


def _where(bucket: dict, names: Iterable[str]) -> str:
    return f"bucket {bucket['name']}, {shortened(names)}"


def _places(rows: pd.DataFrame) -> Sequence[tuple[int, str]]:
    return [
        (_indices()[acronym], side)
        for acronym, side in zip(rows["acronym"], rows["hemisphere"], strict=True)
    ]


@cache
def _indices() -> dict[str, int]:
    return {region.acronym: region.index for region in universe().regions}


def _texts(feature: dict) -> dict[str, str]:
    return {key: feature.get(key) or "" for key in ("unit", "short_desc")}
