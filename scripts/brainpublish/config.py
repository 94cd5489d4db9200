"""The config: checked against its JSON Schema and in itself, all problems told at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from brainpublish.config_checks import BOSSDB_SCHEME, cross_problems, frame_name
from brainpublish.config_schema import filled, found, plain, schema_problems
from brainpublish.files import read_json
from brainpublish.findings import Refusal


class ConfigError(Refusal):
    """A config with problems. `problems` holds one plain sentence each; the text shows all."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(dict.fromkeys(problems))
        count = len(self.problems)
        title = "The config has a problem" if count == 1 else f"The config has {count} problems"
        super().__init__("\n".join([f"{title}:", *(f"- {text}" for text in self.problems)]))


def load_config(raw: Mapping, schema: Mapping | str | Path) -> dict:
    """Check a config and return it whole: a new dictionary with every default filled in.

    Names lose a leading bossdb://, a leading ~ of a path becomes the home folder (other
    relative paths stay relative), web addresses end in a slash. Loading the result again
    changes nothing.

    Args:
        raw: what the YAML file holds.
        schema: the JSON Schema, or the path of its file.

    Raises:
        ConfigError: with everything that is wrong, here and between keys.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError([f"found {found(raw)}, expected a mapping of keys to values"])
    if not isinstance(schema, Mapping):
        schema = read_json(schema)
    problems: list[str] = []
    config = filled(plain(raw, problems), schema)
    problems += schema_problems(config, schema)
    problems += cross_problems(config)
    if problems:
        raise ConfigError(problems)
    return _normalised(config)


def channels_of(config: Mapping) -> dict[str, dict[str, dict]]:
    """Return volume id -> channel -> all that its jobs need to know, as plain JSON values.

    `config` is a loaded one. The key of a channel is the last part of its name; the image
    comes first. `dtype` is the type on BossDB, where uint32 labels become uint64; an annotation's
    `published_from` is the one that the config names.
    """
    return {
        volume_id: {
            channel["channel"]: channel
            for channel in (
                _image_of(volume_id, volume),
                *(_annotation_of(volume_id, volume, section) for section in volume["annotations"]),
            )
        }
        for volume_id, volume in config["volumes"].items()
    }


def resource_section(channel: Mapping) -> dict:
    """Return what of a channel's settings its resources on BossDB are made of."""
    names = ("name", "collection", "experiment", "channel", "frame", "source")
    facts = ("type", "dtype", "voxel_size", "voxel_unit", "adopt")
    return {key: channel[key] for key in names + facts}


def destination_of(config: Mapping) -> dict[str, dict[str, str]]:
    """Return where the two services are: {"bossdb": {"kind": ...}, "atlas": {"kind": ...}}.

    Local services have a `store`; remote ones a `protocol` and `host`, or `api` and `website`.
    """
    if config["destination"] == "local":
        local = {"kind": "local", "store": config["local"]["store"]}
        return {"bossdb": local, "atlas": dict(local)}
    bossdb, atlas = config["bossdb"], config["atlas"]
    return {
        "bossdb": {"kind": "remote", "protocol": bossdb["protocol"], "host": bossdb["host"]},
        "atlas": {"kind": "remote", "api": atlas["api"], "website": atlas["website"]},
    }


def _image_of(volume_id: str, volume: Mapping) -> dict:
    image = volume["image"]
    channel = _channel_of(volume_id, volume, image, "image", image["dtype"], None)
    return channel | {key: image[key] for key in ("scale", "offset")}


def _annotation_of(volume_id: str, volume: Mapping, section: Mapping) -> dict:
    image, own = volume["image"]["name"].split("/"), section["name"].split("/")
    source = image[2] if image[:2] == own[:2] else None
    channel = _channel_of(volume_id, volume, section, "annotation", "uint64", source)
    rule = {
        key: section[key] for key in ("kind", "label", "threshold", "invert", "colours", "extra")
    }
    return channel | rule | {"published_from": section["dtype"]}


def _channel_of(volume_id, volume, section, role, dtype, source) -> dict:
    collection, experiment, channel = section["name"].split("/")
    return {
        "volume": volume_id,
        "channel": channel,
        "name": section["name"],
        "collection": collection,
        "experiment": experiment,
        "frame": frame_name(collection, experiment),
        "role": role,
        "type": role,
        "dtype": dtype,
        "path": section["path"],
        "pattern": section["pattern"],
        "order": section["order"],
        "gaps": section["gaps"],
        "orientation": section["orientation"],
        "fit": volume["fit"],
        "waive": section["waive"],
        "channel_of_file": section["channel"],
        "voxel_size": list(volume["voxel_size"]),
        "voxel_unit": volume["voxel_unit"],
        "source": source,
        "adopt": section["adopt"],
    }


def _normalised(config: dict) -> dict:
    """Bring names, paths and addresses of a valid config into their one form, in place."""
    config["local"]["store"] = _expanded(config["local"]["store"])
    for key in ("api", "website"):
        config["atlas"][key] = config["atlas"][key].rstrip("/") + "/"
    for volume in config["volumes"].values():
        for section in (volume["image"], *volume["annotations"]):
            section["name"] = section["name"].removeprefix(BOSSDB_SCHEME)
            section["path"] = _expanded(section["path"])
            if section.get("colours"):
                section["colours"] = _expanded(section["colours"])
    for bucket in config["buckets"].values():
        for table in bucket["tables"]:
            table |= {key: _expanded(table[key]) for key in ("path", "synonyms") if table[key]}
        for section in (*bucket["points"].values(), *bucket["volume"].values()):
            section["path"] = _expanded(section["path"])
            if section.get("colours"):
                section["colours"] = _expanded(section["colours"])
    return config


def _expanded(path: str) -> str:
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        return path  # nobody of that name has a home here: the path is then plainly not found
