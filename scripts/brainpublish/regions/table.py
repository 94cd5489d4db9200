"""A table as a person wrote it: every cell as text, every row with the number she sees.

The header is row 1. Text tables are decoded by their byte order mark, else as UTF-8, else as
Windows-1252; the separator is the one that gives the columns that were asked for. Numbers are
made of text later (`values`), so that each bad cell can be named.
"""

import csv
import gzip
import io
import logging
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd

from brainpublish.findings import Finding
from brainpublish.regions.values import NUMBER

log = logging.getLogger(__name__)

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
ZIP = b"PK\x03\x04"
PARQUET = (".parquet", ".pqt")
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
WIDE_INTEGER = 2**53
PREVIEWED, PREVIEWED_COLUMNS = 5, 12
HEADER_SOUGHT = 20  # rows from the top in which a header is looked for, to say where it is
MOST_SHOWN = LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Table:
    """A table of texts. `frame` has the row numbers as index and the header as columns.

    Columns that share their name are left out. In a `typed` table (Parquet, spreadsheet)
    numbers were numbers.
    """

    path: str
    frame: pd.DataFrame
    typed: bool = False

    def place(self, row: int, column: str | None = None) -> str:
        """Return the name of a row or a cell for a message."""
        where = f"{self.path} row {row}"
        return f"{where}, column {column}" if column is not None else where


class Unreadable(ValueError):
    """A file that is no table; the text says why."""


def read_table(
    path: str, wanted: Sequence[str], separator: str | None = None, sheet: str | int | None = None
) -> tuple[Table | None, list[Finding]]:
    """Read a table of texts and say what is wrong with it as a table.

    `wanted` names the columns that will be used: it decides between separators. CSV and its
    kin may be gzipped; Parquet and spreadsheets are read by pandas. A file that is no table
    gives None and a finding. Columns may be missing in a table: the findings say so.
    """
    if not Path(path).is_file():
        return None, [Finding("TABLE_MISSING", path, "there is no such file")]
    try:
        rows, findings = _rows(path, wanted, separator, sheet)
    except Unreadable as error:
        return None, [Finding("TABLE_UNREADABLE", path, str(error))]
    if not any(cell.strip() for row in rows[1:] for cell in row):
        return None, [*findings, Finding("TABLE_EMPTY", path, "no row below the header")]
    table = Table(path, _frame(rows), _is_typed(path))
    log.info("%s is understood as:\n%s", path, preview(table))
    return table, [*findings, *_shape_findings(path, rows, wanted)]


def preview(table: Table) -> str:
    """Return the first rows of a table, and its size, as text for a log."""
    frame = table.frame.iloc[:PREVIEWED]
    size = f"{len(table.frame)} rows, {len(table.frame.columns)} columns"
    return f"{frame.to_string(max_cols=PREVIEWED_COLUMNS, max_colwidth=30)}\n{size}"


def _rows(
    path: str, wanted: Sequence[str], separator: str | None, sheet: str | int | None
) -> tuple[list[list[str]], list[Finding]]:
    suffix = Path(path).suffix.lower()
    if suffix in PARQUET:
        return _typed_rows(_read_by_pandas(path, _read_parquet)), []
    if suffix in SPREADSHEETS:
        return _typed_rows(_read_by_pandas(path, _read_sheet, sheet=sheet), header=False), []
    text, encoding = decoded(_plain_bytes(path))
    rows, used = split_rows(text, wanted, separator)
    return rows, _reading_notes(path, encoding, used, len(_header(rows)))


