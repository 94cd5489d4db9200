"""Where each row of a table belongs: its region and the side or sides of the brain."""

from collections.abc import Collection
from dataclasses import dataclass, field

from brainpublish.findings import Finding
from brainpublish.regions.resolve import (
    ANY_CASE,
    ATLAS_ID,
    NAME,
    NO_REGION,
    Match,
    looks_like_date,
    resolver,
)
from brainpublish.regions.table import Table
from brainpublish.regions.universe import SIDES, universe
from brainpublish.regions.values import MISSING

SIDE_WORDS = {
    "left": ("left",),
    "l": ("left",),
    "lh": ("left",),
    "right": ("right",),
    "r": ("right",),
    "rh": ("right",),
    "both": SIDES,
}


@dataclass(frozen=True)
class Place:
    """The region of a row (its index on the right side) and the sides that the row speaks of.

    `sides` is empty if neither the table nor the config says a side.
    """

    index: int
    sides: tuple[str, ...]


@dataclass
class Places:
    """The places of a table's rows. A row with a fault, or outside the brain, has none.

    `signed_row` is the first row whose atlas id has a minus sign, if any has.
    """

    by_row: dict[int, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    outside: set[int] = field(default_factory=set)
    signed_row: int | None = None


def hemisphere_column(hemisphere: str | None) -> str | None:
    """Return the name of the column that holds the sides, or None if there is none."""
    return None if hemisphere is None or hemisphere in ("left", "right", "both") else hemisphere


def row_places(
    table: Table,
    column: str,
    hemisphere: str | None,
    value_columns: Collection[str],
    ignore_case: bool = False,
) -> Places:
    """Resolve the regions and the sides of all rows, with everything that is wrong in them.

    `value_columns` are the columns with values: a row without region and without any value
    is not counted as a fault.
    """
    places = Places()
    matches = _matches(table, column, value_columns, ignore_case, places)
    places.signed_row = next((row for row, match in matches.items() if match.sign < 0), None)
    signed = places.signed_row is not None
    if not signed and hemisphere == "left":
        _refuse_unsigned_ids(table, matches, places)
    for row, match in matches.items():
        sides = _sides(table, row, match, hemisphere, signed, places)
        if sides is not None:
            places.by_row[row] = Place(match.region.index, sides)
    return places


def _matches(
    table: Table, column: str, value_columns: Collection[str], ignore_case: bool, places: Places
) -> dict[int, Match]:
    """Return the matches of the rows that are in the brain; record the others."""
    known = resolver(ignore_case)
    found: dict[int, Match] = {}
    for row, text in table.frame[column].items():
        match = known.match(text)
        if match.written.casefold() in MISSING:
            _record_empty(table, row, value_columns, places)
        elif match.region is None and match.written.casefold() in NO_REGION:
            _record_outside(table, row, match.written, places)
        elif match.region is None:
            places.findings.append(_unknown(table, row, match))
        elif match.region.index in universe().outside:
            _record_outside(table, row, match.written, places)
        else:
            found[row] = match
            if match.written != text:
                places.findings.append(
                    Finding(
                        "REGION_TRIMMED", table.place(row), f"{text!r} is read as {match.written!r}"
                    )
                )
            if match.kind == ANY_CASE:
                places.findings.append(
                    Finding(
                        "REGION_ANY_CASE",
                        table.place(row),
                        f"{match.written!r} is read as {match.region.acronym}",
                    )
                )
    names = sum(match.kind == NAME for match in found.values())
    if names:
        places.findings.append(
            Finding("REGION_BY_NAME", table.path, f"{names} of {len(found)} regions by full name")
        )
    return found


def _record_empty(table: Table, row: int, value_columns: Collection[str], places: Places) -> None:
    places.outside.add(row)
    cells = table.frame.loc[row]
    if any(cells[name].strip().casefold() not in MISSING for name in value_columns):
        places.findings.append(
            Finding("REGION_EMPTY", table.place(row), "values but no region: a total, or a gap?")
        )


def _record_outside(table: Table, row: int, written: str, places: Places) -> None:
    places.outside.add(row)
    places.findings.append(
        Finding(
            "REGION_OUTSIDE", table.place(row), f"{written!r} is no place in the brain: left out"
        )
    )


def _unknown(table: Table, row: int, match: Match) -> Finding:
    code = "REGION_IS_DATE" if looks_like_date(match.written) else "REGION_UNKNOWN"
    hint = f"; {match.hint}" if match.hint else ""
    return Finding(code, table.place(row), f"{match.written!r} is no region of the atlas{hint}")


def _refuse_unsigned_ids(table: Table, matches: dict[int, Match], places: Places) -> None:
    rows = [row for row, match in matches.items() if match.kind == ATLAS_ID]
    if rows:
        places.findings.append(
            Finding(
                "REGION_SIDE",
                table.place(rows[0]),
                f"all {len(rows)} atlas ids are positive, which means the right side, "
                "but the hemisphere is left",
            )
        )


def _sides(
    table: Table, row: int, match: Match, hemisphere: str | None, signed: bool, places: Places
) -> tuple[str, ...] | None:
    """Return the sides of one row, or None after recording why there are none."""
    column = hemisphere_column(hemisphere)
    word = table.frame.at[row, column] if column is not None else hemisphere
    stated = SIDE_WORDS.get(word.strip().casefold()) if word is not None else ()
    if stated is None:
        places.findings.append(
            Finding(
                "HEMISPHERE_UNKNOWN",
                table.place(row, column),
                f"{word!r} is none of left, right and both",
            )
        )
        return None
    if match.kind != ATLAS_ID or not (signed or not stated):
        return stated
    by_sign = "left" if match.sign < 0 else "right"
    if stated and by_sign not in stated:
        places.findings.append(
            Finding(
                "REGION_SIDE",
                table.place(row),
                f"atlas id {match.written} means the {by_sign} side, but the hemisphere is {word}",
            )
        )
        return None
    return (by_sign,)
