"""The config: defaults, one plain sentence per problem, no secret shown, plain channels out."""

import copy
import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from brainpublish.config import ConfigError, channels_of, destination_of, load_config
from brainpublish.config_schema import key_paths, resolved
from brainpublish.findings import Refusal

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA = json.loads((CONFIG / "schemas" / "config.schema.json").read_text(encoding="utf-8"))
SHIPPED = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def load(raw):
    return load_config(raw, SCHEMA)


def problems_of(raw):
    with pytest.raises(ConfigError) as caught:
        load(raw)
    return caught.value.problems


def only_problem_of(raw):
    problems = problems_of(raw)
    assert len(problems) == 1, problems
    return problems[0]


def image(name="col/exp/image", **more):
    return {"name": name, "path": "slices", "pattern": "*.jp2", "dtype": "uint16"} | more


def annotation(name="col/exp/bone", **more):
    return {"name": name, "path": "masks", "pattern": "*.png"} | more


def volume(name="col/exp/image", **more):
    return {"voxel_size": [2, 2, 5.5], "voxel_unit": "micrometers", "image": image(name)} | more


def bucket(*features, **more):
    table = {"path": "t.csv", "regions": "acronym", "hemisphere": "left"}
    columns = {name: {"column": name} for name in features or ("rate",)}
    return {"tables": [table | {"features": columns}]} | more


def fish(**more):
    return {"volumes": {"fish": volume(**more)}}


# The schema itself


def test_the_schema_is_a_valid_one_and_describes_every_key():
    Draft202012Validator.check_schema(SCHEMA)
    assert [path for path, node in key_paths(SCHEMA).items() if "description" not in node] == []


def test_every_key_has_a_default_or_is_required():
    nodes = [SCHEMA, *SCHEMA["$defs"].values()]
    nodes += [node for node in SCHEMA["properties"].values() if "properties" in node]
    checked = 0
    for node in nodes:
        for key, below in node.get("properties", {}).items():
            has_default = "default" in resolved(below, SCHEMA)
            assert has_default != (key in node.get("required", ())), key
            checked += 1
    assert checked == len(key_paths(SCHEMA))


def test_defaults_are_valid_themselves():
    for path, node in key_paths(SCHEMA).items():
        if "default" in node:
            errors = Draft202012Validator({"$defs": SCHEMA["$defs"]} | node).iter_errors(
                node["default"]
            )
            assert list(errors) == [], path


# The shipped config and its description


def paths_in(value, at=""):
    """Yield the key paths of a config as `key_paths` names them."""
    free = at in ("volumes", "buckets") or at.endswith(".features")
    if isinstance(value, dict):
        for key, below in value.items():
            path = f"{at}.<id>" if free else f"{at}.{key}".lstrip(".")
            if not free:
                yield path
            if not path.endswith(".tree"):
                yield from paths_in(below, path)
    elif isinstance(value, list):
        for below in value:
            yield from paths_in(below, f"{at}[]")


def test_the_shipped_config_is_valid_and_shows_every_key():
    load(SHIPPED)
    shown = set(paths_in(SHIPPED))
    ends = (".values", ".statistics", ".points", "<id>.volume", ".scale", "<id>.fit")
    empty = [path for path in shown if path.endswith(ends)]
    inside = {path for path in key_paths(SCHEMA) if path.startswith(tuple(f"{e}." for e in empty))}
    assert len(empty) == 6
    assert shown | inside == set(key_paths(SCHEMA))


def test_the_shipped_config_shows_the_defaults():
    loaded = load({})
    for section in ("destination", "local", "bossdb", "atlas"):
        assert SHIPPED[section] == loaded[section]


def test_the_description_of_the_config_names_every_key_and_no_other():
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(key_paths(SCHEMA))


