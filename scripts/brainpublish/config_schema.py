"""The config's JSON Schema at work: its keys, its defaults, and its errors in plain words."""

import datetime
import difflib
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

SECRET_KEY = re.compile(r"token|passw|secret|credential|(?<![a-z])(?:api|global)?keys?(?![a-z])")
SECRET_VALUE = re.compile(
    r"(?=[^\W_]*\d)(?=[^\W_]*[A-Za-z])[A-Za-z0-9]{20,}"
    r"|(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{32,}"
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|://\S*[@?]"
)
SECRET_ADVICE = (
    "tokens are never written in the config: set the environment variable BOSSDB_TOKEN, "
    "ATLAS_GLOBAL_KEY or ATLAS_BUCKET_TOKEN instead"
)
NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?")
PLAIN_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "nothing",
}


def key_paths(schema: Mapping) -> dict[str, Mapping]:
    """Return every key that a config may have, by its path: `volumes.<id>.image.dtype`.

    Maps with free keys have `<id>` in the place of the key, lists have `[]`.
    """
    return dict(_key_paths(schema, schema, "", ()))


def _key_paths(node: Mapping, root: Mapping, at: str, above: tuple) -> Iterator:
    node = resolved(node, root)
    if any(node is each for each in above):
        return  # a tree's labels nest without end
    above = (*above, node)
    for key, below in node.get("properties", {}).items():
        where = f"{at}.{key}" if at else key
        yield where, resolved(below, root)
        yield from _key_paths(below, root, where, above)
    if isinstance(node.get("additionalProperties"), Mapping):
        yield from _key_paths(node["additionalProperties"], root, f"{at}.<id>", above)
    if "items" in node:
        yield from _key_paths(node["items"], root, f"{at}[]", above)


def resolved(node: Mapping, root: Mapping) -> Mapping:
    """Follow a reference into the schema's `$defs`."""
    while "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def plain(value: Any, problems: list[str], at: tuple = ()) -> Any:
    """Copy nested mappings and lists; keys that YAML did not read as text are problems."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                text = f"the key {found(key)} is no text: put it in quotes"
                problems.append(f"{where_text(at) or 'top level'}: {text}")
        return {str(key): plain(each, problems, (*at, str(key))) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, problems, (*at, index)) for index, each in enumerate(value)]
    return value


def filled(value: Any, root: Mapping, node: Mapping | None = None) -> Any:
    """Fill defaults in, at every depth, also for keys that are there but hold nothing."""
    node = root if node is None else resolved(node, root)
    if isinstance(value, list):
        return [filled(each, root, node.get("items", {})) for each in value]
    if not isinstance(value, dict):
        return value
    known = node.get("properties", {})
    whole = {}
    for key, below in known.items():
        given = value.get(key)
        if given is None and "default" in resolved(below, root):
            given = deepcopy(resolved(below, root)["default"])
        elif key not in value:
            continue
        whole[key] = filled(given, root, below)
    free = node.get("additionalProperties")
    free = free if isinstance(free, Mapping) else {}
    return whole | {key: filled(value[key], root, free) for key in value if key not in known}


def _is_number(_, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _is_integer(_, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def schema_problems(config: dict, schema: Mapping) -> list[str]:
    """Return a sentence for each place where a config with its defaults breaks the schema."""
    errors = sorted(
        _Validator(schema).iter_errors(config),
        key=lambda error: [str(part) for part in error.absolute_path],
    )
    return [text for error in errors for text in _problems_of(error, schema)]


def _problems_of(error: ValidationError, root: Mapping) -> list[str]:
    at = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        shown = found(error.instance)
        return [f"{where_text(at)}: the key {shown} is not {_expected(error.schema, root)}"]
    if error.validator == "additionalProperties":
        unknown = [key for key in error.instance if key not in error.schema["properties"]]
        return [f"{where_text((*at, key))}: {_unknown(key, error.schema, root)}" for key in unknown]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [
            f"{where_text((*at, key))}: missing, expected "
            f"{_expected(error.schema['properties'][key], root)}"
            for key in missing
        ]
    expected = _expected(error.schema, root)
    hint = _hint(error.instance, error.schema)
    return [f"{where_text(at)}: found {found(error.instance)}, expected {expected}{hint}"]


def _unknown(key: str, node: Mapping, root: Mapping) -> str:
    if SECRET_KEY.search(key.lower()):
        return f"unknown key; {SECRET_ADVICE}"
    near = difflib.get_close_matches(key.lower(), node["properties"], n=1)
    if near:
        return f'unknown key; did you mean "{near[0]}"?'
    elsewhere = [path for path in key_paths(root) if f".{path}".endswith(f".{key}")]
    if elsewhere:
        return f"unknown key here; it belongs to {' or '.join(elsewhere)}"
    return f"unknown key; known here are {', '.join(node['properties'])}"


def where_text(parts: Iterable[str | int]) -> str:
    """Return a key's path as text: `volumes.fish.annotations[0].name`; lists count from 0."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = "(not shown)" if SECRET_VALUE.search(part) else part
            text += f".{shown}" if text else shown
    return text


def found(value: Any) -> str:
    """Say what a value is, without showing what may be a token."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping of keys to values" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, datetime.date):
        return f"the date {value}"
    text = str(value)
    if SECRET_VALUE.search(text):
        return f"a text of {len(text)} characters that looks like a token (not shown)"
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return json.dumps(shown, ensure_ascii=False) if isinstance(value, str) else shown


def _expected(node: Mapping, root: Mapping) -> str:
    """Say in words what a part of the schema asks for."""
    node = resolved(node, root)
    if "title" in node:
        return node["title"]
    if "enum" in node:
        return f"one of {', '.join(node['enum'])}"
    if "const" in node:
        return node["const"]
    if "anyOf" in node:
        return " or ".join(_expected(each, root) for each in node["anyOf"])
    limits = [
        text.format(node[key])
        for key, text in (
            ("minLength", "not empty"),
            ("minItems", "not empty"),
            ("minProperties", "not empty"),
            ("exclusiveMinimum", "above {}"),
            ("minimum", "at least {}"),
            ("maximum", "at most {}"),
            ("multipleOf", "a multiple of {}"),
        )
        if key in node
    ]
    return ", ".join([PLAIN_TYPES[node["type"]], *limits])


def _hint(value: Any, node: Mapping) -> str:
    wants_text = node.get("type") == "string" or "enum" in node
    if isinstance(value, bool) and wants_text:
        return " (YAML reads a bare yes, no, on or off as true or false: put it in quotes)"
    if isinstance(value, int | float | datetime.date) and node.get("type") == "string":
        return " (put it in quotes)"
    if isinstance(value, str) and not wants_text and NUMBER.fullmatch(value):
        return " (write numbers without quotes, and large or small ones like 1.0e+3)"
    if isinstance(value, str) and (near := _allowed_name(value, node)):
        return f"; perhaps {found(near)}"
    return ""


def _allowed_name(value: str, node: Mapping) -> str:
    """Return the nearest text that a pattern of names allows, empty if there is none."""
    letters = unicodedata.normalize("NFKD", value.strip())
    plain_letters = "".join(each for each in letters if not unicodedata.combining(each))
    near = re.sub(r"[^A-Za-z0-9_/:-]+", "_", plain_letters)
    fits = near != value and node.get("pattern") and re.search(node["pattern"], near)
    return near if fits else ""
