"""Collections: the top of the resource tree."""

import sqlite3

from starlette.responses import Response

from brainpublish.local.bossdb.auth import User, grant_all, may_read, require
from brainpublish.local.bossdb.errors import (
    BossError,
    Code,
    ServerCrash,
    marked_for_deletion,
    permission_missing,
)
from brainpublish.local.bossdb.fields import (
    DESCRIPTION,
    NAME_CHANGE,
    PUBLIC,
    Invalid,
    problems_text,
    read_all,
    read_changes,
)
from brainpublish.local.bossdb.lookup import find_collection
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

FIELDS = {"description": DESCRIPTION, "public": PUBLIC}


def readable_names(call: Call, kind: str, rows: list[sqlite3.Row]) -> list[str]:
    """Return the names of those rows that the caller may read."""
    return [row["name"] for row in rows if may_read(call.database, call.user, kind, row)]


def children_names(call: Call, parent: sqlite3.Row, kind: str, rows: list) -> list[str]:
    """Return children's names as a detail answer lists them: a public parent lists them all."""
    if parent["public"]:
        return [row["name"] for row in rows]
    return readable_names(call, kind, rows)


def taken(kind: str, field: str = "name") -> BossError:
    """Return the error for a name that is in use, by a deleted resource too."""
    problem = Invalid(f"{kind} with this name already exists: names must be unique.", "unique")
    return BossError(Code.INVALID_POST_ARGUMENT, problems_text({field: problem}))


def refuse_unreadable(call: Call, kind: str, row: sqlite3.Row) -> None:
    """Raise 403/3001 for what the caller may not read and 404/4005 for what was deleted."""
    if not may_read(call.database, call.user, kind, row):
        raise permission_missing("read", row["name"])
    if row["deleted"]:
        raise marked_for_deletion(row["name"])


def signed_in(call: Call) -> User:
    """Return the caller; the real service crashes on an anonymous call of this kind."""
    if call.user is None:
        raise ServerCrash("no anonymous user")
    return call.user


def _experiments(call: Call, row: sqlite3.Row) -> list[sqlite3.Row]:
    sql = "SELECT * FROM experiment WHERE collection = ? AND NOT deleted ORDER BY id"
    return call.database.all(sql, row["id"])


def _as_json(call: Call, row: sqlite3.Row) -> dict:
    return {
        "name": row["name"],
        "public": bool(row["public"]),
        "description": row["description"],
        "experiments": children_names(call, row, "experiment", _experiments(call, row)),
        "creator": row["creator"],
    }


def read(call: Call) -> Response:
    """Answer with one collection."""
    row = find_collection(call.database, call.path["collection"])
    refuse_unreadable(call, "collection", row)
    return reply(_as_json(call, row))


def create(call: Call) -> Response:
    """Create a collection."""
    user = call.require_role()
    values = read_all(FIELDS, call.data)
    values |= {"name": call.path["collection"], "creator": user.name}
    try:
        with call.database.writing():
            row_id = call.database.insert("collection", values)
            grant_all(call.database, user, "collection", row_id)
    except sqlite3.IntegrityError:
        raise taken("collection") from None
    return reply(_as_json(call, find_collection(call.database, values["name"])), 201)


def change(call: Call) -> Response:
    """Change a collection's description, visibility or name."""
    database = call.database
    row = find_collection(database, call.path["collection"])
    require(database, call.user, "collection", row, "update")
    values = read_changes(FIELDS | {"name": NAME_CHANGE}, call.data, ignore_unknown=True)
    try:
        with database.writing():
            database.update("collection", row["id"], values)
    except sqlite3.IntegrityError:
        raise taken("collection") from None
    return reply(_as_json(call, database.one("SELECT * FROM collection WHERE id=?", row["id"])))


def delete(call: Call) -> Response:
    """Mark a collection as deleted; it must have no experiments."""
    row = find_collection(call.database, call.path["collection"])
    require(call.database, call.user, "collection", row, "delete")
    with call.database.writing():
        if _experiments(call, row):
            raise BossError(
                Code.HAS_CHILDREN,
                f"Collection {row['name']} has experiments that reference it and cannot be "
                "deleted. Please delete the experiments first.",
            )
        call.database.update("collection", row["id"], {"deleted": 1})
    return empty(204)


def list_all(call: Call) -> Response:
    """List the collections that the caller may read."""
    signed_in(call)
    rows = call.database.all("SELECT * FROM collection WHERE NOT deleted ORDER BY id")
    return reply({"collections": readable_names(call, "collection", rows)})


MANAGED = frozenset({"POST", "DELETE"})
ENDPOINTS = [
    Endpoint("/collection", {"GET": list_all}),
    Endpoint(
        "/collection/{collection}",
        {"GET": read, "POST": create, "PUT": change, "DELETE": delete},
        MANAGED,
    ),
]
