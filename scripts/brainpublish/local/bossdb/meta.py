"""Metadata: keys and values on collections, experiments and channels."""

import sqlite3

from starlette.responses import Response

from brainpublish.local.bossdb.auth import require
from brainpublish.local.bossdb.errors import BossError, Code
from brainpublish.local.bossdb.lookup import Target, find_live
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

PATHS = (
    "/meta/{collection}",
    "/meta/{collection}/{experiment}",
    "/meta/{collection}/{experiment}/{channel}",
)


def _target(call: Call, permission: str) -> Target:
    """Return what the path names; a public flag gives no right to metadata."""
    target = find_live(
        call.database,
        call.path["collection"],
        call.path.get("experiment"),
        call.path.get("channel"),
    )
    require(call.database, call.user, target.kind, target.row, permission)
    return target


def _parameter(call: Call, name: str) -> str:
    value = call.query.get(name)
    if value is None:
        raise BossError(Code.INVALID_POST_ARGUMENT, f"Missing required argument: {name}")
    return value


def _unknown(key: str) -> BossError:
    return BossError(Code.INVALID_POST_ARGUMENT, f"Key {key} does not exist")


def read(call: Call) -> Response:
    """Answer with the value of a key, or without a key with the list of keys."""
    target = _target(call, "read")
    where = (target.kind, target.row["id"])
    key = call.query.get("key")
    if key is None:
        sql = "SELECT key FROM metadata WHERE kind = ? AND object = ? ORDER BY key"
        return reply({"keys": [row["key"] for row in call.database.all(sql, *where)]})
    sql = "SELECT value FROM metadata WHERE kind = ? AND object = ? AND key = ?"
    row = call.database.one(sql, *where, key)
    if row is None:
        raise _unknown(key)
    return reply({"key": key, "value": row["value"]})


def create(call: Call) -> Response:
    """Add a key with a value; the key must be new."""
    key, value = _parameter(call, "key"), _parameter(call, "value")
    target = _target(call, "add")
    values = {"kind": target.kind, "object": target.row["id"], "key": key, "value": value}
    try:
        call.database.insert("metadata", values)
    except sqlite3.IntegrityError:
        raise BossError(Code.INVALID_POST_ARGUMENT, f"Key {key} already exists") from None
    return empty(201)


def change(call: Call) -> Response:
    """Change the value of an existing key."""
    key, value = _parameter(call, "key"), _parameter(call, "value")
    target = _target(call, "update")
    sql = "UPDATE metadata SET value = ? WHERE kind = ? AND object = ? AND key = ?"
    if not call.database.run(sql, value, target.kind, target.row["id"], key):
        raise _unknown(key)
    return empty(200)


def delete(call: Call) -> Response:
    """Remove an existing key."""
    key = _parameter(call, "key")
    target = _target(call, "delete")
    sql = "DELETE FROM metadata WHERE kind = ? AND object = ? AND key = ?"
    if not call.database.run(sql, target.kind, target.row["id"], key):
        raise _unknown(key)
    return empty(204)


ENDPOINTS = [
    Endpoint(path, {"GET": read, "POST": create, "PUT": change, "DELETE": delete}) for path in PATHS
]
