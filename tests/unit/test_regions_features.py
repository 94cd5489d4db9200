"""Payloads as the website reads them, and what is said about what will be seen."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from iblbrainviewer.api import make_features_payload
from iblbrainviewer.mappings import RegionMapper

from brainpublish.files import digest_of_json, json_text
from brainpublish.regions.collect import COLUMNS
from brainpublish.regions.features import map_bucket
from brainpublish.regions.payload import feature_payload, histogram
from brainpublish.regions.tree import tree_findings
from brainpublish.regions.universe import signed_id, universe

IDS = {region.acronym: region.atlas_id for region in universe().regions}
GETTING_STARTED = {"MOp1": 1.2, "MOs5": 3.4, "AAA": 0.0, "ACAd2/3": 0.1}
numbers = st.floats(-1e300, 1e300)


def table(side="left", **features):
    """Return resolved regions of features given as {acronym: value}."""
    rows = [
        (name, acronym, signed_id(IDS[acronym], side), side, float(value), 1, "", "t.csv:2")
        for name, values in features.items()
        for acronym, value in values.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[:8])).reindex(columns=list(COLUMNS))


def bucket(*names, tree=None):
    features = {name: {"column": name, "unit": "Hz", "short_desc": ""} for name in names}
    return {"name": "b", "tables": [{"features": features}], "tree": tree}


VIEW_NOTES = ("REGION_HIDDEN_IN_VIEW", "VIEW_OF_ONE_REGION")


def codes(findings):
    return [(each.severity, each.code) for each in findings if each.code not in VIEW_NOTES]


def test_getting_started_has_what_the_client_sends_and_what_the_site_misses():
    features, findings = map_bucket(bucket("rate"), table(rate=GETTING_STARTED))
    assert codes(findings) == [("note", "VALUE_ZERO")]
    payload = features["rate"]["payload"]
    assert features["rate"]["regions"] == 4
    assert payload["unit"] == "Hz"
    assert payload["short_desc"] == ""
    ids = np.array([-IDS[acronym] for acronym in GETTING_STARTED])
    mapped = RegionMapper(ids, np.array(list(GETTING_STARTED.values()))).map_regions()
    client = make_features_payload("rate", mapped)["feature_data"]["mappings"]
    client = json.loads(json.dumps(client))
    ours = payload["feature_data"]["mappings"]
    for name in ("allen", "beryl", "cosmos"):
        assert ours[name]["data"].keys() == client[name]["data"].keys()
        for row, value in client[name]["data"].items():
            assert ours[name]["data"][row]["mean"] == pytest.approx(value["mean"], abs=1e-12)
        assert ours[name]["statistics"]["mean"] == pytest.approx(client[name]["statistics"]["mean"])
    shown = payload["feature_data"]["histogram"]
    assert (shown["vmin"], shown["vmax"], shown["total_count"]) == (0.0, 3.4, 4)
    assert len(shown["counts"]) == 50


def test_void_and_root_are_in_no_statistics():
    mapped = {"allen": {2: 1.0, 3: 2.0}, "beryl": {0: 50.0, 1: 99.0, 5: 3.0}, "cosmos": {1: 9.0}}
    data = feature_payload({"mean": mapped}, [1.0, 2.0])["feature_data"]["mappings"]
    assert data["beryl"]["data"]["1"] == {"mean": 99.0}
    expected = {"min": 3.0, "max": 3.0, "mean": 3.0, "median": 3.0}
    assert data["beryl"]["statistics"]["mean"] == expected
    assert data["cosmos"]["statistics"]["mean"] == {}


@given(st.lists(numbers, min_size=1, max_size=200))
def test_the_histogram_counts_every_value_in_a_finite_range(values):
    shown = histogram(values)
    assert shown["vmin"] <= min(values)
    assert shown["vmax"] >= max(values)
    assert shown["vmin"] < shown["vmax"]
    assert shown["total_count"] == sum(shown["counts"]) == len(values)
    assert len(shown["counts"]) == 50
    assert np.isfinite([shown["vmin"], shown["vmax"]]).all()


def test_payloads_are_deterministic():
    first, _ = map_bucket(bucket("rate"), table(rate=GETTING_STARTED))
    again, _ = map_bucket(bucket("rate"), table(rate=GETTING_STARTED))
    assert json_text(first) == json_text(again)
    assert first["rate"]["digest"] == digest_of_json(
        json.loads(json_text(first["rate"]["payload"]))
    )


def test_a_missing_value_is_its_own_list_of_regions():
    few = {"MOp1": 1.0, "AAA": 2.0}
    features, _ = map_bucket(bucket("a", "b"), table(a=GETTING_STARTED, b=few))
    data = features["b"]["payload"]["feature_data"]["mappings"]["allen"]["data"]
    assert data == {"1346": {"mean": 1.0}, "1347": {"mean": 1.0}, "1921": {"mean": 2.0}}
    assert features["a"]["regions"] == 4


def test_overlap_is_told_once_for_features_of_the_same_regions():
    values = {"TH": 20, "VPM": 10, "AAA": 1}
    _, findings = map_bucket(bucket("a", "b"), table(a=values, b=values))
    assert codes(findings) == [("warning", "REGION_OVERLAP"), ("note", "REGION_NODE_OR_LEAF")]
    assert findings[0].where == "bucket b, a, b"
    assert findings[0].message == (
        "TH (left) with VPM: in Allen VAL, VM, VPL, VPLpc, VPMpc, PoT and 11 more take the value "
        "of VPM, in Beryl root is TH, in Cosmos TH is the mean of TH, VPM"
    )
    _, findings = map_bucket(bucket("a"), table(a={"MOp": 10, "MOp1": 0, "MOp5": 0}))
    assert findings[0].message == (
        "MOp (left) with MOp1, MOp5: in Allen each keeps its own value, in Beryl MOp is the mean "
        "of MOp, MOp1, MOp5, in Cosmos Isocortex is the mean of MOp, MOp1, MOp5"
    )


def test_regions_on_two_sides_do_not_overlap():
    frame = pd.concat([table("left", a={"TH": 1}), table("right", a={"VPM": 2})])
    _, findings = map_bucket(bucket("a"), frame)
    assert codes(findings) == [("note", "REGION_NODE_OR_LEAF")]


def test_a_feature_of_invisible_regions_is_an_error_and_has_no_payload():
    invisible = {"aot": 1.0}
    features, findings = map_bucket(bucket("a"), table(a=invisible))
    assert codes(findings) == [("error", "FEATURE_INVISIBLE")]
    assert "aot" in findings[0].message
    assert features == {}
    features, findings = map_bucket(bucket("a"), table(a={**invisible, "CA1": 2}))
    assert codes(findings) == [("note", "REGION_INVISIBLE")]
    assert features.keys() == {"a"}


def test_views_that_hide_a_region_or_have_one_alone_are_told():
    _, findings = map_bucket(bucket("a"), table(a={"TH": 1, "ACA2/3": 2, "CA1": 3}))
    notes = [(each.code, each.message) for each in findings if each.code in VIEW_NOTES]
    assert notes == [
        ("REGION_HIDDEN_IN_VIEW", "allen: 1 of 3: ACA2/3"),
        ("REGION_HIDDEN_IN_VIEW", "beryl: 2 of 3: TH, ACA2/3"),
        ("VIEW_OF_ONE_REGION", "beryl"),
    ]


def test_equal_values_and_zeros_are_told():
    _, findings = map_bucket(bucket("a"), table(a={"CA1": 0, "MOp1": 0}))
    assert codes(findings) == [("note", "VALUE_ZERO"), ("warning", "FEATURE_CONSTANT")]


@pytest.mark.parametrize(
    ("values", "suspect"),
    [
        ([1, 2, -999, -999], True),
        ([1, 2, -999], False),
        ([-1200, 3, -999, -999], False),
        ([-5, 3, -999, -999], True),
        ([1, 3, 9999, 9999], True),
        ([-999, -999], False),
    ],
)
def test_a_code_for_missing_is_suspected(values, suspect):
    regions = ("CA1", "MOp1", "AAA", "VISa1")
    given_values = dict(zip(regions, values, strict=False))
    _, findings = map_bucket(bucket("a"), table(a=given_values))
    assert (("error", "VALUE_CODE") in codes(findings)) is suspect


def test_no_rows_give_no_payload():
    features, findings = map_bucket(bucket("a"), table())
    assert (features, findings) == ({}, [])


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (None, []),
        ({"A": "a", "Group": {"B": "b"}}, []),
        ({"A": "a"}, [("warning", "FEATURE_NOT_IN_TREE")]),
        ({"A": "a", "B": "b", "C": "c"}, [("error", "TREE_LEAF_UNKNOWN")]),
        ({"A": "a", "B": "b", "C": {"again": "a"}}, [("warning", "TREE_LEAF_TWICE")]),
        ({}, [("error", "TREE_EMPTY")]),
        ({"Group": {}}, [("error", "TREE_EMPTY")]),
        ({"A": "x"}, [("error", "TREE_LEAF_UNKNOWN"), ("error", "TREE_EMPTY")]),
    ],
)
def test_leaves_and_features_are_held_against_each_other(tree, expected):
    assert codes(tree_findings("b", tree, ["a", "b"])) == expected


def test_a_statistic_goes_where_a_drawn_value_is_one_given_value():
    frame = table(a={"AONd": 1.0, "AONe": 4.0, "VISa": 2.0})
    frame["std"] = [0.1, 0.4, 0.2]
    frame["count"] = [float("nan"), 3.0, float("nan")]
    features, _ = map_bucket(bucket("a"), frame)
    mapping = features["a"]["payload"]["feature_data"]["mappings"]["allen"]
    drawn = {
        universe().regions[int(row) - 1327].acronym: mapping["data"][row] for row in mapping["data"]
    }
    assert drawn["AON"] == {"mean": 2.5}, "a mean of two values has no known spread"
    assert drawn["VISa"] == drawn["VISa1"] == {"mean": 2.0, "std": 0.2}
    assert mapping["statistics"]["std"]["max"] == 0.2
    assert mapping["statistics"]["count"] == {}
    json_text(features)
