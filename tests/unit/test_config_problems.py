"""What is wrong with a config: one plain sentence per problem, no secret shown."""

from datetime import date

import pytest
import yaml
from configs import (
    TOKEN,
    annotation,
    bucket,
    fish,
    image,
    load,
    only_problem_of,
    problems_of,
    volume,
)

from brainpublish.findings import Refusal

# Problems, in plain words


def test_all_problems_are_told_at_once():
    raw = {
        "destnation": "remote",
        "bossdb": {"connections": 0},
        "volumes": {
            "my fish": volume(voxel_unit="um", image=image(dtype="float32")),
            "b": volume("col/exp2/scan", annotations=[annotation("COL/EXP/IMAGE"), None]),
        },
        "buckets": {"x": bucket("a", "A"), "x_y": bucket(tree={})},
    }
    problems = problems_of(raw)
    for start in (
        "destnation:",
        "bossdb.connections:",
        "volumes: the key",
        "volumes.my fish.voxel_unit:",
        "volumes.my fish.image.dtype:",
        "volumes.b.annotations[1]:",
        "volumes.my fish.image.name and volumes.b.annotations[0].name:",
        "volumes.b and volumes.my fish: they share the coordinate frame",
        "buckets.x.tables:",
        "buckets.x_y.tree:",
        "buckets.x and buckets.x_y:",
    ):
        assert [text for text in problems if text.startswith(start)], start
    assert len(problems) == 11


def test_the_text_of_the_error_counts_and_lists_its_problems():
    with pytest.raises(Refusal) as caught:
        load(fish(slab_depth=17, voxel_unit="um"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "The config has 2 problems:"
    assert sorted(lines[1:]) == sorted(f"- {text}" for text in caught.value.problems)


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ({"voxel_size": [1, 1]}, "voxel_size", "found a list of 2, expected a list of three"),
        ({"voxel_size": [1, 0, 1]}, "voxel_size[1]", "found 0, expected a number, above 0"),
        ({"voxel_size": [1, 1, float("nan")]}, "voxel_size[2]", "found nan"),
        ({"voxel_size": [1, float("inf"), 1]}, "voxel_size[1]", "found inf"),
        ({"voxel_size": [1, 1, True]}, "voxel_size[2]", "found true"),
        ({"voxel_size": ["1e3", 1, 1]}, "voxel_size[0]", "like 1.0e+3"),
        ({"voxel_size": None}, "voxel_size", "found nothing"),
        ({"voxel_unit": "Micrometers"}, "voxel_unit", "one of nanometers, micrometers, "),
        ({"slab_depth": 24}, "slab_depth", "auto or a whole number, at least 16, a multiple of 16"),
        ({"slab_depth": 16.0}, "slab_depth", "found 16.0"),
        ({"image": image(dtype="uint32")}, "image.dtype", "expected one of uint8, uint16"),
        ({"image": image(path="")}, "image.path", 'found ""'),
        ({"image": image(path=2022)}, "image.path", "found 2022, expected text, not empty (put"),
        ({"image": image(path=date(2022, 2, 3))}, "image.path", "the date 2022-02-03"),
        ({"image": image(pattern="z/*.jp2")}, "image.pattern", "without a folder"),
        ({"image": image("col/exp")}, "image.name", "collection/experiment/channel"),
        ({"image": image("col/exp/ima ge")}, "image.name", "letters, digits, _ and -"),
        ({"image": image("col/exp/image\n")}, "image.name", "letters, digits, _ and -"),
        ({"image": image("col/exp/" + "x" * 256)}, "image.name", "1 to 255"),
        ({"annotations": {"a": 1}}, "annotations", "expected a list"),
        ({"annotations": [annotation(label=0)]}, "annotations[0].label", "at least 1"),
        ({"annotations": [annotation(label=2**64)]}, "annotations[0].label", "at most 1844"),
        ({"annotations": [annotation(label=1.5)]}, "annotations[0].label", "a whole number"),
        ({"annotations": [annotation(threshold=-1)]}, "annotations[0].threshold", "auto or a num"),
        ({"annotations": [annotation(dtype="uint8")]}, "annotations[0].dtype", "uint64, uint32"),
        ({"annotations": [annotation(kind=False)]}, "annotations[0].kind", "bare yes, no"),
        ({"annotations": [annotation(invert="no")]}, "annotations[0].invert", "true or false"),
    ],
)
def test_a_bad_value_of_a_volume(change, where, words):
    problem = only_problem_of(fish(**change))
    assert problem.startswith(f"volumes.fish.{where}: ")
    assert words in problem


@pytest.mark.parametrize(
    ("section", "change", "words"),
    [
        ("bossdb", {"host": "https://api.bossdb.io"}, "without https://"),
        ("bossdb", {"host": "api.bossdb.io/v1"}, "without a path"),
        ("bossdb", {"connections": "8"}, 'found "8", expected a whole number'),
        ("bossdb", {"connections": True}, "found true"),
        ("bossdb", {"verify": False}, "one of full, sample, none"),
        ("bossdb", {"sample_share": 0}, "above 0, at most 1"),
        ("bossdb", {"public": "yes"}, "true or false"),
        ("atlas", {"api": "features.internationalbrainlab.org"}, "https://"),
        ("local", {"store": 5}, "put it in quotes"),
    ],
)
def test_a_bad_value_of_a_service(section, change, words):
    problem = only_problem_of({section: change})
    assert problem.startswith(f"{section}.{next(iter(change))}: ")
    assert words in problem


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ibl-getting-started", True),
        ("9.b", True),
        ("x" * 100, True),
        ("x" * 101, False),
        ("bwm", False),
        ("bwm2", True),
        ("_x", False),
        ("a b", False),
        ("a/b", False),
        ("a,b", False),
        ("a*", False),
        ("ä", False),
        ("a\n", False),
    ],
)
def test_bucket_names(name, good):
    raw = {"buckets": {name: bucket()}}
    if good:
        assert name in load(raw)["buckets"]
    else:
        assert "is not a bucket name" in only_problem_of(raw)


