"""Labels that were painted in colours: the table of colour to id, proposed and confirmed."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from brainpublish.files import write_text
from brainpublish.findings import Finding
from brainpublish.slices.masks import LABELS, MaskRule, colour_codes

COLUMNS = ("red", "green", "blue", "id")
_MOST = 4096


def colours_in(values: np.ndarray) -> list[int]:
    """Return the colours of a slice y, x, samples as `colour_codes`, one more than allowed at most.

    Raises:
        UnreadableSlice: if they have more than 8 bits.
    """
    return np.unique(colour_codes(values))[: _MOST + 1].tolist()


def proposed_rule(codes: Iterable[int], where: str):
    """Return how colour-coded slices would be read, findings, and the table to confirm.

    Args:
        codes: all colours in the slices.
        where: the place that findings name.
    """
    codes = sorted(set(codes))
    if len(codes) > _MOST:
        text = f"more than {_MOST:,} colours: these are pictures, not labels"
        return MaskRule(LABELS), [Finding("SLICE_COLOUR", where, text)], []
    rows = [(code >> 16, code >> 8 & 255, code & 255, label) for label, code in enumerate(codes)]
    if codes and codes[0] != 0:
        rows = [(red, green, blue, label + 1) for red, green, blue, label in rows]
    text = f"{len(rows)} colours in the slices; a table of them was written"
    return MaskRule(LABELS, colours=tuple(rows)), [Finding("MASK_COLOURS", where, text)], rows


def confirmed_rule(table: str, where: str):
    """Return how colour-coded slices are read by a table, and findings."""
    try:
        rows = read_colours(table)
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = f"the table {table} cannot be read: {error}"
        return MaskRule(LABELS), [Finding("MASK_COLOURS", where, text)]
    note = Finding("MASK_KIND", where, f"labels by colour: {len(rows)} colours, as {table} says")
    return MaskRule(LABELS, colours=tuple(rows)), [note]


def read_colours(path: str | Path) -> list[tuple[int, int, int, int]]:
    """Read a table with the columns red, green, blue and id, separated by tabs.

    Raises:
        ValueError: if a cell is no number in range, or a colour occurs twice.
        KeyError: if a column is missing.
        OSError: if the file cannot be read.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = [
            tuple(int(row[name]) for name in COLUMNS)
            for row in csv.DictReader(file, delimiter="\t")
        ]
    if not rows:
        raise ValueError("it has no rows")
    for *colour, label in rows:
        if not all(0 <= level <= 255 for level in colour) or not 0 <= label < 2**64:
            raise ValueError(f"the row {(*colour, label)} is out of range")
    if len({row[:3] for row in rows}) < len(rows):
        raise ValueError("a colour occurs twice")
    return rows


def write_colours(path: str | Path, rows: Sequence[tuple[int, int, int, int]]) -> None:
    """Write a table that `read_colours` reads."""
    lines = ["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")
