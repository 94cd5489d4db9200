"""What the website reads of one feature: its mapped values, their range and a histogram."""

from collections.abc import Sequence

import numpy as np

from brainpublish.regions.universe import MAPPINGS, ROOT, VOID, universe

BINS = 50
# The website's names of the table's rows; made once, since a feature has thousands of them.
ROW_NAMES = tuple(str(row) for row in range(2 * len(universe().regions)))


def feature_payload(
    mapped: dict[str, dict[str, dict[int, float]]],
    values: Sequence[float],
    unit: str = "",
    short_desc: str = "",
    cmap: str | None = None,
) -> dict:
    """Return what is sent of one feature: `feature_data`, `short_desc` and `unit`.

    `mapped` is {statistic: {mapping: {table row: value}}}, with mean at least; `values` are the
    given values of all regions, which the histogram counts. An empty unit or description is
    sent too: it clears an old one. `cmap` names a colour map of the website, None its own choice.
    """
    return {
        "feature_data": {
            "mappings": {
                name: _mapping({statistic: mapped[statistic][name] for statistic in mapped})
                for name in MAPPINGS
            },
            "histogram": histogram(values),
            **chosen_colours(cmap),
        },
        "short_desc": short_desc,
        "unit": unit,
    }


def chosen_colours(cmap: str | None) -> dict[str, str]:
    """Return what names a colour map in `feature_data`; nothing if none is chosen."""
    return {"cmap": cmap} if cmap else {}


def _mapping(values: dict[str, dict[int, float]]) -> dict:
    """Return one mapping of {statistic: {table row: value}}."""
    data = {ROW_NAMES[row]: {"mean": value} for row, value in values["mean"].items()}
    for statistic, by_row in values.items():
        if statistic != "mean":
            for row, value in by_row.items():
                data[ROW_NAMES[row]][statistic] = value
    return {
        "data": data,
        "statistics": {statistic: _summary(by_row) for statistic, by_row in values.items()},
    }


def _summary(by_row: dict[int, float]) -> dict[str, float]:
    """Return range and centre, without void and root, which the site hides."""
    rows, values = np.array(list(by_row)), np.array(list(by_row.values()))
    visible = values[(rows != VOID) & (rows != ROOT)]
    if not visible.size:
        return {}
    return {
        "min": float(visible.min()),
        "max": float(visible.max()),
        "mean": float(visible.mean()),
        "median": float(np.median(visible)),
    }


def histogram(values: Sequence[float]) -> dict:
    """Return range and counts of values in 50 bins; the site takes the colour range from it.

    Values that are all the same get a range around them, so that the range is not empty.
    """
    numbers = np.asarray(values, dtype=np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    room = BINS * float(np.spacing(max(abs(low), abs(high))))
    if high - low <= room:
        half = max(0.5, 2 * room)
        low, high = low - half, high + half
    counts, _ = np.histogram(numbers, bins=BINS, range=(low, high))
    return {
        "vmin": low,
        "vmax": high,
        "total_count": int(numbers.size),
        "counts": counts.tolist(),
    }
