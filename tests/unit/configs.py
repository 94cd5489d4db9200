"""Help for the tests of the config: small configs, and what is wrong with them."""

import json
from pathlib import Path

import pytest
import yaml

from brainpublish.config import ConfigError, load_config

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
