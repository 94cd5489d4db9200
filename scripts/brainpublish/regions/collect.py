"""All values of a bucket: one row per feature, region and side, out of any number of tables.

The result keeps which rows of which table made each value, and by which rule.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd

from brainpublish.findings import WARNING, Finding, errors_in
from brainpublish.regions.aggregate import (
    STATISTICS,
    Observation,
    aggregated,
    repeated_findings,
    row_list,
)
from brainpublish.regions.places import Places, hemisphere_column, row_places
from brainpublish.regions.synonyms import known_regions
from brainpublish.regions.table import Table, read_table
from brainpublish.regions.tree import feature_names
from brainpublish.regions.universe import SIDES
from brainpublish.regions.values import Cell, cell_number

OF_RECORD = (
    "feature",
    "acronym",
    "atlas_id",
    "hemisphere",
    "value",
    "rows",
    "aggregate",
    "source",
)
COLUMNS = (*OF_RECORD, *STATISTICS)
NAN = float("nan")
NOTHING: Mapping[str, float] = MappingProxyType({})


def resolve_bucket(bucket: dict) -> tuple[pd.DataFrame, list[Finding]]:
    """Return a bucket's values and all findings in its tables.

    `bucket` is its section of the config. The frame has the columns `COLUMNS`: `atlas_id` is
    signed (negative is left), `value` float64, `rows` the number of input rows behind it,
    `source` their table and row numbers; the columns of `STATISTICS` hold what the table or
    the rows say beside the value, NaN where nothing. Features come in the order of the
    config, regions in the order of the tables.
    """
    records: list[dict] = []
    findings: list[Finding] = []
    for section in bucket["tables"]:
        found, said = table_records(section)
        records += found
        findings += said
    order = {name: i for i, name in enumerate(feature_names(bucket))}
    records.sort(key=lambda record: order[record["feature"]])
    return _frame(records), findings


def _frame(records: Sequence[dict]) -> pd.DataFrame:
    """Return records as a table; column by column, which pandas takes far quicker."""
    columns = {name: [record[name] for record in records] for name in OF_RECORD}
    for name in STATISTICS:
        numbers = [record.get(name, NAN) for record in records]
        columns[name] = np.array(numbers, dtype=np.float64)
    return pd.DataFrame(columns, columns=list(COLUMNS))


def table_records(section: dict) -> tuple[list[dict], list[Finding]]:
    """Return one record per feature, region and side of one table, and what is wrong in it.

    A missing column hides only the features that need it.
    """
    of_rows, of_features = _row_columns(section), _feature_columns(section)
    wanted = [*of_rows, *(column for columns in of_features.values() for column in columns)]
    table, findings = read_table(
        section["path"], wanted, section.get("separator"), section.get("sheet")
    )
    if table is None or not set(of_rows) <= set(table.frame):
        return [], findings
    there = [name for name, columns in of_features.items() if set(columns) <= set(table.frame)]
    numbers = {column for name in there for column in of_features[name]}
    if section.get("value"):
        numbers.add(section["value"])
    known, said = known_regions(section)
    findings += said
    places = row_places(table, section["regions"], section.get("hemisphere"), numbers, known)
    of_places = [*places.findings, *_side_findings(table, section, places)]
    findings += [*of_places, *_unused_rows(table, section)]
    placed = any(place.sides for place in places.by_row.values())
    weights, said = _weights(table, section, places)
    findings += said
    records: list[dict] = []
    repeated: list[list[Observation]] = []
    for name in there:
        observations, said = _feature_observations(table, section, name, places, weights)
        findings += said
        found, groups = aggregated(observations)
        records += found
        repeated += groups
        explained = errors_in(said) or (errors_in(of_places) and not placed)
        if not observations and not explained:
            where = f"{table.path}, feature {name}"
            findings.append(Finding("FEATURE_EMPTY", where, "no region has a value"))
    return records, [*findings, *repeated_findings(repeated)]


def _row_columns(section: dict) -> list[str]:
    """Return the columns that say what a row is about, whatever the feature."""
    side = hemisphere_column(section.get("hemisphere"))
    others = [section[key] for key in ("feature", "value", "weight") if section.get(key)]
    return [section["regions"], *([side] if side else []), *others]


def _feature_columns(section: dict) -> dict[str, list[str]]:
    """Return the columns that hold the numbers of each feature."""
    own = {
        name: [] if section.get("value") else [column for _, column in _columns(name, feature)]
        for name, feature in section["features"].items()
    }
    return {
        name: [*own[name], *_statistic_columns(feature).values()]
        for name, feature in section["features"].items()
    }


def _statistic_columns(feature: dict) -> dict[str, str]:
    columns = feature.get("statistics") or {}
    return {statistic: column for statistic, column in columns.items() if column}


def _columns(name: str, feature: dict) -> Iterator[tuple[str | None, str]]:
    """Yield (side, column) of a feature in a wide table; no side: the row says it."""
    if feature.get("values"):
        yield from (
            (side, feature["values"][side]) for side in SIDES if feature["values"].get(side)
        )
    else:
        yield None, feature.get("column") or name


def _side_findings(table: Table, section: dict, places: Places) -> list[Finding]:
    """Hold the sides of the rows against what the features need."""
    by_column = [bool(feature.get("values")) for feature in section["features"].values()]
    findings = []
    if any(by_column) and places.signed_row is not None:
        what = "the atlas id has a sign, but the columns say the side"
        findings.append(Finding("REGION_SIDE", table.place(places.signed_row), what))
    rows = [row for row, place in places.by_row.items() if not place.sides]
    if rows and not all(by_column):
        what = f"{len(rows)} regions given without a side, the first in row {rows[0]}"
        findings.append(Finding("HEMISPHERE_MISSING", table.path, what))
    return findings


def _unused_rows(table: Table, section: dict) -> list[Finding]:
    """Name what a long table holds beside the features of the config."""
    if not section.get("feature"):
        return []
    wanted = {feature.get("column") or name for name, feature in section["features"].items()}
    labels = [label.strip() for label in table.frame[section["feature"]]]
    unused = [label for label in labels if label not in wanted]
    if not unused:
        return []
    text = f"{len(unused)} rows, of {row_list([repr(each) for each in dict.fromkeys(unused)])}"
    folded = {label.casefold() for label in wanted}
    alike = [label for label in dict.fromkeys(unused) if label.casefold() in folded]
    if not alike:
        return [Finding("LONG_ROWS_UNUSED", table.path, text)]
    text += f"; {row_list([repr(each) for each in alike])} differ from a feature by case alone"
    return [Finding("LONG_ROWS_UNUSED", table.path, text, severity=WARNING)]


def _feature_observations(
    table: Table, section: dict, name: str, places: Places, weights: dict[int, float]
) -> tuple[list[Observation], list[Finding]]:
    observations: list[Observation] = []
    findings: list[Finding] = []
    missing: list[int] = []
    beside = _statistics(table, section, name, places, findings)
    rule, read, by_row = section.get("aggregate", "error"), _reader(table, section), places.by_row
    for row, side, column, text in _cells(table, section, name, places):
        number, code, message = read(text)
        if code:
            findings.append(Finding(code, table.place(row, column), message))
        elif (place := by_row.get(row)) is None:
            continue
        elif number is None:
            missing.append(row)
        else:
            of_row = (table.path, row, rule, beside.get(row, NOTHING), weights.get(row, 1.0))
            observations += [
                Observation(name, place.index, each, number, *of_row)
                for each in ((side,) if side else place.sides)
            ]
    if missing:
        findings.append(_missing_values(table, name, missing))
    return observations, findings


def _reader(table: Table, section: dict) -> Callable[[str], Cell]:
    """Return what makes a number of a cell's text, as a table's section has it."""
    return partial(
        cell_number,
        decimal=section.get("decimal", "."),
        missing=section.get("missing") or (),
        typed=table.typed,
    )


def _weights(table: Table, section: dict, places: Places) -> tuple[dict[int, float], list[Finding]]:
    """Return {row: weight}, and the rows whose weight is no number of 0 or more."""
    column, read = section.get("weight"), _reader(table, section)
    weights: dict[int, float] = {}
    findings = []
    for row, text in table.frame[column].items() if column else ():
        cell = read(text)
        weights[row] = cell.value if cell.value is not None else 0.0
        bad = cell.code or cell.value is None or cell.value < 0
        if bad and row in places.by_row:
            what = cell.message or f"{text!r} is no weight"
            findings.append(Finding("WEIGHT", table.place(row, column), what))
    return weights, findings


def _statistics(
    table: Table, section: dict, name: str, places: Places, findings: list[Finding]
) -> dict[int, dict[str, float]]:
    """Return {row: {statistic: number}} of the columns beside a feature's own."""
    beside: dict[int, dict[str, float]] = {}
    columns, read = _statistic_columns(section["features"][name]), _reader(table, section)
    for statistic, column in columns.items():
        for row, text in table.frame[column].items():
            cell = read(text)
            if cell.code and row not in places.outside:
                findings.append(Finding(cell.code, table.place(row, column), cell.message))
            elif cell.value is not None:
                beside.setdefault(row, {})[statistic] = cell.value
    return beside


def _cells(
    table: Table, section: dict, name: str, places: Places
) -> Iterator[tuple[int, str | None, str, str]]:
    """Yield (row, side or None, column, text) of each cell of a feature in the brain."""
    feature, outside = section["features"][name], places.outside
    rows = [row for row in table.frame.index.tolist() if row not in outside]
    columns = list(_columns(name, feature))
    if section.get("feature"):
        labels = table.frame[section["feature"]].to_dict()
        rows = [row for row in rows if labels[row].strip() == (feature.get("column") or name)]
        columns = [(None, section["value"])]
    for side, column in columns:
        texts = dict(zip(table.frame.index.tolist(), table.frame[column].tolist(), strict=True))
        yield from ((row, side, column, texts[row]) for row in rows)


def _missing_values(table: Table, name: str, rows: Sequence[int]) -> Finding:
    return Finding(
        "VALUE_MISSING",
        f"{table.path}, feature {name}",
        f"{len(rows)} rows without a value are left out: {row_list(rows)}",
    )