def _read_parquet(path: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(named) if named else frame


def _is_typed(path: str) -> bool:
    return Path(path).suffix.lower() in (*PARQUET, *SPREADSHEETS)


def _read_sheet(path: str, sheet: str | int | None) -> pd.DataFrame:
    with pd.ExcelFile(path) as book:
        wanted = 0 if sheet is None else sheet
        if wanted not in book.sheet_names and not _is_position(wanted, len(book.sheet_names)):
            raise Unreadable(f"it has no sheet {wanted!r}, but {', '.join(book.sheet_names)}")
        name = book.sheet_names[wanted] if isinstance(wanted, int) else wanted
        if book.engine == "openpyxl":
            return pd.DataFrame(_cells_of_sheet(path, name), dtype=object)
        return pd.read_excel(book, sheet_name=name, header=None, dtype=object)


def _cells_of_sheet(path: str, sheet: str) -> list[list[object]]:
    """Return the cells of a sheet as they are, where pandas takes faults for missing values.

    A cell in error is its text, such as #DIV/0!, and a formula whose result is not in the file
    stands for itself.
    """
    results, formulas = (_sheet_values(path, sheet, of) for of in (True, False))
    width = max(map(len, results), default=0)
    return [
        [_result(*pair) for pair in zip(*rows, strict=True)] + [None] * (width - len(rows[0]))
        for rows in zip(results, formulas, strict=True)
    ]


def _sheet_values(path: str, sheet: str, results: bool) -> list[tuple[object, ...]]:
    """Return the cells of a sheet, with the results of its formulas or with the formulas."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=results)
    try:
        book[sheet].reset_dimensions()  # what a file says of its size is wrong at times
        return list(book[sheet].iter_rows(values_only=True))
    finally:
        book.close()


def _result(result: object, formula: object) -> object:
    if result is None and formula is not None:
        return formula if isinstance(formula, str) else "=..."
    return result


def _is_position(sheet: str | int, count: int) -> bool:
    return isinstance(sheet, int) and sheet < count


def _read_by_pandas(path: str, read, **options) -> pd.DataFrame:
    try:
        return read(path, **options)
    except Unreadable:
        raise
    except ImportError as error:
        raise Unreadable(f"a package is needed to read it: {error}") from None
    except Exception as error:
        raise Unreadable(f"it cannot be read: {error}") from None


def _plain_bytes(path: str) -> bytes:
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be opened: {error.strerror}") from None
    if raw.startswith(ZIP):
        raise Unreadable("it is a spreadsheet or a zip archive under another name")
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"the gzip file is damaged: {error}") from None


def decoded(raw: bytes) -> tuple[str, str]:
    """Return the text of bytes and the name of its encoding."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _decoded_as(raw, encoding), encoding
    if b"\x00" in raw[:4096]:
        encoding = "utf-16-le" if raw[1:2] == b"\x00" else "utf-16-be"
        return _decoded_as(raw, encoding), encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return _decoded_as(raw, "latin-1"), "latin-1"


def _decoded_as(raw: bytes, encoding: str) -> str:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable(f"its bytes are not {encoding.upper()} text") from None
    if "\x00" in text:
        raise Unreadable("it holds zero bytes: this is no text table")
    return text


def split_rows(
    text: str, wanted: Sequence[str], separator: str | None
) -> tuple[list[list[str]], str]:
    """Return the cells of a text and the separator used.

    The separator is the given one, else the one whose header holds most of the wanted
    columns; with equal hits, the one that most rows agree on.
    """
    tried, faults = [], []
    for each in [separator] if separator else SEPARATORS:
        try:
            tried.append((list(csv.reader(io.StringIO(text, newline=""), delimiter=each)), each))
        except csv.Error as error:
            faults.append(str(error))
    if not tried:
        raise Unreadable(f"it cannot be read as a table: {faults[0]}")
    return max(tried, key=lambda each: _fit(each[0], wanted))


def _fit(rows: list[list[str]], wanted: Sequence[str]) -> tuple[int, int]:
    if not rows:
        return (0, 0)
    header = _header(rows)
    width = len(header)
    even = sum(len(row) == width for row in rows) if width > 1 else 0
    return (sum(name in header for name in wanted), even)


def _header(rows: list[list[str]]) -> list[str]:
    return [name.strip() for name in rows[0]] if rows else []


def _typed_rows(frame: pd.DataFrame, header: bool = True) -> list[list[str]]:
    """Return a typed table as texts that give the same numbers again."""
    columns = [[cell_text(value) for value in frame[name]] for name in frame.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return [[str(name) for name in frame.columns], *rows] if header else rows


def cell_text(value: object) -> str:
    """Return one typed cell as text: nothing for a missing value, all digits of a number."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, float):  # numpy's float64 included
        exact = value.is_integer() and abs(value) < WIDE_INTEGER
        return str(int(value)) if exact else repr(float(value))
    if hasattr(value, "dtype") and value.dtype.kind == "f":
        return cell_text(float(value))
    return str(value)


def _reading_notes(path: str, encoding: str, separator: str, columns: int) -> list[Finding]:
    odd = []
    if encoding not in ("utf-8", "utf-8-sig"):
        odd.append(f"encoding {encoding}")
    if separator != ",":
        odd.append(f"separator {SEPARATOR_NAMES.get(separator, separator)}, {columns} columns")
    return [Finding("TABLE_READ_AS", path, "read with " + ", ".join(odd))] if odd else []


def _shape_findings(path: str, rows: list[list[str]], wanted: Sequence[str]) -> list[Finding]:
    header = _header(rows)
    findings = []
    below = _header_below(rows, wanted)
    shown = ", ".join(repr(name[:LONGEST_SHOWN]) for name in header[:MOST_SHOWN])
    for name in dict.fromkeys(wanted):
        if name not in header:
            what = f"no column {name!r}{_look_alike(name, header)}; its columns are {shown}"
            if below:
                what += f"; row {below} holds the names of columns: remove the rows above it"
            elif any(NUMBER.fullmatch(each) for each in header):
                what += "; the first row holds numbers: has the table no header?"
            findings.append(Finding("TABLE_COLUMN", path, what))
        elif header.count(name) > 1:
            findings.append(
                Finding("TABLE_COLUMN_TWICE", path, f"{header.count(name)} columns named {name!r}")
            )
    # Under a header that is none, every row would look wrong.
    return findings if below else [*findings, *_row_findings(path, rows, wanted)]


def _header_below(rows: list[list[str]], wanted: Sequence[str]) -> int | None:
    """Return the number of the row that holds all wanted names, if it is not the first."""
    names = set(wanted)
    if not names or names & set(_header(rows)):
        return None
    for number, row in enumerate(rows[1:HEADER_SOUGHT], start=2):
        if names <= {cell.strip() for cell in row}:
            return number
    return None


def _row_findings(path: str, rows: list[list[str]], wanted: Sequence[str]) -> list[Finding]:
    """Say which rows have more cells than the header, too few, or none with a text."""
    header = _header(rows)
    ends = [header.index(name) for name in dict.fromkeys(wanted) if name in header]
    filled = [number for number, row in enumerate(rows, start=1) if any(map(str.strip, row))]
    blank = sorted(set(range(2, filled[-1])) - set(filled)) if filled else []
    findings = []
    for number in filled[1:]:
        row = rows[number - 1]
        said = f"{len(row)} cells where the header has {len(header)}"
        if any(cell.strip() for cell in row[len(header) :]):
            findings.append(Finding("TABLE_RAGGED", f"{path} row {number}", said))
        elif cut := [header[at] for at in ends if at >= len(row)]:
            said += f": nothing for {', '.join(cut)}"
            findings.append(Finding("TABLE_SHORT_ROW", f"{path} row {number}", said))
    if blank:
        said = f"{len(blank)} blank rows among the others, the first is row {blank[0]}"
        findings.append(Finding("TABLE_BLANK_ROWS", path, said))
    return findings


def _look_alike(name: str, header: Sequence[str]) -> str:
    """Name a column that differs in case, or in characters that look the same, as µ and μ."""
    alike = [each for each in header if _folded(each) == _folded(name)]
    return f", but {alike[0]!a} looks like it" if alike else ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _frame(rows: list[list[str]]) -> pd.DataFrame:
    """Return rows as a frame of texts, without empty rows and columns of one name."""
    header = _header(rows)
    width = len(header)
    kept = {
        number: (row + [""] * (width - len(row)))[:width]
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    }
    frame = pd.DataFrame(list(kept.values()), index=list(kept), columns=header, dtype=object)
    return frame.loc[:, ~frame.columns.duplicated(keep=False)]
