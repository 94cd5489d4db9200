"""Channels: images and annotations of an experiment."""

import sqlite3

from starlette.responses import Response

from brainpublish.local.bossdb.auth import grant_all, require
from brainpublish.local.bossdb.collections import (
    MANAGED,
    readable_names,
    refuse_unreadable,
    signed_in,
    taken,
)
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import (
    BossError,
    Code,
    ServerCrash,
    permission_missing,
)
from brainpublish.local.bossdb.experiments import found_or_crash
from brainpublish.local.bossdb.fields import (
    DESCRIPTION,
    NAME_CHANGE,
    PUBLIC,
    Field,
    Invalid,
    choice,
    integer,
    names,
    read_all,
    read_changes,
    refuse,
)
from brainpublish.local.bossdb.geometry import Hierarchy
from brainpublish.local.bossdb.lookup import (
    find_channel,
    find_collection,
    find_experiment,
    target_of_channel,
)
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply
from brainpublish.local.bossdb.volumes import Layer

NOT_DOWNSAMPLED, QUEUED, IN_PROGRESS = "NOT_DOWNSAMPLED", "QUEUED", "IN_PROGRESS"
DOWNSAMPLED, FAILED = "DOWNSAMPLED", "FAILED"
STATUSES = (NOT_DOWNSAMPLED, QUEUED, IN_PROGRESS, DOWNSAMPLED, FAILED)
STORABLE = {("image", "uint8"), ("image", "uint16")} | {
    ("annotation", dtype) for dtype in ("uint8", "uint16", "uint64")
}
LARGEST_LEVEL = 9
CHANGEABLE = {
    "description": DESCRIPTION,
    "public": PUBLIC,
    "base_resolution": Field(integer, default=0),
    "default_time_sample": Field(integer, default=0),
}
FIELDS = CHANGEABLE | {
    "type": Field(choice(("image", "annotation"))),
    "datatype": Field(choice(("uint8", "uint16", "uint32", "uint64"))),
    "downsample_status": Field(choice(STATUSES), default=NOT_DOWNSAMPLED),
}
RELATIONS = ("sources", "related")
ADMINISTRATORS_ONLY = ("bucket", "cv_path")


def _linked(database: Database, row: sqlite3.Row, relation: str) -> list[str]:
    sql = (
        "SELECT name FROM channel JOIN channel_link ON channel.id = other "
        "WHERE channel_link.channel = ? AND relation = ? AND NOT deleted ORDER BY channel.id"
    )
    return [linked["name"] for linked in database.all(sql, row["id"], relation)]


def _as_json(call: Call, channel_id: int) -> dict:
    target = target_of_channel(call.database, channel_id)
    row = target.channel
    return {
        "name": row["name"],
        "public": bool(row["public"]),
        "description": row["description"],
        "experiment": target.experiment["name"],
        "default_time_sample": row["default_time_sample"],
        "type": row["type"],
        "base_resolution": row["base_resolution"],
        "datatype": row["datatype"],
        "creator": row["creator"],
        "sources": _linked(call.database, row, "sources"),
        "downsample_status": row["downsample_status"],
        "related": _linked(call.database, row, "related"),
        "storage_type": "spdb",
        "bucket": None,
        "cv_path": None,
    }


def _parents(call: Call) -> tuple[sqlite3.Row, sqlite3.Row]:
    collection = find_collection(call.database, call.path["collection"])
    return collection, find_experiment(call.database, collection, call.path["experiment"])


def _link_targets(call: Call, experiment: sqlite3.Row) -> dict[str, list[int]]:
    """Return the ids of the channels that a body names as sources and related."""
    wanted = {relation: names(call.data, relation) for relation in RELATIONS}
    if set(wanted["sources"]) & set(wanted["related"]):
        raise BossError(
            Code.INVALID_POST_ARGUMENT, "Related channels have to be different from source channels"
        )
    return {
        relation: [_linkable(call, experiment, name) for name in found]
        for relation, found in wanted.items()
    }


def _linkable(call: Call, experiment: sqlite3.Row, name: str) -> int:
    try:
        return find_channel(call.database, experiment, name)["id"]
    except BossError as problem:
        raise BossError(
            Code.INVALID_POST_ARGUMENT,
            f"Invalid channel name {name} in the list of source/related channels",
        ) from problem


def _set_links(database: Database, channel_id: int, links: dict[str, list[int]]) -> None:
    """Replace a channel's links; being related goes both ways."""
    database.run("DELETE FROM channel_link WHERE channel = ?", channel_id)
    database.run("DELETE FROM channel_link WHERE other = ? AND relation='related'", channel_id)
    pairs = [(channel_id, other, "sources") for other in links["sources"]]
    for other in links["related"]:
        pairs += [(channel_id, other, "related"), (other, channel_id, "related")]
    for pair in pairs:
        database.run("INSERT OR IGNORE INTO channel_link VALUES (?, ?, ?)", *pair)


def _refuse_administration(call: Call) -> None:
    for name in ADMINISTRATORS_ONLY:
        if call.data.get(name) is not None:
            raise permission_missing(f"administration of {name}", call.path["channel"])


def _check_time_sample(values: dict, experiment: sqlite3.Row) -> None:
    sample = values.get("default_time_sample", 0)
    if "default_time_sample" in values and sample >= experiment["num_time_samples"]:
        refuse({"default_time_sample": Invalid("Must be less than num_time_samples.")})


