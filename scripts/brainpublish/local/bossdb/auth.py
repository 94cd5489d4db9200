"""Who is calling: tokens, users, roles, groups and permissions."""

import hmac
import sqlite3
from dataclasses import dataclass

from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import DetailError, permission_missing
from brainpublish.local.store import LocalStore

RESOURCE_MANAGER = "resource-manager"
RESOURCE_PERMISSIONS = ("read", "add", "update", "delete", "assign_group", "remove_group")
DATA_PERMISSIONS = ("add_volumetric_data", "read_volumetric_data", "delete_volumetric_data")
PUBLIC_GROUP, ADMIN_GROUP = "public", "admin"


@dataclass(frozen=True)
class User:
    """A user of the service and the roles that the user has."""

    name: str
    roles: frozenset[str] = frozenset()

    @property
    def primary_group(self) -> str:
        """Name of the group that holds this user alone."""
        return f"{self.name}-primary"


MANAGER = User("manager", frozenset({RESOURCE_MANAGER}))
PLAIN = User("user")
PUBLIC = User("public-access")
USERS = {user.name: user for user in (MANAGER, PLAIN, PUBLIC)}


class Tokens:
    """The service's tokens: the store's two secrets and the literal `public`."""

    def __init__(self, store: LocalStore):
        self._users = [
            (store.secrets["bossdb_manager"].encode(), MANAGER),
            (store.secrets["bossdb_user"].encode(), PLAIN),
            (b"public", PUBLIC),
        ]

    def user(self, header: str | None) -> User | None:
        """Return the user of an Authorization header, or None for an anonymous call.

        Raises DetailError 401 for a token that is not known.
        """
        scheme, _, key = (header or "").strip().partition(" ")
        if scheme.lower() not in ("token", "bearer"):
            return None
        given = key.strip().encode(errors="replace")
        matches = [user for token, user in self._users if hmac.compare_digest(token, given)]
        if scheme.lower() == "bearer" or not matches:
            raise unauthorised("Invalid token.")
        return matches[0]


def unauthorised(detail: str) -> DetailError:
    """Return the 401 answer."""
    return DetailError(401, detail, {"WWW-Authenticate": 'Bearer realm="api"'})


def prepare_groups(database: Database) -> None:
    """Create the groups that always exist: one per user, all users, administrators."""
    with database.writing():
        for group in (PUBLIC_GROUP, ADMIN_GROUP, *(user.primary_group for user in USERS.values())):
            database.run("INSERT OR IGNORE INTO user_group VALUES (?, 'bossadmin')", group)
        for user in USERS.values():
            for group in (PUBLIC_GROUP, user.primary_group):
                sql = "INSERT OR IGNORE INTO group_person VALUES (?, ?, 'member')"
                database.run(sql, group, user.name)


def permissions_of(kind: str) -> tuple[str, ...]:
    """Return the names of the permissions that a kind of resource has."""
    return RESOURCE_PERMISSIONS + DATA_PERMISSIONS if kind == "channel" else RESOURCE_PERMISSIONS


def grant_all(database: Database, user: User, kind: str, object_id: int) -> None:
    """Give the creator's own group and the administrators every permission."""
    for group in (user.primary_group, ADMIN_GROUP):
        for name in permissions_of(kind):
            sql = "INSERT OR IGNORE INTO permission VALUES (?, ?, ?, ?)"
            database.run(sql, group, kind, object_id, name)


def has_permission(
    database: Database, user: User | None, kind: str, object_id: int, name: str
) -> bool:
    """Say whether one of the user's groups has a permission on a resource."""
    if user is None:
        return False
    sql = (
        "SELECT 1 FROM permission JOIN group_person USING (group_name) WHERE kind = ? AND "
        "object = ? AND permission.name = ? AND group_person.user = ? AND role = 'member'"
    )
    return database.one(sql, kind, object_id, name, user.name) is not None


def may_read(database: Database, user: User | None, kind: str, row: sqlite3.Row) -> bool:
    """Say whether a resource itself (not its voxels) may be read; public ones may by anyone."""
    return bool(row["public"]) or has_permission(database, user, kind, row["id"], "read")


def require(
    database: Database, user: User | None, kind: str, row: sqlite3.Row, permission: str
) -> None:
    """Raise 403/3001 unless the user has the permission on the resource."""
    if not has_permission(database, user, kind, row["id"], permission):
        raise permission_missing(permission, row["name"])
