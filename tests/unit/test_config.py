"""The config: defaults and forms, plain channels and destinations out."""

import copy
import json
import re

import yaml
from configs import (
    CONFIG,
    SCHEMA,
    SHIPPED,
    annotation,
    bucket,
    fish,
    image,
    load,
)

from brainpublish.config import channels_of, destination_of, load_config

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