def _free_folder(database: Database, names: tuple[str, str, str]) -> str:
    """Return a folder for a channel's voxels: its names, numbered if a renamed one has them."""
    plain = folder = "/".join(names)
    number = 1
    while database.one("SELECT 1 FROM channel WHERE folder = ?", folder):
        number += 1
        folder = f"{plain}.{number}"
    return folder


def layer_of(target, level: int, time: int = 0, isotropic: bool = False) -> Layer:
    """Return the stored layer of a channel at a level and a time sample."""
    channel = target.channel
    hierarchy = Hierarchy.of(target.experiment, target.frame)
    geometry = hierarchy.level(level, isotropic)
    return Layer(channel["folder"], channel["type"], channel["datatype"], geometry, time)


def storable(channel: sqlite3.Row) -> bool:
    """Say whether the service can keep voxels of a channel's type and datatype."""
    return (channel["type"], channel["datatype"]) in STORABLE


def read(call: Call) -> Response:
    """Answer with one channel."""
    _, experiment = _parents(call)
    row = find_channel(call.database, experiment, call.path["channel"])
    refuse_unreadable(call, "channel", row)
    return reply(_as_json(call, row["id"]))


def create(call: Call) -> Response:
    """Create a channel, and on disk its empty volume."""
    user, database = call.require_role(), call.database
    collection, experiment = _parents(call)
    require(database, user, "experiment", experiment, "add")
    _refuse_administration(call)
    if call.data.get("storage_type", "spdb") != "spdb":
        refuse({"storage_type": Invalid("This service keeps channels as spdb only.")})
    links = _link_targets(call, experiment)
    values = read_all(FIELDS, call.data)
    _check_time_sample(values, experiment)
    values |= {
        "name": call.path["channel"],
        "experiment": experiment["id"],
        "creator": user.name,
    }
    try:
        with database.writing():
            path = (collection["name"], experiment["name"], values["name"])
            row_id = database.insert("channel", values | {"folder": _free_folder(database, path)})
            _set_links(database, row_id, links)
            grant_all(database, user, "channel", row_id)
    except sqlite3.IntegrityError:
        raise taken("channel", "non_field_errors") from None
    target = target_of_channel(database, row_id)
    if storable(target.channel) and 0 <= values["base_resolution"] <= LARGEST_LEVEL:
        call.service.volumes.prepare(layer_of(target, values["base_resolution"]))
    return reply(_as_json(call, row_id), 201)


def change(call: Call) -> Response:
    """Change a channel; sources and related are replaced, and cleared if they are left out."""
    database = call.database
    _, experiment = _parents(call)
    row = find_channel(database, experiment, call.path["channel"])
    require(database, call.user, "channel", row, "update")
    _refuse_administration(call)
    if "storage_type" in call.data:
        raise permission_missing("administration of storage_type", row["name"])
    try:
        links = _link_targets(call, experiment)
    except BossError as problem:
        raise ServerCrash("unknown source") from problem
    plain = {key: value for key, value in call.data.items() if key not in RELATIONS}
    values = read_changes(CHANGEABLE | {"name": NAME_CHANGE}, plain)
    _check_time_sample(values, experiment)
    try:
        with database.writing():
            database.update("channel", row["id"], values)
            _set_links(database, row["id"], links)
    except sqlite3.IntegrityError:
        raise ServerCrash("renamed onto an existing channel") from None
    return reply(_as_json(call, row["id"]))


def delete(call: Call) -> Response:
    """Mark a channel as deleted and drop its voxels; it must not be a source of another."""
    database = call.database
    _, experiment = _parents(call)
    row = find_channel(database, experiment, call.path["channel"])
    require(database, call.user, "channel", row, "delete")
    with database.writing():
        sql = (
            "SELECT 1 FROM channel_link JOIN channel ON channel.id = channel_link.channel "
            "WHERE other = ? AND relation = 'sources' AND NOT deleted"
        )
        if database.one(sql, row["id"]):
            raise BossError(
                Code.HAS_CHILDREN,
                f"Channel {row['name']} is the source channel of other channels and cannot be "
                "deleted",
            )
        database.update("channel", row["id"], {"deleted": 1})
        database.run("DELETE FROM downsample_job WHERE channel = ?", row["id"])
    call.service.volumes.remove(row["folder"])
    return empty(204)


def list_all(call: Call) -> Response:
    """List an experiment's channels that the caller may read."""
    signed_in(call)
    collection = found_or_crash(find_collection, call.database, call.path["collection"])
    experiment = found_or_crash(find_experiment, call.database, collection, call.path["experiment"])
    sql = "SELECT * FROM channel WHERE experiment = ? AND NOT deleted ORDER BY id"
    rows = call.database.all(sql, experiment["id"])
    return reply({"channels": readable_names(call, "channel", rows)})


ENDPOINTS = [
    Endpoint("/collection/{collection}/experiment/{experiment}/channel", {"GET": list_all}),
    Endpoint(
        "/collection/{collection}/experiment/{experiment}/channel/{channel}",
        {"GET": read, "POST": create, "PUT": change, "DELETE": delete},
        MANAGED,
    ),
]
