"""The slice manifest: a table with the header facts and the sha256 of every slice."""

import csv
import io
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from brainpublish.files import digest_of_json, write_text


@dataclass(frozen=True)
class Slice:
    """A row of the manifest. Header fields are empty where the file could not be read.

    `file` is relative to the channel's folder, and empty for a slice of zeros. `bytes` and
    `sha256` are those of the file; for a page of a file with many, of the page's pixel data.
    """

    z: int
    file: str
    width: int | str = ""
    height: int | str = ""
    bit_depth: int | str = ""
    dtype: str = ""
    bytes: int | str = ""
    sha256: str = ""
    page: int | str = ""
    number: int | str = ""
    filled: str = ""


def folder_of(path: str) -> Path:
    """Return the folder that a channel's files are relative to; `path` may be a file."""
    return Path(path).parent if Path(path).is_file() else Path(path)


def write_manifest(path: str | Path, slices: list[Slice]) -> None:
    """Write the manifest as a table with tabs, one row per slice in z order."""
    text = io.StringIO()
    names = [field.name for field in fields(Slice)]
    table = csv.DictWriter(text, names, delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in slices)
    write_text(path, text.getvalue())


def read_manifest(path: str | Path) -> list[Slice]:
    """Read what `write_manifest` wrote."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [_typed(row) for row in csv.DictReader(file, delimiter="\t")]


def digest_of_rows(rows: list[Slice]) -> str:
    """Return a digest of what slices hold: it changes with the content of any of their files."""
    return digest_of_json([(row.z, row.sha256) for row in rows])


def _typed(row: dict[str, str]) -> Slice:
    numbers = ("z", "width", "height", "bit_depth", "bytes", "page", "number")
    return Slice(**{k: int(v) if k in numbers and v else v for k, v in row.items()})
