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


def hidden_places(operator: Operator, mapping: str, places: Sequence[Place]) -> list[Place]:
    """Return the given places that one view does not show in a place of the brain."""
    seen = np.zeros(len(places), dtype=bool)
    shown = ~np.isin(operator.rows[mapping], (VOID, ROOT))
    seen[operator.weights[mapping][shown].indices] = True
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
    """Say which of a list of regions the views of the website do not show."""
    by_view = {name: hidden_places(operator, name, places) for name in MAPPINGS}
    everywhere = set.intersection(*(set(hidden) for hidden in by_view.values()))
    nowhere = [place for place in places if place in everywhere]
    if not visible(operator):
        return [Finding("FEATURE_INVISIBLE", where, f"given are {acronyms(nowhere)}")]
    findings = []
    if nowhere:
        text = f"{len(nowhere)} of {len(places)}: {acronyms(nowhere)}"
        findings.append(Finding("REGION_INVISIBLE", where, text))
    for name, hidden in by_view.items():
        partly = [place for place in hidden if place not in everywhere]
        if partly:
            text = f"{name}: {len(partly)} of {len(places)}: {acronyms(partly)}"
            findings.append(Finding("REGION_HIDDEN_IN_VIEW", where, text))
        drawn = operator.rows[name]
        if np.count_nonzero(~np.isin(drawn, (VOID, ROOT))) == 1:
            findings.append(Finding("VIEW_OF_ONE_REGION", where, name))
    return findings


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
