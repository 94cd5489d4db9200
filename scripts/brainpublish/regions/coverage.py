"""What a reader will see of a feature, and what not: overlap, invisible regions, grey zeros."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from brainpublish.findings import ERROR, WARNING, Finding
from brainpublish.regions.mapping import Operator
from brainpublish.regions.overlap import Place
from brainpublish.regions.universe import MAPPINGS, ROOT, SIDES, VOID, universe
from brainpublish.regions.values import suspected_code

AS_IS, REFUSE, EXPAND = "as-is", "refuse", "expand"
SHOWN = 6
SHOWN_OVERLAPS = 3
SMALL, LARGE = 1e-3, 1e6  # beyond them a value is hard to read on the website


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


def coverage(operator: Operator, places: Sequence[Place], others: Sequence[Place]) -> dict:
    """Return where values of a list of regions appear.

    given: how many regions have a value; missing: those of `others` that have none, though
    other features of the table have; drawn: how many regions each view draws; nowhere: given
    regions that no view draws; root: given regions that a view sends to root or void.
    """
    hidden = [set(hidden_places(operator, name, places)) for name in MAPPINGS]
    given = set(places)
    return {
        "given": len(places),
        "missing": names_of(place for place in others if place not in given),
        "drawn": {
            name: int(np.count_nonzero(~np.isin(operator.rows[name], (VOID, ROOT))))
            for name in MAPPINGS
        },
        "nowhere": names_of(place for place in places if all(place in each for each in hidden)),
        "root": {
            name: names_of(places[at] for at in at_root(operator, name))
            for name in ("beryl", "cosmos")
        },
    }


def at_root(operator: Operator, mapping: str) -> list[int]:
    """Return the positions of the values that a view puts into root or void."""
    rows = np.flatnonzero(np.isin(operator.rows[mapping], (VOID, ROOT)))
    return sorted(operator.weights[mapping][rows].indices.tolist())


def grey(places: Sequence[Place], values: Sequence[float]) -> list[str]:
    """Return the acronyms of regions that are painted grey because their value is exactly 0."""
    return names_of(place for place, value in zip(places, values, strict=True) if value == 0)


def names_of(places: Iterable[Place]) -> list[str]:
    """Return the acronyms of places, each once."""
    return list(dict.fromkeys(universe().regions[index].acronym for index, _ in places))


def overlap_findings(
    where: str,
    below: Mapping[Place, Sequence[Place]],
    way: str,
    operator: Operator,
    places: Sequence[Place],
) -> list[Finding]:
    """Say which regions are given together with regions inside them, and what becomes of it."""
    if not below:
        return []
    shown = list(below.items())[:SHOWN_OVERLAPS]
    pairs = [f"{acronyms([above])} ({above[1]}) with {acronyms(inside)}" for above, inside in shown]
    more = len(below) - len(shown)
    if way == EXPAND:
        text = "; ".join(pairs) + (f"; and {more} more such regions" if more else "")
        return [Finding("REGION_EXPANDED", where, text)]
    texts = [
        f"{pair}: {overlap_effect(operator, places, above, inside)}"
        for pair, (above, inside) in zip(pairs, shown, strict=True)
    ]
    texts += [f"and {more} more such regions"] if more else []
    severity = ERROR if way == REFUSE else WARNING
    return [Finding("REGION_OVERLAP", where, "; ".join(texts), severity=severity)]


def overlap_effect(
    operator: Operator, places: Sequence[Place], above: Place, inside: Sequence[Place]
) -> str:
    """Say what each view makes of a region and of given regions inside it."""
    effects = []
    if leaks := _leaks(operator, places, above, inside):
        effects.append(f"in Allen {acronyms(leaks)} take the value of {acronyms(inside)}")
    else:
        effects.append("in Allen each keeps its own value")
    for name in ("beryl", "cosmos"):
        for row, given in zip(operator.rows[name].tolist(), _sources(operator, name), strict=True):
            if places.index(above) in given:
                mixed = acronyms(places[at] for at in sorted(given))
                drawn = acronyms([place_of_row(row)])
                effects.append(
                    f"in {name.capitalize()} {drawn} is "
                    + (f"the mean of {mixed}" if len(given) > 1 else mixed)
                )
    return ", ".join(effects)


def _sources(operator: Operator, name: str) -> list[list[int]]:
    """Return for each drawn row of a view the positions of the given values in it."""
    matrix = operator.weights[name]
    ends = zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    return [matrix.indices[start:end].tolist() for start, end in ends]


def _leaks(
    operator: Operator, places: Sequence[Place], above: Place, inside: Sequence[Place]
) -> list[Place]:
    """Return the drawn regions inside `above` that take a value from beside them."""
    within = {places.index(place) for place in inside}
    indices = {index for index, _ in inside}
    leaks = []
    for row, given in zip(
        operator.rows["allen"].tolist(), _sources(operator, "allen"), strict=True
    ):
        place = place_of_row(row)
        line = {place[0], *universe().ancestors(place[0])}
        own = indices & line or any(place[0] in universe().ancestors(each) for each in indices)
        if place[1] == above[1] and above[0] in line and not own and within & set(given):
            leaks.append(place)
    return leaks


def place_of_row(row: int) -> Place:
    """Return the region and side of a row of the lateralised table."""
    count = len(universe().regions)
    return (row - count + 1, SIDES[0]) if row >= count else (row, SIDES[1])


def node_findings(where: str, places: Sequence[Place], own: Collection[int]) -> list[Finding]:
    """Name the given regions that are both node and leaf; `own` are all of that kind."""
    nodes = [place for place in places if place[0] in own]
    if not nodes:
        return []
    text = f"{acronyms(nodes)}: taken for the whole of each region"
    return [Finding("REGION_NODE_OR_LEAF", where, text)]


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


def value_findings(
    where: str,
    places: Sequence[Place],
    values: Sequence[float],
    unit: str = "",
    codes_are_named: bool = False,
) -> list[Finding]:
    """Say which values of a feature mislead a reader of the website.

    `codes_are_named`: the config says which texts stand for no value, so no other does.
    """
    findings = []
    code = suspected_code(values)
    if code and not codes_are_named:
        findings.append(Finding("VALUE_CODE", where, code))
    zeros = [place for place, value in zip(places, values, strict=True) if value == 0]
    if zeros:
        text = f"{len(zeros)} of {len(places)} values are 0: {acronyms(zeros)}"
        findings.append(Finding("VALUE_ZERO", where, text))
    if len(values) > 1 and min(values) == max(values):
        text = f"all {len(values)} values are {values[0]:g}"
        findings.append(Finding("FEATURE_CONSTANT", where, text))
    sizes = [abs(value) for value in values if value]
    if sizes and (max(sizes) < SMALL or min(sizes) > LARGE):
        text = f"from {min(values):g} to {max(values):g}{', and `unit` is empty' * (not unit)}"
        findings.append(Finding("VALUE_RANGE", where, text))
    return findings
