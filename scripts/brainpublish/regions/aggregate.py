"""One value of several rows: by a rule that the config names, with what the rows say beside it."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def aggregated(
    observations: Iterable[Observation],
) -> tuple[list[dict], list[list[Observation]]]:
    """Return one record per feature, region and side, and what repeated rows gave, together.

    A record has the statistics only that are known of it.
    """
    firsts: dict[tuple, Observation] = {}
    groups: dict[tuple, list[Observation]] = {}
    for observation in observations:
        key = observation[:3]  # feature, region and side
        first = firsts.setdefault(key, observation)
        if first is not observation:
            groups.setdefault(key, [first]).append(observation)
    records = []
    for key, first in firsts.items():
        group = groups.get(key)
        if group is None:
            records.append(_single_record(first))
        elif (value := _value(group)) is not None:
            records.append(_joint_record(group, value))
    return records, list(groups.values())


def repeated_findings(groups: Iterable[Sequence[Observation]]) -> list[Finding]:
    """Return one finding for each region that some rows repeat, whatever number of features."""
    repeated: dict[tuple, list[Sequence[Observation]]] = {}
    for group in groups:
        repeated.setdefault((group[0].index, group[0].side, _source(group)), []).append(group)
    return [_repeated(alike) for alike in repeated.values()]


def _value(group: Sequence[Observation]) -> float | None:
    """Return the one value of several rows, or None if no rule makes one of them."""
    values = [observation.value for observation in group]
    rule = group[0].aggregate
    if rule == WEIGHTED:
        return weighted_mean(values, [observation.weight for observation in group])
    return RULES[rule](values) if rule in RULES else None


def _single_record(only: Observation) -> dict:
    source = f"{only.path}:{only.row}"
    return _record(only, only.value, 1, "", source, only.statistics)


def _joint_record(group: Sequence[Observation], value: float) -> dict:
    first = group[0]
    return _record(first, value, len(group), first.aggregate, _source(group), _spread(group))


def _record(
    first: Observation,
    value: float,
    rows: int,
    aggregate: str,
    source: str,
    beside: Mapping[str, float],
) -> dict:
    region = universe().regions[first.index]
    return {
        "feature": first.feature,
        "acronym": region.acronym,
        "atlas_id": signed_id(region.atlas_id, first.side),
        "hemisphere": first.side,
        "value": value,
        "rows": rows,
        "aggregate": aggregate,
        "source": source,
        **beside,
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
    return f"{group[0].path}:{','.join(str(observation.row) for observation in group)}"


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
