"""What a reader will see of a feature, and what not: overlap, invisible regions, grey zeros."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from brainpublish.findings import ERROR, WARNING, Finding
from brainpublish.regions.mapping import MAPPINGS, Operator
from brainpublish.regions.overlap import Place
from brainpublish.regions.universe import ROOT, VOID, universe
from brainpublish.regions.values import suspected_code

AS_IS, REFUSE, EXPAND = "as-is", "refuse", "expand"
SHOWN = 6
SHOWN_OVERLAPS = 3


def shortened(names: Iterable[str], shown: int = SHOWN) -> str:
    """Return names as text, each once, the first few of many."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def acronyms(places: Iterable[Place]) -> str:
    """Return the acronyms of places as text, the first few of many."""
    return shortened(universe().regions[index].acronym for index, _ in places)


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


def overlap_findings(where: str, below: Mapping[Place, Sequence[Place]], way: str) -> list[Finding]:
    """Say which regions are given together with regions inside them, and what becomes of it."""
    if not below:
        return []
    text = "; ".join(
        f"{acronyms([above])} ({above[1]}) with {acronyms(inside)}"
        for above, inside in list(below.items())[:SHOWN_OVERLAPS]
    )
    more = len(below) - SHOWN_OVERLAPS
    text += f"; and {more} more such regions" if more > 0 else ""
    if way == EXPAND:
        return [Finding("REGION_EXPANDED", where, text)]
    return [Finding("REGION_OVERLAP", where, text, severity=ERROR if way == REFUSE else WARNING)]


def visibility_findings(where: str, operator: Operator, places: Sequence[Place]) -> list[Finding]:
    """Say which of a list of regions no view of the website shows."""
    hidden = invisible_places(operator, places)
    if not visible(operator):
        return [Finding("FEATURE_INVISIBLE", where, f"given are {acronyms(hidden)}")]
    if hidden:
        text = f"{len(hidden)} of {len(places)}: {acronyms(hidden)}"
        return [Finding("REGION_INVISIBLE", where, text)]
    return []


def value_findings(where: str, places: Sequence[Place], values: Sequence[float]) -> list[Finding]:
    """Say which values of a feature mislead a reader of the website."""
    findings = []
    if code := suspected_code(values):
        findings.append(Finding("VALUE_CODE", where, code))
    zeros = [place for place, value in zip(places, values, strict=True) if value == 0]
    if zeros:
        text = f"{len(zeros)} of {len(places)} values are 0: {acronyms(zeros)}"
        findings.append(Finding("VALUE_ZERO", where, text))
    if len(values) > 1 and min(values) == max(values):
        text = f"all {len(values)} values are {values[0]:g}"
        findings.append(Finding("FEATURE_CONSTANT", where, text))
    return findings
