"""The service's SQLite database: resources, permissions, metadata, jobs, counters."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

BUSY_SECONDS = 60

# Names collide regardless of case, as in the service's own database; a deleted row keeps its name.
SCHEMA = """
CREATE TABLE IF NOT EXISTS collection (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, description TEXT NOT NULL,
  public INTEGER NOT NULL, creator TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS coord_frame (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, description TEXT NOT NULL,
  x_start INTEGER, x_stop INTEGER, y_start INTEGER, y_stop INTEGER, z_start INTEGER,
  z_stop INTEGER, x_voxel_size REAL, y_voxel_size REAL, z_voxel_size REAL, voxel_unit TEXT,
  creator TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS experiment (
  id INTEGER PRIMARY KEY, collection INTEGER NOT NULL REFERENCES collection(id),
  name TEXT NOT NULL COLLATE NOCASE, description TEXT NOT NULL, public INTEGER NOT NULL,
  coord_frame INTEGER NOT NULL REFERENCES coord_frame(id), num_hierarchy_levels INTEGER NOT NULL,
  hierarchy_method TEXT NOT NULL, num_time_samples INTEGER NOT NULL, time_step INTEGER,
  time_step_unit TEXT, creator TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
  UNIQUE (collection, name));
CREATE TABLE IF NOT EXISTS channel (
  id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL REFERENCES experiment(id),
  name TEXT NOT NULL COLLATE NOCASE, description TEXT NOT NULL, public INTEGER NOT NULL,
  type TEXT NOT NULL, datatype TEXT NOT NULL, base_resolution INTEGER NOT NULL,
  default_time_sample INTEGER NOT NULL, downsample_status TEXT NOT NULL,
  folder TEXT NOT NULL COLLATE NOCASE UNIQUE, creator TEXT NOT NULL,
  next_id INTEGER NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0,
  UNIQUE (experiment, name));
CREATE TABLE IF NOT EXISTS channel_link (
  channel INTEGER NOT NULL, other INTEGER NOT NULL, relation TEXT NOT NULL,
  PRIMARY KEY (channel, other, relation));
CREATE TABLE IF NOT EXISTS metadata (
  kind TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, object, key));
CREATE TABLE IF NOT EXISTS user_group (name TEXT PRIMARY KEY, creator TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS group_person (
  group_name TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (group_name, user, role));
CREATE TABLE IF NOT EXISTS permission (
  group_name TEXT NOT NULL, kind TEXT NOT NULL, object INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (kind, object, group_name, name));
CREATE TABLE IF NOT EXISTS downsample_job (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL UNIQUE REFERENCES channel(id),
  levels_done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS traffic (
  user TEXT NOT NULL, direction TEXT NOT NULL, month TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (user, direction, month));
"""


class Database:
    """Access to one database file from many threads and many processes."""

    def __init__(self, path: Path):
        self._path = path
        self._local = threading.local()
        # Several processes must not switch a new file to write-ahead logging at the same moment.
        with FileLock(path.with_suffix(".lock")):
            connection = self.connection
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        return self._local.connection

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write transaction: all of the block's changes or none.

        The lock is taken at the start, so that what the block reads cannot change under it.
        """
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def one(self, sql: str, *values) -> sqlite3.Row | None:
        """Return the first row or None."""
        return self.connection.execute(sql, values).fetchone()

    def all(self, sql: str, *values) -> list[sqlite3.Row]:
        """Return all rows."""
        return self.connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values) -> int:
        """Execute a statement and return how many rows it changed."""
        return self.connection.execute(sql, values).rowcount

    def insert(self, table: str, values: dict) -> int:
        """Insert a row and return its id."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        return self.connection.execute(sql, tuple(values.values())).lastrowid

    def update(self, table: str, row_id: int, values: dict) -> None:
        """Change columns of one row."""
        if values:
            changes = ", ".join(f"{column} = ?" for column in values)
            sql = f"UPDATE {table} SET {changes} WHERE id = ?"
            self.connection.execute(sql, (*values.values(), row_id))
