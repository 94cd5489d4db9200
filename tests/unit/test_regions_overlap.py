"""A region given with regions inside it: found, refused, or expanded to what they leave."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpublish.regions.collect import COLUMNS
from brainpublish.regions.features import map_bucket
from brainpublish.regions.mapping import build_operator, own_voxels
from brainpublish.regions.overlap import expanded, overlaps
from brainpublish.regions.universe import signed_id, universe

REGIONS = universe().regions
INDEX = {region.acronym: region.index for region in REGIONS}
COUNT = len(REGIONS) - 1
inside = st.sampled_from([i for i in range(len(REGIONS)) if i not in universe().outside])


def shown(values, side="left", **section):
    """Map {acronym: value} and return what the Allen view shows by acronym, and the findings."""
    rows = [
        ("f", acronym, signed_id(REGIONS[INDEX[acronym]].atlas_id, side), side, value, 1, "", "t:2")
        for acronym, value in values.items()
    ]
    bucket = {"name": "b", "tables": [{"features": {"f": {}}, **section}]}
    frame = pd.DataFrame(rows, columns=list(COLUMNS[:8])).reindex(columns=list(COLUMNS))
    features, findings = map_bucket(bucket, frame)
    data = features["f"]["payload"]["feature_data"]["mappings"]["allen"]["data"]
    by_acronym = {REGIONS[(int(row) - 1) % COUNT + 1].acronym: data[row]["mean"] for row in data}
    about = ("REGION_OVERLAP", "REGION_EXPANDED")
    return by_acronym, [finding for finding in findings if finding.code in about]


def test_the_library_leaks_and_expansion_does_not():
    leaking, findings = shown({"TH": 20.0, "VPM": 10.0})
    assert (leaking["VPM"], leaking["VAL"], leaking["LP"]) == (10.0, 10.0, 20.0)
    assert [(f.severity, f.code) for f in findings] == [("warning", "REGION_OVERLAP")]
    clean, findings = shown({"TH": 20.0, "VPM": 10.0}, overlap="expand")
    assert (clean["VPM"], clean["VAL"], clean["LP"], clean["TH"]) == (10.0, 20.0, 20.0, 20.0)
    assert [(f.severity, f.code) for f in findings] == [("note", "REGION_EXPANDED")]


def test_overlap_can_be_refused():
    _, findings = shown({"TH": 20.0, "VPM": 10.0}, overlap="refuse")
    assert [(f.severity, f.code) for f in findings] == [("error", "REGION_OVERLAP")]
    _, findings = shown({"TH": 20.0, "CA1": 10.0}, overlap="refuse")
    assert findings == []


def test_nodes_can_mean_their_own_voxels():
    whole, _ = shown({"TH": 1.0})
    own, findings = shown({"TH": 1.0}, nodes="own")
    assert len(whole) > 50
    assert own == {"TH": 1.0}
    assert findings == []
    both, findings = shown({"TH": 20.0, "VPM": 10.0}, nodes="own")
    assert (both["TH"], both["VPM"]) == (20.0, 10.0)
    assert findings == [], "its own voxels hold no other region"
    assert len(own_voxels()) == 29


def test_sides_are_apart():
    places = [(INDEX["TH"], "left"), (INDEX["VPM"], "right")]
    assert overlaps(places, frozenset()) == {}
    assert expanded(places, own_voxels(), frozenset()) == [
        (signed_id(REGIONS[index].atlas_id, side), at) for at, (index, side) in enumerate(places)
    ]


def nearest(index, values):
    """Return the value of the innermost given region around a region, None if there is none."""
    line = (index, *universe().ancestors(index))
    return next((values[each] for each in line if each in values), None)


@settings(max_examples=8)
@given(st.lists(inside, min_size=2, max_size=30, unique=True), st.sampled_from(["left", "right"]))
def test_an_expanded_list_shows_each_region_the_innermost_value(indices, side):
    values = {index: float(n) for n, index in enumerate(indices)}
    places = [(index, side) for index in indices]
    parts = expanded(places, own_voxels(), frozenset())
    operator = build_operator([atlas_id for atlas_id, _ in parts])
    mapped = operator.after([at for _, at in parts], len(places)).apply(list(values.values()))
    for row, value in mapped["allen"].items():
        index = row - COUNT if side == "left" else row
        wanted = nearest(index, values)
        holds_given = any(index in universe().ancestors(each) for each in indices)
        if wanted is not None and not holds_given:
            assert value == wanted, REGIONS[index].acronym


@pytest.mark.parametrize("nodes", [frozenset(), frozenset(own_voxels())])
@settings(max_examples=30)
@given(indices=st.lists(inside, min_size=1, max_size=60, unique=True))
def test_an_expanded_list_overlaps_nowhere_and_loses_no_covered_place(indices, nodes):
    own = own_voxels()
    places = [(index, "left") for index in indices]
    parts = expanded(places, own, nodes)
    assert len({atlas_id for atlas_id, _ in parts}) == len(parts)
    by_own = {atlas_id: index for index, atlas_id in own.items()}
    by_id = {region.atlas_id: region.index for region in REGIONS}
    whole = [(by_id[-i], "left") for i, _ in parts if -i not in by_own]
    alone = [(by_own[-i], "left") for i, _ in parts if -i in by_own]
    assert overlaps(whole, frozenset()) == {}
    assert not set(overlaps([*whole, *alone], frozenset(index for index, _ in alone))) & set(alone)
    for atlas_id, at in parts:
        index = by_own.get(-atlas_id, by_id.get(-atlas_id))
        assert indices[at] in (index, *universe().ancestors(index))
