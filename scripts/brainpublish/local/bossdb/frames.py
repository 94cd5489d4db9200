"""Coordinate frames: extents and voxel sizes; immutable but for name and description."""

import sqlite3

from starlette.responses import Response

from brainpublish.local.bossdb.auth import grant_all, require
from brainpublish.local.bossdb.collections import MANAGED, taken
from brainpublish.local.bossdb.errors import BossError, Code, ServerCrash, marked_for_deletion
from brainpublish.local.bossdb.fields import (
    DESCRIPTION,
    NAME_CHANGE,
    Field,
    choice,
    integer,
    number,
    read_all,
    read_changes,
)
from brainpublish.local.bossdb.geometry import NANOMETERS
from brainpublish.local.bossdb.lookup import find_frame
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

EXTENTS = ("x_start", "x_stop", "y_start", "y_stop", "z_start", "z_stop")
VOXEL_SIZES = ("x_voxel_size", "y_voxel_size", "z_voxel_size")
FIELDS = (
    {"description": DESCRIPTION}
    | {name: Field(integer) for name in EXTENTS}
    | {name: Field(number) for name in VOXEL_SIZES}
    | {"voxel_unit": Field(choice(NANOMETERS))}
)


def _as_json(row: sqlite3.Row) -> dict:
    names = ("name", "description", *EXTENTS, *VOXEL_SIZES, "voxel_unit")
    return {name: row[name] for name in names}


def read(call: Call) -> Response:
    """Answer with one coordinate frame; everyone may read them."""
    row = find_frame(call.database, call.path["frame"])
    if row["deleted"]:
        raise marked_for_deletion(row["name"])
    return reply(_as_json(row))


def create(call: Call) -> Response:
    """Create a coordinate frame."""
    user = call.require_role()
    values = read_all(FIELDS, call.data)
    values |= {"name": call.path["frame"], "creator": user.name}
    try:
        with call.database.writing():
            row_id = call.database.insert("coord_frame", values)
            grant_all(call.database, user, "coord_frame", row_id)
    except sqlite3.IntegrityError:
        raise taken("coordinate frame") from None
    return reply(_as_json(find_frame(call.database, values["name"])), 201)


def change(call: Call) -> Response:
    """Change a frame's name or description; extents and voxel sizes are refused."""
    database = call.database
    row = find_frame(database, call.path["frame"])
    require(database, call.user, "coord_frame", row, "update")
    values = read_changes({"description": DESCRIPTION, "name": NAME_CHANGE}, call.data)
    try:
        with database.writing():
            database.update("coord_frame", row["id"], values)
    except sqlite3.IntegrityError:
        raise taken("coordinate frame") from None
    return reply(_as_json(database.one("SELECT * FROM coord_frame WHERE id = ?", row["id"])))


def delete(call: Call) -> Response:
    """Mark a frame as deleted; no live experiment may use it."""
    row = find_frame(call.database, call.path["frame"])
    require(call.database, call.user, "coord_frame", row, "delete")
    with call.database.writing():
        sql = "SELECT 1 FROM experiment WHERE coord_frame = ? AND NOT deleted"
        if call.database.one(sql, row["id"]):
            raise BossError(
                Code.HAS_CHILDREN,
                f"Coordinate frame {row['name']} has experiments that reference it and cannot "
                "be deleted. Please delete the experiments first.",
            )
        call.database.update("coord_frame", row["id"], {"deleted": 1})
    return empty(204)


def list_all(call: Call) -> Response:
    """List all coordinate frames, or with owner=True the caller's own."""
    rows = call.database.all("SELECT * FROM coord_frame WHERE NOT deleted ORDER BY id")
    if call.query.get("owner", "").capitalize() == "True":
        owner = call.user.name if call.user else ""
        rows = [row for row in rows if row["creator"] == owner]
    return reply({"coords": [row["name"] for row in rows]})


def create_in_list(call: Call) -> Response:
    """Crash: the real service does on a POST to the list of frames."""
    raise ServerCrash("POST on the list of coordinate frames")


ENDPOINTS = [
    Endpoint("/coord", {"GET": list_all, "POST": create_in_list}),
    Endpoint(
        "/coord/{frame}",
        {"GET": read, "POST": create, "PUT": change, "DELETE": delete},
        MANAGED,
    ),
]