def test_the_description_of_the_config_gives_the_true_defaults():
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([^`]+)` \|[^|]*\| ([^|]+) \|", text, flags=re.MULTILINE))
    for path, node in key_paths(SCHEMA).items():
        if "default" not in node:
            assert told[path] == "required", path
        elif not isinstance(node["default"], dict | list) and node["default"] not in ("", None):
            shown = node["default"]
            shown = shown if isinstance(shown, str) else json.dumps(shown)
            assert told[path] == f"`{shown}`", path
        else:
            assert told[path] in ("none", "empty"), path


# Defaults and forms


def test_an_empty_config_gets_all_defaults_and_publishes_nothing():
    config = load({})
    assert config["volumes"] == config["buckets"] == {}
    assert channels_of(config) == {}
    assert config["bossdb"]["host"] == "api.bossdb.io"
    assert config["bossdb"]["verify"] == "full"


def test_keys_that_hold_nothing_count_as_absent():
    empty = yaml.safe_load("volumes:\nbuckets:\nbossdb:\nlocal:\natlas: {api: }\n")
    assert load(empty) == load({})
    assert load(fish(annotations=None, slab_depth=None)) == load(fish())


def test_defaults_reach_into_maps_and_lists():
    config = load(fish(annotations=[annotation()]) | {"buckets": {"b": bucket("rate")}})
    assert config["volumes"]["fish"]["slab_depth"] == "auto"
    assert config["volumes"]["fish"]["annotations"][0] == annotation() | {
        "dtype": "uint64",
        "kind": "auto",
        "label": 1,
        "threshold": "auto",
        "invert": False,
        "order": "auto",
        "gaps": "stop",
        "extra": "stop",
        "orientation": "stop",
        "waive": [],
        "channel": None,
        "colours": None,
        "adopt": False,
    }
    assert config["buckets"]["b"]["tree"] is None
    table = config["buckets"]["b"]["tables"][0]
    assert table["aggregate"] == "error"
    assert table["missing"] is None
    assert table["separator"] is None
    none = dict.fromkeys(("median", "std", "min", "max", "count", "uncertainty"))
    rate = {"column": "rate", "values": None, "unit": "", "short_desc": "", "statistics": none}
    rate["cmap"] = None
    assert table["features"]["rate"] == rate


def test_the_given_config_and_the_schema_stay_as_they_are():
    raw, schema = copy.deepcopy(SHIPPED), copy.deepcopy(SCHEMA)
    config = load_config(raw, schema)
    config["volumes"]["phantom"]["annotations"].clear()
    config["bossdb"]["host"] = "elsewhere"
    assert raw == SHIPPED
    assert schema == SCHEMA
    assert load({})["bossdb"]["host"] == "api.bossdb.io"


def test_the_schema_may_be_given_as_a_file():
    path = CONFIG / "schemas" / "config.schema.json"
    assert load_config(SHIPPED, path) == load_config(SHIPPED, str(path)) == load(SHIPPED)


def test_names_paths_and_addresses_take_one_form(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    raw = fish(
        image=image("bossdb://col/exp/image", path="~/slices"),
        annotations=[annotation("bossdb://col/exp/bone", path="masks/bone")],
    )
    raw |= {"local": {"store": "~/store"}, "atlas": {"api": "http://localhost:5000/api"}}
    raw |= {"buckets": {"b": bucket()}}
    raw["buckets"]["b"]["tables"][0]["path"] = "~nobody-of-that-name/t.csv"
    config = load(raw)
    assert config["volumes"]["fish"]["image"]["name"] == "col/exp/image"
    assert config["volumes"]["fish"]["image"]["path"] == "/home/ada/slices"
    assert config["volumes"]["fish"]["annotations"][0]["name"] == "col/exp/bone"
    assert config["volumes"]["fish"]["annotations"][0]["path"] == "masks/bone"
    assert config["local"]["store"] == "/home/ada/store"
    assert config["atlas"]["api"] == "http://localhost:5000/api/"
    assert config["buckets"]["b"]["tables"][0]["path"] == "~nobody-of-that-name/t.csv"


def test_sections_of_a_notebook_paste_in_as_the_description_shows():
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    channels = channels_of(load(yaml.safe_load(block)))["fish"]
    assert [*channels] == ["image", "bone"]
    assert channels["bone"]["name"] == "during2022/paddlefish43um/bone"


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


def mappings_with_fixed_keys(value, at=()):
    """Yield (path, mapping) of all mappings that allow no key of the user's own."""
    if isinstance(value, dict):
        if at[-1:] not in (("volumes",), ("buckets",), ("features",)):
            yield at, value
        for key, below in value.items():
            if key != "tree":
                yield from mappings_with_fixed_keys(below, (*at, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from mappings_with_fixed_keys(below, (*at, index))


def path_text(parts):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)[1:]


# Keys that must fit each other


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


# What comes out


def test_channels_are_plain_values_with_the_image_first():
    raw = fish(
        annotations=[
            annotation("col/exp/bone", dtype="uint32", threshold=100, label=7),
            annotation("col/other/rock", kind="labels", adopt=True),
        ]
    )
    channels = channels_of(load(raw))["fish"]
    assert [*channels] == ["image", "bone", "rock"]
    assert channels["image"] == {
        "volume": "fish",
        "channel": "image",
        "name": "col/exp/image",
        "collection": "col",
        "experiment": "exp",
        "frame": "CF_col_exp",
        "role": "image",
        "type": "image",
        "dtype": "uint16",
        "path": "slices",
        "pattern": "*.jp2",
        "order": "auto",
        "gaps": "stop",
        "orientation": "stop",
        "fit": None,
        "waive": [],
        "channel_of_file": None,
        "voxel_size": [2, 2, 5.5],
        "voxel_unit": "micrometers",
        "source": None,
        "adopt": False,
        "scale": None,
        "offset": 0,
    }
    bone, rock = channels["bone"], channels["rock"]
    assert [*bone] == [
        *(key for key in channels["image"] if key not in ("scale", "offset")),
        *("kind", "label", "threshold", "invert", "colours", "extra", "published_from"),
    ]
    assert bone["published_from"] == "uint32"
    assert [bone[key] for key in ("role", "type", "dtype")] == ["annotation"] * 2 + ["uint64"]
    assert [bone[key] for key in ("kind", "label", "threshold", "invert")] == [
        "auto",
        7,
        100,
        False,
    ]
    assert bone["source"] == "image"
    assert rock["source"] is None
    assert (bone["adopt"], rock["adopt"]) == (False, True)
    assert rock["frame"] == "CF_col_other"
    assert json.loads(json.dumps(channels)) == channels


def test_destinations():
    local = {"kind": "local", "store": "local-store"}
    assert destination_of(load({})) == {"bossdb": local, "atlas": local}
    remote = {"destination": "remote", "bossdb": {"protocol": "http", "host": "localhost:8000"}}
    assert destination_of(load(remote)) == {
        "bossdb": {"kind": "remote", "protocol": "http", "host": "localhost:8000"},
        "atlas": {
            "kind": "remote",
            "api": "https://features.internationalbrainlab.org/api/",
            "website": "https://atlas.internationalbrainlab.org/",
        },
    }


# Laws

WORD = st.text("abcXYZ019", min_size=1, max_size=6)
FOLDER = st.sampled_from(["data", "~/data", "/data/a b", "../x", "~"])
POSITIVE = st.floats(min_value=1e-6, max_value=1e6) | st.integers(1, 1000)


def some_of(required, **optional):
    """Mappings with all required keys and any of the optional ones, which may hold nothing."""
    return st.fixed_dictionaries(
        required, optional={key: st.none() | each for key, each in optional.items()}
    )


@st.composite
def volumes(draw, number):
    experiment = f"{draw(WORD)}/{number}-{draw(WORD)}"
    scheme = draw(st.sampled_from(["", "bossdb://"]))
    names = draw(st.lists(WORD, unique_by=str.casefold, min_size=1, max_size=3))
    slices = {"path": FOLDER, "pattern": st.sampled_from(["*.jp2", "s*.tif"])}
    name, *others = (st.just(f"{scheme}{experiment}/{each}") for each in names)
    annotations = [
        some_of(
            slices | {"name": other},
            dtype=st.sampled_from(["uint64", "uint32"]),
            kind=st.sampled_from(["auto", "binary", "labels"]),
            label=st.integers(1, 2**64 - 1),
            threshold=st.just("auto") | st.integers(0, 65535) | st.floats(0, 65535),
            invert=st.booleans(),
            adopt=st.booleans(),
        )
        for other in others
    ]
    return draw(
        some_of(
            {
                "voxel_size": st.tuples(*[POSITIVE] * 3).map(list),
                "voxel_unit": st.sampled_from(["nanometers", "centimeters"]),
                "image": st.fixed_dictionaries(
                    slices | {"name": name, "dtype": st.sampled_from(["uint8", "uint16"])}
                ),
            },
            slab_depth=st.just("auto") | st.integers(1, 9).map(lambda each: 16 * each),
            annotations=st.tuples(*annotations).map(list),
        )
    )


TREES = st.recursive(
    WORD, lambda below: st.dictionaries(WORD, below, min_size=1, max_size=3), max_leaves=5
).filter(lambda tree: isinstance(tree, dict))
FEATURES = st.lists(WORD, unique_by=str.casefold, min_size=1, max_size=3)


@st.composite
def buckets(draw):
    columns = {
        name: some_of({"column": WORD}, unit=WORD, short_desc=WORD) for name in draw(FEATURES)
    }
    table = some_of(
        {"path": FOLDER, "regions": WORD, "features": st.fixed_dictionaries(columns)},
        hemisphere=st.sampled_from(["left", "right", "both", "side"]),
        aggregate=st.sampled_from(["error", "mean", "max"]),
    )
    tables = {"tables": table.map(lambda each: [each])}
    return draw(some_of(tables, short_desc=WORD, long_desc=WORD, tree=TREES))


@st.composite
def valid_configs(draw):
    ids = draw(st.lists(WORD, unique=True, max_size=2))
    names = draw(st.lists(WORD.map("b-{}".format), unique=True, max_size=2))
    web = st.sampled_from(["http://localhost:5000", "https://x.org/api/", "https://x.org/api//"])
    return draw(
        some_of(
            {},
            destination=st.sampled_from(["local", "remote"]),
            local=some_of({}, store=FOLDER),
            bossdb=some_of(
                {},
                protocol=st.sampled_from(["http", "https"]),
                host=st.sampled_from(["localhost", "127.0.0.1:8765", "[::1]:80"]),
                connections=st.integers(1, 64),
                verify=st.sampled_from(["full", "sample", "none"]),
                sample_share=st.floats(0, 1, exclude_min=True),
                gate=st.sampled_from(["volume", "slab"]),
                downsample=st.booleans(),
                public=st.booleans(),
            ),
            atlas=some_of({}, api=web, website=web),
            volumes=st.fixed_dictionaries({key: volumes(i) for i, key in enumerate(ids)}),
            buckets=st.fixed_dictionaries({key: buckets() for key in names}),
        )
    )


LAW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(valid_configs())
def test_loading_a_loaded_config_changes_nothing(raw):
    once = load(raw)
    assert load(once) == once
    assert json.loads(json.dumps(once)) == once
    assert set(paths_in(once)) <= set(key_paths(SCHEMA))
    for volume_id, channels in channels_of(once).items():
        assert len(channels) == 1 + len(once["volumes"][volume_id]["annotations"])


@LAW
@given(valid_configs(), st.text("abcdefghijklmnop_", min_size=1, max_size=12), st.data())
def test_an_unknown_key_is_refused_with_its_path_anywhere(raw, key, data):
    raw = copy.deepcopy(raw)
    at, mapping = data.draw(st.sampled_from(list(mappings_with_fixed_keys(raw))))
    if key in {path.rpartition(".")[2] for path in key_paths(SCHEMA)}:
        key = f"{key}x"
    mapping[key] = {"deep": "never shown"}
    problem = only_problem_of(raw)
    assert problem.startswith(f"{path_text((*at, key))}: unknown key")
    assert "never shown" not in problem


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
