"""What a listing says of each feature, without parsing features that have not changed."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from brainpublish.files import read_json, write_bytes
from brainpublish.local.atlas.names import SUFFIX


class Descriptions:
    """Description and unit of the features of a bucket, remembered in an index file.

    A remembered entry counts only while the feature's file is the same one (inode, size and time
    of change): a lost, damaged or old index costs time, never a wrong listing.
    """

    def __init__(self, folder: str | Path):
        self._folder = Path(folder)
        # What this process wrote since a listing, by file: spares parsing it for the next one.
        self._written: dict[Path, list] = {}

    def remember(self, file: Path, short_desc: Any, unit: Any) -> None:
        """Take note of a feature's texts; its file was just written."""
        with contextlib.suppress(FileNotFoundError):  # another process may have deleted it
            self._written[file] = [_signature(file.stat()), short_desc, unit]

    def of(self, bucket_folder: Path, fnames: list[str]) -> dict[str, dict[str, str]]:
        """Return {name: {short_desc, unit}} of those features which are still there."""
        index_file = self._folder / f"{bucket_folder.stat().st_ino}.json"
        known = _read_index(index_file)
        found = {}
        for fname in fnames:
            file = bucket_folder / f"{fname}{SUFFIX}"
            entry = _entry(file, self._written.pop(file, None) or known.get(fname))
            if entry is not None:
                found[fname] = entry
        if found != known:
            # Descriptions are the callers' own JSON, which may hold NaN.
            write_bytes(index_file, json.dumps(found).encode())
        return {
            fname: {"short_desc": short_desc or "", "unit": unit or ""}
            for fname, (_, short_desc, unit) in found.items()
        }


def _read_index(path: Path) -> dict[str, list]:
    try:
        return read_json(path)
    except (FileNotFoundError, ValueError):
        return {}


def _entry(path: Path, known: list | None) -> list | None:
    try:
        with path.open("rb") as file:
            same = _signature(os.fstat(file.fileno()))
            if known is not None and known[0] == same:
                return known
            return [same, *_described(json.load(file))]
    except FileNotFoundError:
        # Deleted since the folder was listed.
        return None


def _signature(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _described(feature: dict[str, Any]) -> tuple[Any, Any]:
    return feature.get("short_desc"), feature.get("unit")
