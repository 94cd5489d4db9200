"""What a reader will see of a feature, and what not: overlap, invisible regions, grey zeros."""

from collections.abc import Sequence

import numpy as np

from brainpublish.findings import Finding
from brainpublish.regions.mapping import MAPPINGS, Operator
from brainpublish.regions.universe import ROOT, VOID, universe

SHOWN = 8


def overlaps(indices: Sequence[int]) -> dict[int, list[int]]:
    """Return {ancestor: [its given descendants]} of regions given by index, for one side."""
    given = set(indices)
    below: dict[int, list[int]] = {}
    for index in indices:
        for ancestor in universe().ancestors(index):
            if ancestor in given:
                below.setdefault(ancestor, []).append(index)
    return below


def overlap_findings(name: str, places: Sequence[tuple[int, str]]) -> list[Finding]:
    """Name the regions of a feature that are given together with a region above them.

    `places` are (index, side).
    """
    findings = []
    for side in dict.fromkeys(side for _, side in places):
        below = overlaps([index for index, each in places if each == side])
        if below:
            text = "; ".join(
                f"{_acronym(above)} with {acronym_list(under)}"
                for above, under in list(below.items())[:SHOWN]
            )
            more = f" and {len(below) - SHOWN} more" if len(below) > SHOWN else ""
            findings.append(Finding("REGION_OVERLAP", f"feature {name}, {side} side", text + more))
    return findings


def visible(operator: Operator) -> bool:
    """Say whether any view shows a value in a place of the brain."""
    return any(not np.isin(operator.rows[name], (VOID, ROOT)).all() for name in MAPPINGS)


def invisible_places(operator: Operator, places: Sequence[tuple[int, str]]) -> list[int]:
    """Return the positions of given regions that no view shows in a place of the brain."""
    seen = np.zeros(len(places), dtype=bool)
    for name in MAPPINGS:
        shown = ~np.isin(operator.rows[name], (VOID, ROOT))
        seen[operator.weights[name][shown].indices] = True
    return np.flatnonzero(~seen).tolist()


def coverage_findings(
    name: str,
    operator: Operator,
    places: Sequence[tuple[int, str]],
    values: Sequence[float],
) -> list[Finding]:
    """Say what of a feature will not be seen as it was given."""
    where = f"feature {name}"
    hidden = [places[position] for position in invisible_places(operator, places)]
    if not visible(operator):
        return [
            Finding(
                "FEATURE_INVISIBLE", where, f"no view shows any of {acronym_list(_indices(hidden))}"
            )
        ]
    findings = []
    if hidden:
        findings.append(
            Finding("REGION_INVISIBLE", where, f"{len(hidden)}: {acronym_list(_indices(hidden))}")
        )
    zeros = [place for place, value in zip(places, values, strict=True) if value == 0]
    if zeros:
        findings.append(
            Finding("VALUE_ZERO", where, f"{len(zeros)}: {acronym_list(_indices(zeros))}")
        )
    if len(values) > 1 and min(values) == max(values):
        findings.append(
            Finding("FEATURE_CONSTANT", where, f"all {len(values)} values are {values[0]:g}")
        )
    return findings


def _indices(places: Sequence[tuple[int, str]]) -> list[int]:
    return [index for index, _ in places]


def acronym_list(indices: Sequence[int]) -> str:
    """Return acronyms as text, the first few of many, each once."""
    names = list(dict.fromkeys(_acronym(index) for index in indices))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _acronym(index: int) -> str:
    return universe().regions[index].acronym
