"""One value of several rows: by a rule that the config names, with what the rows say beside it."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from brainpublish.findings import Finding
from brainpublish.regions.universe import signed_id, universe

STATISTICS = ("median", "std", "min", "max", "count", "uncertainty")
WEIGHTED = "weighted"
SHOWN_ROWS = 8


class Observation(NamedTuple):
    """One value that a row of a table gives for a feature in a region on one side.

    `weight` is what the row counts under the rule weighted.
    """

    feature: str
    index: int
    side: str
    value: float
    path: str
    row: int
    aggregate: str
    statistics: Mapping[str, float] = MappingProxyType({})
    weight: float = 1.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


RULES: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": _mean,
    "median": statistics.median,
    "sum": math.fsum,
    "min": min,
    "max": max,
}


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """Return the mean of values by their weights, or None if all weights are 0."""
    total = math.fsum(weights)
    if total == 0:
        return None
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / total


def row_list(rows: Sequence[object]) -> str:
    """Return row numbers, or labels, as text, the first few of many."""
    shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    return f"{shown} and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else shown


def aggregated(observations: Sequence[Observation]) -> tuple[list[dict], list[Finding]]:
    """Return one record per feature, region and side, and findings about duplicates.

    A record has the statistics only that are known of it.
    """
    groups: dict[tuple[str, int, str], tuple[Observation, ...]] = {}
    for observation in observations:
        key = (observation.feature, observation.index, observation.side)
        groups[key] = (*groups.get(key, ()), observation)
    records = []
    repeated: dict[tuple, list[list[Observation]]] = {}
    for group in groups.values():
        if len(group) > 1:
            key = (group[0].index, group[0].side, _source(group))
            repeated.setdefault(key, []).append(group)
        value = _value(group)
        if value is not None:
            records.append(_record(group, value))
    return records, [_repeated(alike) for alike in repeated.values()]


def _value(group: Sequence[Observation]) -> float | None:
    """Return the one value of some rows, or None if no rule makes one of them."""
    if len(group) == 1:
        return group[0].value
    values = [observation.value for observation in group]
    rule = group[0].aggregate
    if rule == WEIGHTED:
        return weighted_mean(values, [observation.weight for observation in group])
    return RULES[rule](values) if rule in RULES else None


def _record(group: Sequence[Observation], value: float) -> dict:
    first = group[0]
    region = universe().regions[first.index]
    single = len(group) == 1
    return {
        "feature": first.feature,
        "acronym": region.acronym,
        "atlas_id": signed_id(region.atlas_id, first.side),
        "hemisphere": first.side,
        "value": value,
        "rows": len(group),
        "aggregate": "" if single else first.aggregate,
        "source": _source(group),
        **(first.statistics if single else _spread(group)),
    }


def _spread(group: Sequence[Observation]) -> dict[str, float]:
    """Return what rows say beside their mean or median; for another rule, their number alone."""
    values, rule = [observation.value for observation in group], group[0].aggregate
    count = {"count": float(len(values))}
    if rule not in ("mean", "median"):
        return count
    return {
        **count,
        "median": statistics.median(values),
        "std": statistics.stdev(values),
        "min": min(values),
        "max": max(values),
    }


def _source(group: Sequence[Observation]) -> str:
    first = group[0]
    if len(group) == 1:
        return f"{first.path}:{first.row}"
    return f"{first.path}:{','.join(str(observation.row) for observation in group)}"


def _repeated(alike: Sequence[Sequence[Observation]]) -> Finding:
    """Say that a region is given more than once; `alike` holds a group for each feature."""
    group = alike[0]
    first = group[0]
    acronym = universe().regions[first.index].acronym
    values = ", ".join(f"{observation.value:g}" for observation in group[:SHOWN_ROWS])
    more = f" and {len(alike) - 1} more features" if len(alike) > 1 else ""
    rows = row_list([observation.row for observation in group])
    what = f"{acronym} ({first.side}) in rows {rows}; {first.feature}: {values}{more}"
    if first.aggregate == "error":
        return Finding("REGION_DUPLICATE", first.path, what)
    if _value(group) is None:
        return Finding("REGION_DUPLICATE", first.path, f"{what}; their weights are all 0")
    return Finding("REGION_AGGREGATED", first.path, f"{what}; published is their {first.aggregate}")