@pytest.mark.parametrize("name", ["_hidden", "a/b", "a b", "é", "", "x" * 101])
def test_bad_feature_names(name):
    tables = bucket()["tables"]
    tables[0]["features"][name] = {"column": "x"}
    problem = only_problem_of({"buckets": {"b": {"tables": tables}}})
    assert problem.startswith("buckets.b.tables[0].features: the key")


@pytest.mark.parametrize("name", ["my fish", "a.b", "a/b", ""])
def test_bad_volume_ids(name):
    assert "is not a volume id" in only_problem_of({"volumes": {name: volume()}})


def test_a_tree_ends_in_feature_names_at_every_depth():
    good = bucket(tree={"A": {"B": {"C": "rate"}}, "D": "rate"})
    assert load({"buckets": {"b": good}})["buckets"]["b"]["tree"] == good["tree"]
    problem = only_problem_of({"buckets": {"b": bucket(tree={"A": {"B": 3}})}})
    assert problem.startswith("buckets.b.tree.A.B: found 3")
    assert "found a list of 1" in only_problem_of({"buckets": {"b": bucket(tree=["rate"])}})
    assert "an empty mapping" in only_problem_of({"buckets": {"b": bucket(tree={})}})


def test_what_is_missing_is_named_with_what_it_should_be():
    problems = problems_of({"volumes": {"fish": {"image": {}}}, "buckets": {"b": {}}})
    starts = {text.split(":")[0] for text in problems}
    image_keys = {f"volumes.fish.image.{key}" for key in ("name", "path", "pattern", "dtype")}
    assert starts == image_keys | {
        "volumes.fish.voxel_size",
        "volumes.fish.voxel_unit",
        "buckets.b.tables",
    }
    assert all(": missing, expected " in text for text in problems)


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_a_config_must_be_a_mapping(raw):
    assert "expected a mapping" in only_problem_of(raw)


@pytest.mark.parametrize(
    ("text", "where", "shown"),
    [
        ("volumes: {2022: {}}", "volumes: ", "the key 2022 is no text"),
        ("buckets: {b: {tables: [], tree: {no: x}}}", "buckets.b.tree: ", "the key false"),
        ("2022-02-03: x", "top level: ", "the date 2022-02-03"),
    ],
)
def test_keys_that_yaml_does_not_read_as_text(text, where, shown):
    problems = problems_of(yaml.safe_load(text))
    matches = [each for each in problems if each.startswith(where) and shown in each]
    assert len(matches) == 1
    assert matches[0].endswith("put it in quotes")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("lab/my fish/image", "lab/my_fish/image"),
        ("lab/fish.v2/image ", "lab/fish_v2/image"),
        ("läb/fish/image", "lab/fish/image"),
    ],
)
def test_a_name_that_is_not_allowed_gets_the_nearest_one(name, near):
    assert only_problem_of(fish(image=image(name=name))).endswith(f'; perhaps "{near}"')
    assert "perhaps" not in only_problem_of(fish(image=image(name="lab/fish")))


# Unknown keys and secrets


@pytest.mark.parametrize(
    ("raw", "where", "words"),
    [
        ({"volume": {}}, "volume", 'did you mean "volumes"?'),
        ({"bossdb": {"Host": "x"}}, "bossdb.Host", 'did you mean "host"?'),
        (fish(voxelsize=1), "volumes.fish.voxelsize", 'did you mean "voxel_size"?'),
        (
            fish(image=image(voxel_unit="nm")),
            "volumes.fish.image.voxel_unit",
            "it belongs to volumes.<id>.voxel_unit",
        ),
        (fish(surplus=1), "volumes.fish.surplus", "known here are voxel_size, voxel_unit, "),
    ],
)
def test_an_unknown_key_gets_a_suggestion(raw, where, words):
    problem = only_problem_of(raw)
    assert problem.startswith(f"{where}: unknown key")
    assert words in problem


@pytest.mark.parametrize(
    "key", ["token", "bucket_token", "api_key", "global_key", "globalKey", "Password", "secret"]
)
def test_a_key_for_a_secret_gets_the_environment_variables(key):
    for section in ("bossdb", "atlas"):
        problem = only_problem_of({section: {key: "short"}})
        assert problem.startswith(f"{section}.{key}: unknown key")
        assert "BOSSDB_TOKEN, ATLAS_GLOBAL_KEY or ATLAS_BUCKET_TOKEN" in problem
        assert '"short"' not in problem


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        f"Token {TOKEN}",
        f"https://x/?token={TOKEN[:8]}",
        "http://ada:lovelace@host/",
        "3f2b8c1e-8a44-4d5e-9f00-0a1b2c3d4e5f",
        "Zx_81-kQpLmN_oPq-RsTuVw_XyZ0aBcDeF-gHiJkLmN",
    ],
)
def test_a_secret_is_never_shown_wherever_it_is_put(secret):
    raws = [
        {"bossdb": {"host": f"{secret}/"}},
        {"bossdb": {"connections": secret}},
        {"destination": secret},
        {secret: 1},
        {"volumes": {f"{secret}!": volume()}},
        fish(image=image(f"a/b/{secret}!")),
        {"unknown": {"deep": [secret]}},
    ]
    for raw in raws:
        text = "\n".join(problems_of(raw))
        assert secret not in text
        assert "lovelace" not in text
        assert TOKEN not in text
