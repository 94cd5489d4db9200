"""The schema, the shipped config and the description: each key in all of them."""

import json
import re

from configs import (
    CONFIG,
    SCHEMA,
    SHIPPED,
    load,
    paths_in,
)
from jsonschema import Draft202012Validator

from brainpublish.config_schema import key_paths, resolved

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
