"""Keys of a config that must fit each other."""

import pytest
from configs import (
    annotation,
    bucket,
    fish,
    image,
    load,
    only_problem_of,
    volume,
)

from brainpublish.config import ConfigError


def test_two_channels_of_one_name_in_any_volumes():
    raw = {"volumes": {"a": volume("c/e/image"), "b": volume("bossdb://C/E/Image")}}
    problem = only_problem_of(raw)
    assert problem.startswith('volumes.a.image.name and volumes.b.image.name: both are "c/e/image"')


def test_two_channels_of_a_volume_that_would_share_a_results_folder():
    problem = only_problem_of(fish(annotations=[annotation("other/exp/Image")]))
    assert 'both channels are called "image"' in problem
    two = {"a": volume("c/e1/image"), "b": volume("c/e2/image")}
    assert load({"volumes": two})["volumes"].keys() == {"a", "b"}


@pytest.mark.parametrize("change", [{"voxel_size": [2, 2, 5]}, {"voxel_unit": "nanometers"}])
def test_volumes_of_one_coordinate_frame_share_the_voxel_size(change):
    two = {"a": volume("c/e/one"), "b": volume("c/e/two")}
    load({"volumes": two})
    two["b"] |= change
    problem = only_problem_of({"volumes": two})
    assert problem.startswith("volumes.b and volumes.a: ")
    assert '"CF_c_e"' in problem


def test_two_experiments_may_not_meet_in_one_frame_name():
    two = {"a": volume("c_e/f/one"), "b": volume("c/e_f/two", voxel_size=[1, 1, 1])}
    assert '"CF_c_e_f"' in only_problem_of({"volumes": two})


def test_the_name_of_the_coordinate_frame_has_a_limit():
    assert load(fish(image=image(f"{'c' * 125}/{'e' * 126}/i")))
    problem = only_problem_of(fish(image=image(f"{'c' * 125}/{'e' * 127}/i")))
    assert "together they may have 251" in problem


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("x", "x_anything", True),
        ("anything_x", "x", True),
        ("x", "xy", False),
        ("x", "a_x_b", False),
        ("x-y", "x-y-z", False),
    ],
)
def test_buckets_that_the_service_confuses(one, other, alike):
    raw = {"buckets": {one: bucket("a"), other: bucket("a")}}
    if alike:
        assert only_problem_of(raw).startswith("buckets.x and ")
    else:
        load(raw)


def test_a_feature_has_one_table():
    tables = bucket("rate", "depth")["tables"] + bucket("Rate")["tables"]
    problem = only_problem_of({"buckets": {"b": {"tables": tables}}})
    assert problem.startswith('buckets.b.tables: the feature "rate" occurs 2 times')


@pytest.mark.parametrize(
    ("table", "feature", "says"),
    [
        ({"feature": "what"}, {}, "feature and value go together"),
        ({"value": "number"}, {}, "feature and value go together"),
        ({"aggregate": "weighted"}, {}, "weight and aggregate: weighted go together"),
        ({"weight": "n"}, {}, "weight and aggregate: weighted go together"),
        ({}, {"column": "c", "values": {"left": "l"}}, "give column or values, not both"),
        ({}, {"values": {"left": None}}, "names no column"),
        ({"feature": "w", "value": "n"}, {"values": {"left": "l"}}, "values is for wide tables"),
    ],
)
def test_keys_of_a_table_that_do_not_fit_are_told(table, feature, says):
    base = {"path": "t.csv", "regions": "acronym", "features": {"rate": feature}}
    raw = {"buckets": {"b": {"tables": [base | table]}}}
    assert says in only_problem_of(raw)


def test_a_feature_needs_no_column_of_its_own_name():
    base = {"path": "t.csv", "regions": "acronym", "features": {"rate": {}}}
    loaded = load({"buckets": {"b": {"tables": [base]}}})
    assert loaded["buckets"]["b"]["tables"][0]["features"]["rate"]["column"] is None


def test_points_and_volumes_are_features_like_others():
    points = {"path": "~/p.csv", "value": "v", "coordinate_unit": "mm"}
    raw = {"buckets": {"b": {"points": {"dots": points}, "volume": {"cells": {"path": "v.npy"}}}}}
    loaded = load(raw)["buckets"]["b"]
    assert loaded["points"]["dots"]["ball"] == 5
    assert not loaded["points"]["dots"]["path"].startswith("~")
    assert loaded["volume"]["cells"]["axes"] is None
    raw["buckets"]["b"]["volume"]["Dots"] = {"path": "v.npy"}
    assert "feature names must differ" in only_problem_of(raw)


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("points", {"ball": 4}, "an odd whole number"),
        ("points", {"coordinate_unit": "cm"}, "m, mm, um"),
        ("points", {"frame": "lambda"}, "bregma, ccf"),
        ("volume", {"axes": ["ap", "dv"]}, "each once"),
        ("volume", {"axes": ["ap", "dv", "x"]}, "volume.f.axes[2]"),
        ("volume", {"axes": ["ap", "-ap", "ml"]}, "names an axis twice"),
    ],
)
def test_wrong_keys_of_points_and_volumes(kind, change, says):
    base = (
        {"path": "p", "value": "v", "coordinate_unit": "mm"} if kind == "points" else {"path": "p"}
    )
    assert says in only_problem_of({"buckets": {"b": {kind: {"f": base | change}}}})


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"waive": ["SLICE_UNREADABLE"]}, '"SLICE_UNREADABLE" cannot be waived'),
        ({"waive": ["SLICE_ORIENTAION"]}, "cannot be waived; those that can: "),
        ({"scale": {"from": [1, 1], "to": [0, 9]}}, "both values are 1; they must differ"),
        ({"scale": {"from": [0, 1], "to": [0, 70000]}}, "uint16 takes 0 to 65535"),
        ({"scale": {"from": [0, 1], "to": [0, 9]}, "offset": 3}, "exclude each other"),
        ({"order": 0}, "which number of the name it is"),
        ({"gaps": "fill"}, "one of stop, close, black, repeat"),
        ({"channel": "cyan"}, "red, green, blue or alpha"),
    ],
)
def test_keys_about_slices_must_make_sense(keys, says):
    raw = fish()
    raw["volumes"]["fish"]["image"] |= keys
    assert says in only_problem_of(raw)


def test_the_side_is_said_once():
    features = {"rate": {"values": {"left": "l", "right": "r"}}}
    table = {"path": "t.csv", "regions": "acronym", "hemisphere": "left", "features": features}
    with pytest.raises(ConfigError, match="hemisphere and values both say the side"):
        load({"buckets": {"b": {"tables": [table]}}})
    load({"buckets": {"b": {"tables": [table | {"hemisphere": None}]}}})
    # Another feature of the table may need it.
    load({"buckets": {"b": {"tables": [table | {"features": features | {"n": {"column": "n"}}}]}}})
