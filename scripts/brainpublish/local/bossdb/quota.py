"""Accounting of the voxel bytes that a user moves in a month."""

from datetime import UTC, datetime

from brainpublish.local.bossdb.auth import PUBLIC
from brainpublish.local.bossdb.errors import BossError, Code
from brainpublish.local.bossdb.service import Call


def charge(call: Call, direction: str, nbytes: int) -> None:
    """Count bytes against the user's quota of a direction, ingress or egress.

    The call that crosses the limit passes; raises 429/3004 for every later one of the month.
    """
    limit = call.service.conditions.quota.get(direction, 0)
    if limit <= 0:
        return
    key = ((call.user or PUBLIC).name, direction, f"{datetime.now(UTC):%Y-%m}")
    with call.database.writing():
        sql = "SELECT bytes FROM traffic WHERE user = ? AND direction = ? AND month = ?"
        row = call.database.one(sql, *key)
        used = row["bytes"] if row else 0
        if used > limit:
            raise BossError(
                Code.THROTTLED,
                "Call throttled due to exceeding the user limit. Try again tomorrow.",
            )
        sql = "INSERT OR REPLACE INTO traffic VALUES (?, ?, ?, ?)"
        call.database.run(sql, *key, used + nbytes)
