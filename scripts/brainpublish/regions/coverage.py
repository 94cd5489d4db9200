"""What a reader will see of a feature, and what not: overlap, invisible regions, grey zeros."""

from collections.abc import Iterable, Sequence

import numpy as np

from brainpublish.findings import Finding
from brainpublish.regions.mapping import MAPPINGS, Operator
from brainpublish.regions.universe import ROOT, VOID, universe

SHOWN = 6
SHOWN_OVERLAPS = 3

Place = tuple[int, str]  # a region's index, and its side


def shortened(names: Iterable[str], shown: int = SHOWN) -> str:
    """Return names as text, each once, the first few of many."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def acronyms(places: Iterable[Place]) -> str:
    """Return the acronyms of places as text, the first few of many."""
    return shortened(universe().regions[index].acronym for index, _ in places)


def overlaps(places: Sequence[Place]) -> dict[Place, list[Place]]:
    """Return {place: [places inside it]} of those that are given together."""
    given = set(places)
    below: dict[Place, list[Place]] = {}
    for index, side in places:
        for ancestor in universe().ancestors(index):
            if (ancestor, side) in given:
                below.setdefault((ancestor, side), []).append((index, side))
    return below


def visible(operator: Operator) -> bool:
    """Say whether any view shows a value in a place of the brain."""
    return any(not np.isin(operator.rows[name], (VOID, ROOT)).all() for name in MAPPINGS)


def invisible_places(operator: Operator, places: Sequence[Place]) -> list[Place]:
    """Return the given places that no view shows in a place of the brain."""
    seen = np.zeros(len(places), dtype=bool)
    for name in MAPPINGS:
        shown = ~np.isin(operator.rows[name], (VOID, ROOT))
        seen[operator.weights[name][shown].indices] = True
    return [place for place, is_seen in zip(places, seen, strict=True) if not is_seen]


def region_findings(where: str, operator: Operator, places: Sequence[Place]) -> list[Finding]:
    """Say what of a list of regions the website will not show as it was given."""
    findings = []
    below = overlaps(places)
    if below:
        text = "; ".join(
            f"{acronyms([above])} ({above[1]}) with {acronyms(inside)}"
            for above, inside in list(below.items())[:SHOWN_OVERLAPS]
        )
        more = len(below) - SHOWN_OVERLAPS
        text += f"; and {more} more such regions" if more > 0 else ""
        findings.append(Finding("REGION_OVERLAP", where, text))
    hidden = invisible_places(operator, places)
    if not visible(operator):
        findings.append(Finding("FEATURE_INVISIBLE", where, f"given are {acronyms(hidden)}"))
    elif hidden:
        text = f"{len(hidden)} of {len(places)}: {acronyms(hidden)}"
        findings.append(Finding("REGION_INVISIBLE", where, text))
    return findings


def value_findings(where: str, places: Sequence[Place], values: Sequence[float]) -> list[Finding]:
    """Say which values of a feature the website paints in a way that misleads."""
    findings = []
    zeros = [place for place, value in zip(places, values, strict=True) if value == 0]
    if zeros:
        text = f"{len(zeros)} of {len(places)} values are 0: {acronyms(zeros)}"
        findings.append(Finding("VALUE_ZERO", where, text))
    if len(values) > 1 and min(values) == max(values):
        text = f"all {len(values)} values are {values[0]:g}"
        findings.append(Finding("FEATURE_CONSTANT", where, text))
    return findings
