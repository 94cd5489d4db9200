"""From names in a path to rows of the database."""

import sqlite3
from dataclasses import dataclass

from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import marked_for_deletion, not_found


@dataclass(frozen=True)
class Target:
    """The rows that a path names; what the path leaves out is None."""

    collection: sqlite3.Row
    experiment: sqlite3.Row | None = None
    frame: sqlite3.Row | None = None
    channel: sqlite3.Row | None = None

    @property
    def kind(self) -> str:
        """Kind of the resource that the path ends at."""
        if self.channel is not None:
            return "channel"
        return "collection" if self.experiment is None else "experiment"

    @property
    def row(self) -> sqlite3.Row:
        """Row of the resource that the path ends at."""
        return getattr(self, self.kind)


def find_collection(database: Database, name: str) -> sqlite3.Row:
    """Return a collection, deleted or not. Raises 404/4000."""
    row = database.one("SELECT * FROM collection WHERE name = ? COLLATE BINARY", name)
    return _found(row, "Collection", name)


def find_frame(database: Database, name: str) -> sqlite3.Row:
    """Return a coordinate frame, deleted or not. Raises 404/4000."""
    row = database.one("SELECT * FROM coord_frame WHERE name = ? COLLATE BINARY", name)
    return _found(row, "Coordinate frame", name)


def find_experiment(database: Database, collection: sqlite3.Row, name: str) -> sqlite3.Row:
    """Return an experiment, deleted or not. Raises 404/4000."""
    sql = "SELECT * FROM experiment WHERE collection = ? AND name = ? COLLATE BINARY"
    return _found(database.one(sql, collection["id"], name), "Experiment", name)


def find_channel(database: Database, experiment: sqlite3.Row, name: str) -> sqlite3.Row:
    """Return a channel, deleted or not. Raises 404/4000."""
    sql = "SELECT * FROM channel WHERE experiment = ? AND name = ? COLLATE BINARY"
    return _found(database.one(sql, experiment["id"], name), "Channel", name)


def find_live(
    database: Database, collection: str, experiment: str | None = None, channel: str | None = None
) -> Target:
    """Return the rows of a path, checking each for existence and deletion in turn.

    Raises 404/4000 for what does not exist and 404/4005 for what was deleted.
    """
    collection_row = _live(find_collection(database, collection))
    if experiment is None:
        return Target(collection_row)
    experiment_row = _live(find_experiment(database, collection_row, experiment))
    frame = database.one("SELECT * FROM coord_frame WHERE id = ?", experiment_row["coord_frame"])
    if channel is None:
        return Target(collection_row, experiment_row, frame)
    channel_row = _live(find_channel(database, experiment_row, channel))
    return Target(collection_row, experiment_row, frame, channel_row)


def target_of_channel(database: Database, channel_id: int) -> Target:
    """Return the rows above a channel that is known by its id."""
    channel = database.one("SELECT * FROM channel WHERE id = ?", channel_id)
    experiment = database.one("SELECT * FROM experiment WHERE id = ?", channel["experiment"])
    collection = database.one("SELECT * FROM collection WHERE id = ?", experiment["collection"])
    frame = database.one("SELECT * FROM coord_frame WHERE id = ?", experiment["coord_frame"])
    return Target(collection, experiment, frame, channel)


def _found(row: sqlite3.Row | None, kind: str, name: str) -> sqlite3.Row:
    if row is None:
        raise not_found(kind, name)
    return row


def _live(row: sqlite3.Row) -> sqlite3.Row:
    if row["deleted"]:
        raise marked_for_deletion(row["name"])
    return row
