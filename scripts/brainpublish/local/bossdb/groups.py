"""Groups of users: their members, their maintainers."""

import sqlite3
from collections.abc import Callable

from starlette.responses import Response

from brainpublish.local.bossdb.auth import ADMIN_GROUP, PUBLIC_GROUP, USERS, User
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import BossError, Code, permission_missing
from brainpublish.local.bossdb.service import Call, Endpoint, Handler, empty, reply

MEMBER, MAINTAINER = "member", "maintainer"
CHANGING = frozenset({"POST", "DELETE"})


def find_group(database: Database, name: str) -> sqlite3.Row:
    """Return a group. Raises 404/4001."""
    row = database.one("SELECT * FROM user_group WHERE name = ?", name)
    if row is None:
        raise BossError(Code.GROUP_NOT_FOUND, f"A group with name {name} is not found")
    return row


def people(database: Database, group: str, role: str) -> list[str]:
    """Return the names of a group's members or maintainers."""
    sql = "SELECT user FROM group_person WHERE group_name = ? AND role = ? ORDER BY user"
    return [row["user"] for row in database.all(sql, group, role)]


def belongs_to(database: Database, user: User | None, group: str) -> bool:
    """Say whether a user is a member or a maintainer of a group."""
    sql = "SELECT 1 FROM group_person WHERE group_name = ? AND user = ?"
    return user is not None and database.one(sql, group, user.name) is not None


def groups_of(database: Database, user: User | None, role: str | None = None) -> list[str]:
    """Return the groups that a user belongs to, in a role or in any."""
    sql = (
        "SELECT DISTINCT group_name FROM group_person WHERE user = ? AND role IN (?, ?) ORDER BY 1"
    )
    roles = (role, role) if role else (MEMBER, MAINTAINER)
    rows = database.all(sql, user.name, *roles) if user else []
    return [row["group_name"] for row in rows]


def _group(call: Call) -> sqlite3.Row:
    return find_group(call.database, call.path["group"])


def _readable_group(call: Call) -> sqlite3.Row:
    row = _group(call)
    if not belongs_to(call.database, call.user, row["name"]):
        raise permission_missing("membership", row["name"])
    return row


def _user_name(call: Call) -> str:
    name = call.path["user"]
    if name not in USERS:
        raise BossError(Code.USER_NOT_FOUND, f"A user with username {name} is not found")
    return name


def _refuse_built_in(row: sqlite3.Row) -> None:
    primary = {user.primary_group for user in USERS.values()}
    if row["name"] in {PUBLIC_GROUP, ADMIN_GROUP} | primary:
        raise BossError(Code.BAD_REQUEST, f"The group {row['name']} cannot be changed")


def _changeable_group(call: Call) -> sqlite3.Row:
    row = _group(call)
    _refuse_built_in(row)
    maintainers = people(call.database, row["name"], MAINTAINER)
    if call.require_role().name not in {row["creator"], *maintainers}:
        raise permission_missing("maintain_group", row["name"])
    return row


def list_all(call: Call) -> Response:
    """List the caller's groups, with filter=member or filter=maintainer those in that role."""
    role = call.query.get("filter")
    if role not in (None, MEMBER, MAINTAINER):
        raise BossError(Code.INVALID_ARGUMENT, "filter must be member or maintainer")
    return reply({"groups": groups_of(call.database, call.user, role)})


def read(call: Call) -> Response:
    """Answer with a group's name, owner and the resources that it has permissions on."""
    row = _readable_group(call)
    sql = "SELECT DISTINCT kind, object FROM permission WHERE group_name = ? ORDER BY kind, object"
    resources = [
        f"{grant['kind']} {_name_of(call.database, grant)}"
        for grant in call.database.all(sql, row["name"])
    ]
    return reply({"name": row["name"], "owner": row["creator"], "resources": resources})


def _name_of(database: Database, grant: sqlite3.Row) -> str:
    return database.one(f"SELECT name FROM {grant['kind']} WHERE id=?", grant["object"])["name"]


def create(call: Call) -> Response:
    """Create a group; the caller becomes its member and maintainer."""
    name, user = call.path["group"], call.require_role()
    try:
        with call.database.writing():
            call.database.insert("user_group", {"name": name, "creator": user.name})
            for role in (MEMBER, MAINTAINER):
                _add_person(call.database, name, user.name, role)
    except sqlite3.IntegrityError:
        message = f"A group with name {name} already exists"
        raise BossError(Code.GROUP_EXISTS, message) from None
    return empty(201)


def delete(call: Call) -> Response:
    """Delete a group with its permissions."""
    row = _changeable_group(call)
    with call.database.writing():
        for table in ("permission", "group_person"):
            call.database.run(f"DELETE FROM {table} WHERE group_name = ?", row["name"])
        call.database.run("DELETE FROM user_group WHERE name = ?", row["name"])
    return empty(204)


def _add_person(database: Database, group: str, user: str, role: str) -> None:
    sql = "INSERT OR IGNORE INTO group_person VALUES (?, ?, ?)"
    database.run(sql, group, user, role)


def _people_handlers(role: str) -> tuple[dict[str, Handler], dict[str, Handler]]:
    """Return the handlers for the list of a group's people in a role, and for one person."""

    def list_people(call: Call) -> Response:
        """List a group's people in a role."""
        row = _readable_group(call)
        return reply({f"{role}s": people(call.database, row["name"], role)})

    def is_one(call: Call) -> Response:
        """Say whether a user has a role in a group."""
        row = _readable_group(call)
        return reply({"result": _user_name(call) in people(call.database, row["name"], role)})

    def add(call: Call) -> Response:
        """Give a user a role in a group."""
        row = _changeable_group(call)
        _add_person(call.database, row["name"], _user_name(call), role)
        return empty(204)

    def remove(call: Call) -> Response:
        """Take a user's role in a group away."""
        row = _changeable_group(call)
        sql = "DELETE FROM group_person WHERE group_name = ? AND user = ? AND role = ?"
        call.database.run(sql, row["name"], _user_name(call), role)
        return empty(204)

    one: dict[str, Callable] = {"GET": is_one, "POST": add, "DELETE": remove}
    return {"GET": list_people}, one


def _people_endpoints(role: str) -> list[Endpoint]:
    listing, one = _people_handlers(role)
    return [
        Endpoint(f"/groups/{{group}}/{role}s", listing),
        Endpoint(f"/groups/{{group}}/{role}s/{{user}}", one, CHANGING),
    ]


ENDPOINTS = [
    Endpoint("/groups", {"GET": list_all}),
    Endpoint("/groups/{group}", {"GET": read, "POST": create, "DELETE": delete}, CHANGING),
    *_people_endpoints(MEMBER),
    *_people_endpoints(MAINTAINER),
]
