"""Experiments: a coordinate frame and a resolution hierarchy for a set of channels."""

import sqlite3

from starlette.responses import Response

from brainpublish.local.bossdb.auth import grant_all, require
from brainpublish.local.bossdb.collections import (
    MANAGED,
    children_names,
    readable_names,
    refuse_unreadable,
    signed_in,
    taken,
)
from brainpublish.local.bossdb.errors import BossError, Code, ServerCrash
from brainpublish.local.bossdb.fields import (
    DESCRIPTION,
    NAME_CHANGE,
    PUBLIC,
    Field,
    Invalid,
    choice,
    integer,
    read_all,
    read_changes,
    refuse,
)
from brainpublish.local.bossdb.lookup import find_collection, find_experiment, find_frame
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

TIME_UNITS = ("nanoseconds", "microseconds", "milliseconds", "seconds", "")
FIELDS = {
    "description": DESCRIPTION,
    "public": PUBLIC,
    "num_hierarchy_levels": Field(integer, default=1),
    "hierarchy_method": Field(choice(("anisotropic", "isotropic")), default="anisotropic"),
    "num_time_samples": Field(integer, default=1),
    "time_step": Field(integer, default=None, nullable=True),
    # The real service has null here, which its own client cannot read.
    "time_step_unit": Field(choice(TIME_UNITS), default="seconds", nullable=True),
}


def _channels(call: Call, row: sqlite3.Row) -> list[sqlite3.Row]:
    sql = "SELECT * FROM channel WHERE experiment = ? AND NOT deleted ORDER BY id"
    return call.database.all(sql, row["id"])


def _as_json(call: Call, row: sqlite3.Row) -> dict:
    database = call.database
    collection = database.one("SELECT name FROM collection WHERE id = ?", row["collection"])
    frame = database.one("SELECT name FROM coord_frame WHERE id = ?", row["coord_frame"])
    return {
        "name": row["name"],
        "collection": collection["name"],
        "coord_frame": frame["name"],
        "channels": children_names(call, row, "channel", _channels(call, row)),
        "creator": row["creator"],
        **{field: row[field] for field in FIELDS},
        "public": bool(row["public"]),
    }


def _rows(call: Call) -> tuple[sqlite3.Row, sqlite3.Row]:
    collection = find_collection(call.database, call.path["collection"])
    return collection, find_experiment(call.database, collection, call.path["experiment"])


def read(call: Call) -> Response:
    """Answer with one experiment."""
    _, row = _rows(call)
    refuse_unreadable(call, "experiment", row)
    return reply(_as_json(call, row))


def create(call: Call) -> Response:
    """Create an experiment in a collection, on an existing coordinate frame."""
    user, database = call.require_role(), call.database
    collection = find_collection(database, call.path["collection"])
    require(database, user, "collection", collection, "add")
    frame_name = call.data.get("coord_frame")
    if not isinstance(frame_name, str):
        refuse({"coord_frame": Invalid("This request requires a valid coordinate frame")})
    frame = find_frame(database, frame_name)
    values = read_all(FIELDS, call.data) | {
        "name": call.path["experiment"],
        "collection": collection["id"],
        "coord_frame": frame["id"],
        "creator": user.name,
    }
    try:
        with database.writing():
            row_id = database.insert("experiment", values)
            grant_all(database, user, "experiment", row_id)
    except sqlite3.IntegrityError:
        raise taken("experiment", "non_field_errors") from None
    return reply(_as_json(call, find_experiment(database, collection, values["name"])), 201)


def change(call: Call) -> Response:
    """Change an experiment; its coordinate frame is refused."""
    database = call.database
    _, row = _rows(call)
    require(database, call.user, "experiment", row, "update")
    values = read_changes(FIELDS | {"name": NAME_CHANGE}, call.data)
    try:
        with database.writing():
            database.update("experiment", row["id"], values)
    except sqlite3.IntegrityError:
        raise ServerCrash("renamed onto an existing experiment") from None
    return reply(_as_json(call, database.one("SELECT * FROM experiment WHERE id=?", row["id"])))


def delete(call: Call) -> Response:
    """Mark an experiment as deleted; it must have no channels."""
    _, row = _rows(call)
    require(call.database, call.user, "experiment", row, "delete")
    with call.database.writing():
        if _channels(call, row):
            raise BossError(
                Code.HAS_CHILDREN,
                f"Experiment {row['name']} has channels that reference it and cannot be "
                "deleted. Please delete the channels first.",
            )
        call.database.update("experiment", row["id"], {"deleted": 1})
    return empty(204)


def list_all(call: Call) -> Response:
    """List a collection's experiments that the caller may read."""
    signed_in(call)
    collection = found_or_crash(find_collection, call.database, call.path["collection"])
    sql = "SELECT * FROM experiment WHERE collection = ? AND NOT deleted ORDER BY id"
    rows = call.database.all(sql, collection["id"])
    return reply({"experiments": readable_names(call, "experiment", rows)})


def found_or_crash(find, *arguments) -> sqlite3.Row:
    """Return the row that a list is asked for; the real service crashes if there is none."""
    try:
        return find(*arguments)
    except BossError as problem:
        raise ServerCrash(problem.message) from problem


ENDPOINTS = [
    Endpoint("/collection/{collection}/experiment", {"GET": list_all}),
    Endpoint(
        "/collection/{collection}/experiment/{experiment}",
        {"GET": read, "POST": create, "PUT": change, "DELETE": delete},
        MANAGED,
    ),
]
