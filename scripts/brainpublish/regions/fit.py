"""Whether a table speaks of the regions of this atlas at all: what its rows say together."""

from collections.abc import Mapping

import numpy as np

from brainpublish.findings import Finding
from brainpublish.regions.resolve import ATLAS_ID, NAME, Match, resolver, rounded_alike
from brainpublish.regions.table import Table
from brainpublish.regions.values import MISSING

FEW = 0.5  # below this share of matches a table is taken for one of another atlas
LEAST_ROWS = 4
LEAST_COUNTED, DENSE = 6, 2  # ids, and numbers per id, that make a count
EXACT = 2**24  # up to here every whole number is a 32-bit float
NAME_WORDS = ("name", "structure", "description")
OTHERS = ("file", "path", "image", "sample", "subject", "animal", "mouse", "experiment", "project")
SHOWN = 4


def fit_findings(
    table: Table, column: str, matches: Mapping[int, Match], found: Mapping[int, Match]
) -> list[Finding]:
    """Return what is to be said about all regions of a table together.

    `matches` are those of all rows, `found` those that are in the brain.
    """
    return [
        *_form_findings(table, found),
        *_foreign(table, column, matches),
        *_counted(table, column, matches),
        *_disagreeing(table, column, found),
        *_rounded(table, found),
    ]


def _form_findings(table: Table, found: Mapping[int, Match]) -> list[Finding]:
    ids = [match for match in found.values() if match.kind == ATLAS_ID]
    names = sum(match.kind == NAME for match in found.values())
    findings = []
    if names:
        text = f"{names} of {len(found)} regions by full name"
        findings.append(Finding("REGION_BY_NAME", table.path, text))
    odd = [match for match in ids if not match.plain]
    if odd:
        text = f"{len(odd)} ids are read as whole numbers, such as {odd[0].written!r}"
        findings.append(Finding("REGION_ID_FORM", table.path, text))
    if ids and len(ids) < len(found):
        text = f"{len(ids)} rows hold an atlas id, {len(found) - len(ids)} an acronym or a name"
        findings.append(Finding("REGION_MIXED", table.path, text))
    return findings


def _foreign(table: Table, column: str, matches: Mapping[int, Match]) -> list[Finding]:
    """Say that most regions of a table are not in the atlas."""
    texts = {match.written: match for match in matches.values()}
    texts = {text: match for text, match in texts.items() if text.casefold() not in MISSING}
    known = sum(match.region is not None or _was_rounded(match) for match in texts.values())
    if len(texts) < LEAST_ROWS or known >= FEW * len(texts):
        return []
    text = f"{known} of {len(texts)} different entries of column {column} are regions of the atlas"
    return [Finding("REGION_OTHER_ATLAS", table.path, text)]


def _was_rounded(match: Match) -> bool:
    return match.written.isdecimal() and bool(rounded_alike(int(match.written)))


def _counted(table: Table, column: str, matches: Mapping[int, Match]) -> list[Finding]:
    """Say that ids are little more than numbers in a row, as labels of other atlases are.

    Ids of the Allen ontology lie far apart; many small numbers happen to be among them.
    """
    written = (match.written.lstrip("+-") for match in matches.values())
    ids = {int(text) for text in written if text.isdecimal()} - {0}
    if len(ids) < LEAST_COUNTED or max(ids) - min(ids) >= DENSE * len(ids):
        return []
    text = (
        f"the {len(ids)} different ids of column {column} are numbers from {min(ids)} to "
        f"{max(ids)}: row numbers, or labels of another atlas?"
    )
    return [Finding("REGION_OTHER_ATLAS", table.path, text)]


def _disagreeing(table: Table, column: str, found: Mapping[int, Match]) -> list[Finding]:
    """Hold the regions against the names that stand beside them, where there are any."""
    findings = []
    for beside in table.frame.columns:
        if beside == column or not _names_regions(table, beside):
            continue
        texts = table.frame[beside]
        named = {row: match for row, match in found.items() if _is_words(texts[row])}
        other = [
            row
            for row, match in named.items()
            if not _same(resolver(True).match(texts[row]), match)
        ]
        if len(named) >= LEAST_ROWS and len(other) > len(named) * (1 - FEW):
            findings.append(_disagreement(table, beside, len(named), other, named))
        else:
            findings += [
                _disagreement(table, beside, 1, [row], named)
                for row in other
                if resolver(True).match(texts[row]).region is not None
            ]
    return findings


def _names_regions(table: Table, column: str) -> bool:
    """Say whether a column may hold names of regions: not of files, and not one for all rows."""
    header = column.casefold()
    if not any(word in header for word in NAME_WORDS) or any(word in header for word in OTHERS):
        return False
    return table.frame[column].nunique() > 1


def _is_words(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and text.strip().casefold() not in MISSING


def _same(beside: Match, match: Match) -> bool:
    return beside.region is not None and beside.region.index == match.region.index


def _disagreement(
    table: Table, beside: str, count: int, rows: list[int], named: Mapping[int, Match]
) -> Finding:
    shown = "; ".join(
        f"row {row}: {named[row].region.acronym} is {named[row].region.name!r}, "
        f"beside it stands {table.frame.at[row, beside]!r}"
        for row in rows[:SHOWN]
    )
    what = f"column {beside} agrees in {count - len(rows)} of {count} rows; {shown}"
    where = table.path if count > 1 else table.place(rows[0], beside)
    return Finding("REGION_DISAGREES", where, what if count > 1 else shown)


def _rounded(table: Table, found: Mapping[int, Match]) -> list[Finding]:
    """Name ids that others become as 32-bit floats, in a table whose ids may be such floats."""
    ids = {
        row: match.region.atlas_id
        for row, match in found.items()
        if match.kind == ATLAS_ID and match.region.atlas_id > EXACT
    }
    if any(int(np.float32(atlas_id)) != atlas_id for atlas_id in ids.values()):
        return []
    return [
        Finding(
            "REGION_ID_ROUNDED",
            table.place(row),
            f"{atlas_id} is {found[row].region.acronym}; so are, as 32-bit floats, "
            f"{', '.join(str(each) for each in rounded_alike(atlas_id))}",
        )
        for row, atlas_id in ids.items()
        if rounded_alike(atlas_id)
    ]
