"""Where each row of a table belongs: its region and the side or sides of the brain."""

from collections.abc import Collection
from dataclasses import dataclass, field

from brainpublish.findings import Finding
from brainpublish.regions.fit import fit_findings
from brainpublish.regions.resolve import (
    ANY_CASE,
    ATLAS_ID,
    NO_REGION,
    SYNONYM,
    Match,
    Resolver,
    looks_like_date,
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
    known: Resolver,
) -> Places:
    """Resolve the regions and the sides of all rows, with everything that is wrong in them.

    `known` says which region a text means. `value_columns` are the columns with values: a row
    without region and without any value is not counted as a fault.
    """
    places = Places()
    matches = _matches(table, column, value_columns, known, places)
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
    table: Table, column: str, value_columns: Collection[str], known: Resolver, places: Places
) -> dict[int, Match]:
    """Return the matches of the rows that are in the brain; record the others."""
    matches = {row: known.match(text) for row, text in table.frame[column].items()}
    of_ids = any(match.kind == ATLAS_ID for match in matches.values())
    found = {row: match for row, match in matches.items() if _is_inside(match)}
    for row, match in matches.items():
        written = match.written.casefold()
        if row in found:
            _record_form(table, row, column, match, places)
        elif not written or (of_ids and match.region is None and written in MISSING):
            _record_empty(table, row, value_columns, places)
        elif match.region is not None or written in MISSING or written in NO_REGION:
            _record_outside(table, row, match.written, places)
        else:
            places.findings.append(_unknown(table, row, column, match))
    places.findings += fit_findings(table, column, matches, found)
    return found


def _is_inside(match: Match) -> bool:
    return match.region is not None and match.region.index not in universe().outside


def _record_form(table: Table, row: int, column: str, match: Match, places: Places) -> None:
    """Note a region that is not written as the atlas has it."""
    text = table.frame.at[row, column]
    if match.written != text:
        said = f"{text!r} is read as {match.written!r}"
        places.findings.append(Finding("REGION_TRIMMED", table.place(row), said))
    if match.kind in (ANY_CASE, SYNONYM):
        code = "REGION_ANY_CASE" if match.kind == ANY_CASE else "REGION_SYNONYM"
        said = f"{match.written!r} is read as {match.region.acronym}"
        places.findings.append(Finding(code, table.place(row), said))


def _record_empty(table: Table, row: int, value_columns: Collection[str], places: Places) -> None:
    places.outside.add(row)
    cells = table.frame.loc[row]
    if any(cells[name].strip().casefold() not in MISSING for name in value_columns):
        places.findings.append(
            Finding(
                "REGION_EMPTY",
                table.place(row),
                "values but no region: a total, a gap, merged cells, or a second row of names?",
            )
        )


def _record_outside(table: Table, row: int, written: str, places: Places) -> None:
    places.outside.add(row)
    places.findings.append(
        Finding(
            "REGION_OUTSIDE", table.place(row), f"{written!r} is no place in the brain: left out"
        )
    )


def _unknown(table: Table, row: int, column: str, match: Match) -> Finding:
    code = "REGION_IS_DATE" if looks_like_date(match.written) else "REGION_UNKNOWN"
    again = match.written.casefold() == column.strip().casefold()
    said = "this is the header again: remove the row" if again else match.hint
    hint = f"; {said}" if said else ""
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
