"""Permissions of groups on collections, experiments and channels."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from brainpublish.local.bossdb.auth import (
    PUBLIC_GROUP,
    has_permission,
    permissions_of,
    require,
)
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import BossError, Code, permission_missing
from brainpublish.local.bossdb.groups import belongs_to, find_group, groups_of
from brainpublish.local.bossdb.lookup import (
    Target,
    find_channel,
    find_collection,
    find_experiment,
    target_of_channel,
)
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

PUBLIC_MAY_HAVE = {"read", "read_volumetric_data"}
CHANGING = frozenset({"POST", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Grant:
    """A group, a resource and permissions, as a request names them."""

    group: str
    target: Target
    names: list[str]


def _given(call: Call, source: dict, *required: str) -> None:
    for name in required:
        if name not in source:
            raise BossError(Code.INVALID_URL, f"{name} is not included in the request")


def _target(database: Database, source: dict) -> Target | None:
    """Return the resource that a request names, deleted or not, or None if it names none."""
    collection, experiment, channel = (
        source.get(name) for name in ("collection", "experiment", "channel")
    )
    if not collection:
        return None
    collection_row = find_collection(database, str(collection))
    if not experiment:
        return Target(collection_row)
    experiment_row = find_experiment(database, collection_row, str(experiment))
    if not channel:
        return Target(collection_row, experiment_row)
    channel_row = find_channel(database, experiment_row, str(channel))
    return Target(collection_row, experiment_row, None, channel_row)


def _grant(call: Call, source: dict, names: list[str]) -> Grant:
    """Return what a request names, once the caller is known to belong to the group."""
    group = find_group(call.database, str(source["group"]))["name"]
    if not belongs_to(call.database, call.user, group):
        raise permission_missing("membership", group)
    target = _target(call.database, source)
    if target is None:
        raise BossError(Code.INVALID_URL, "collection is not included in the request")
    return Grant(group, target, names)


def _wanted_names(call: Call) -> list[str]:
    _given(call, call.data, "permissions", "group", "collection")
    names = call.data["permissions"]
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BossError(Code.INVALID_POST_ARGUMENT, "permissions must be a list of names")
    return names


def _insert(database: Database, grant: Grant) -> None:
    known = permissions_of(grant.target.kind)
    for name in grant.names:
        if name not in known:
            raise BossError(
                Code.INVALID_POST_ARGUMENT,
                f"Invalid permission {name} in post. A {grant.target.kind} has {', '.join(known)}",
            )
        sql = "INSERT OR IGNORE INTO permission VALUES (?, ?, ?, ?)"
        database.run(sql, grant.group, grant.target.kind, grant.target.row["id"], name)


def _clear(database: Database, grant: Grant) -> None:
    sql = "DELETE FROM permission WHERE group_name = ? AND kind = ? AND object = ?"
    database.run(sql, grant.group, grant.target.kind, grant.target.row["id"])


def add(call: Call) -> Response:
    """Give a group more permissions on a resource."""
    names = _wanted_names(call)
    if call.data["group"] == PUBLIC_GROUP and not set(names) <= PUBLIC_MAY_HAVE:
        raise BossError(
            Code.INVALID_POST_ARGUMENT, "The public group can only have read permissions"
        )
    grant = _grant(call, call.data, names)
    require(call.database, call.user, grant.target.kind, grant.target.row, "assign_group")
    with call.database.writing():
        _insert(call.database, grant)
    return empty(201)


def replace(call: Call) -> Response:
    """Replace a group's permissions on a resource."""
    names = _wanted_names(call)
    # The real service accepts nothing but this from its public group here.
    if call.data["group"] == PUBLIC_GROUP and names != ["read"]:
        raise BossError(
            Code.INVALID_POST_ARGUMENT, "The public group can only have read permissions"
        )
    grant = _grant(call, call.data, names)
    for permission in ("remove_group", "assign_group"):
        require(call.database, call.user, grant.target.kind, grant.target.row, permission)
    with call.database.writing():
        _clear(call.database, grant)
        _insert(call.database, grant)
    return empty(200)


def delete(call: Call) -> Response:
    """Take all of a group's permissions on a resource away."""
    _given(call, call.query, "group", "collection")
    grant = _grant(call, call.query, [])
    require(call.database, call.user, grant.target.kind, grant.target.row, "remove_group")
    with call.database.writing():
        _clear(call.database, grant)
    return empty(204)


def read(call: Call) -> Response:
    """List permission sets, of one group or the caller's groups, on one resource or on all."""
    database = call.database
    wanted = _target(database, call.query)
    group = call.query.get("group")
    groups = [find_group(database, group)["name"]] if group else groups_of(database, call.user)
    if group and not (wanted and _may_inspect(call, wanted)):
        _require_membership(call, group)
    sets = [
        {"group": name, **_names(target), "permissions": names}
        for name in groups
        for target, names in _sets_of(database, name)
        if wanted is None or (target.kind, target.row["id"]) == (wanted.kind, wanted.row["id"])
    ]
    return reply({"permission-sets": sets})


def _may_inspect(call: Call, target: Target) -> bool:
    return has_permission(call.database, call.user, target.kind, target.row["id"], "read")


def _require_membership(call: Call, group: str) -> None:
    if not belongs_to(call.database, call.user, group):
        raise permission_missing("membership", group)


def _sets_of(database: Database, group: str) -> Iterator[tuple[Target, list[str]]]:
    """Yield the live resources on which a group has permissions, with their names."""
    sql = (
        "SELECT kind, object, group_concat(name, ' ') AS names FROM permission "
        "WHERE group_name = ? AND kind != 'coord_frame' GROUP BY kind, object ORDER BY object"
    )
    for row in database.all(sql, group):
        target = _target_by_id(database, row)
        if not target.row["deleted"]:
            yield target, sorted(row["names"].split())


def _target_by_id(database: Database, row: sqlite3.Row) -> Target:
    if row["kind"] == "channel":
        return target_of_channel(database, row["object"])
    found = database.one(f"SELECT * FROM {row['kind']} WHERE id = ?", row["object"])
    if row["kind"] == "collection":
        return Target(found)
    sql = "SELECT * FROM collection WHERE id = ?"
    return Target(database.one(sql, found["collection"]), found)


def _names(target: Target) -> dict[str, str]:
    rows = {
        "collection": target.collection,
        "experiment": target.experiment,
        "channel": target.channel,
    }
    return {kind: row["name"] for kind, row in rows.items() if row is not None}


ENDPOINTS = [
    Endpoint(
        "/permissions", {"GET": read, "POST": add, "PATCH": replace, "DELETE": delete}, CHANGING
    )
]
