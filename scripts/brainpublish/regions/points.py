"""Points with a value each, painted as balls into a volume of the website's grid."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from iblatlas.atlas import get_bc

from brainpublish.findings import ERROR, WARNING, Finding
from brainpublish.regions.aggregate import row_list
from brainpublish.regions.grid import (
    SHAPE,
    SPACING,
    encoded,
    packed,
    range_of,
    volume_payload,
)
from brainpublish.regions.table import Table, read_table
from brainpublish.regions.values import cell_number

METRES = {"m": 1.0, "mm": 1e-3, "um": 1e-6}
BREGMA, CCF = "bregma", "ccf"
# Bregma in the Allen common coordinate framework; ml grows to the right, ap and dv in it
# backwards and downwards.
ORIGIN = {"ml": 5739e-6, "ap": 5400e-6, "dv": 332e-6}
COLUMNS = ("ml", "ap", "dv")
MOST = 0.5  # of the points outside: the unit or the frame is wrong
FITTING = 0.95
TIGHT = 1e-4  # metres; a cloud of points smaller than this has its unit wrong


def point_feature(name: str, section: dict) -> tuple[dict | None, list[Finding]]:
    """Return the payload of a feature of points, or None, and all findings.

    `section` is the feature's section of the config. A voxel in the balls of several points
    gets the mean of their values; a voxel in none gets 0.
    """
    columns = [section[axis] for axis in COLUMNS]
    table, findings = read_table(
        section["path"],
        [*columns, section["value"]],
        section.get("separator"),
        section.get("sheet"),
    )
    if table is None or not {*columns, section["value"]} <= set(table.frame):
        return None, findings
    points, said = _points(table, section)
    where = f"{table.path}, feature {name}"
    findings += said
    if points.empty:
        findings.append(Finding("FEATURE_EMPTY", where, "no point has a place and a value"))
        return None, findings
    inside, said = _inside(where, points, section)
    findings += said
    if not inside.any():
        return None, findings
    kept = points[inside]
    findings += _value_findings(where, kept["value"].to_numpy())
    places, values = in_metres(kept, section), kept["value"].to_numpy()
    volume = painted(places, values, section["ball"])
    span = range_of(values.min(), values.max(), with_zero=True)
    more = {
        "xyz": packed(places.astype("<f4")),
        "values": packed(values.astype("<f4")),
    }
    return volume_payload(encoded(volume, span), span, section, more), findings


def _points(table: Table, section: dict) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the points that have a place and a value, and what is wrong with the others."""
    findings: list[Finding] = []
    found: dict[int, dict[str, float]] = {}
    missing: list[int] = []
    for row, cells in table.frame.iterrows():
        numbers, bad = {}, False
        for key in (*COLUMNS, "value"):
            column = section[key]
            cell = cell_number(
                cells[column], section["decimal"], section["missing"] or (), table.typed
            )
            if cell.code or (cell.value is None and key != "value"):
                message = cell.message or "a point without a place"
                code = cell.code or "POINT_NO_PLACE"
                findings.append(Finding(code, table.place(row, column), message))
                bad = True
            numbers[key] = cell.value
        if not bad and numbers["value"] is None:
            missing.append(row)
        elif not bad:
            found[row] = numbers
    if missing:
        said = f"{len(missing)} points without a value are left out: {row_list(missing)}"
        findings.append(Finding("VALUE_MISSING", table.path, said))
    frame = pd.DataFrame.from_dict(found, orient="index", columns=[*COLUMNS, "value"])
    return frame.astype(np.float64), findings


def in_metres(points: pd.DataFrame, section: dict) -> np.ndarray:
    """Return points as float64 of shape (n, 3): ml, ap, dv in metres from bregma."""
    scaled = points[list(COLUMNS)].to_numpy() * METRES[section["coordinate_unit"]]
    if section["frame"] == BREGMA:
        return scaled
    origin = np.array([ORIGIN[axis] for axis in COLUMNS])
    return (scaled - origin) * (1.0, -1.0, -1.0)


@cache
def coordinates():
    """Return iblatlas' coordinate object of the grid: metres from bregma; needs no download."""
    return get_bc(SPACING)


def voxels(places: np.ndarray) -> np.ndarray:
    """Return the voxels of places as int64 of shape (n, 3), in the order ap, dv, ml."""
    ml_ap_dv = coordinates().xyz2i(places, mode="wrap").astype(np.int64)
    return ml_ap_dv[:, [1, 2, 0]]


def _is_inside(places: np.ndarray) -> np.ndarray:
    at = voxels(places)
    return ((at >= 0) & (at < SHAPE)).all(axis=1)


def _inside(where: str, points: pd.DataFrame, section: dict) -> tuple[np.ndarray, list[Finding]]:
    """Return which points are in the box of the brain, and what that says."""
    places = in_metres(points, section)
    inside = _is_inside(places)
    outside = points.index[~inside].tolist()
    findings = []
    if outside:
        share = len(outside) / len(points)
        said = f"{len(outside)} of {len(points)} points ({share:.0%}), rows {row_list(outside)}"
        severity = ERROR if share > MOST else WARNING
        said += _better(points, section) if share > MOST else ": left out"
        findings.append(Finding("POINT_OUTSIDE", where, said, severity=severity))
    spread = np.ptp(places, axis=0).max()
    if len(np.unique(places, axis=0)) > 1 and spread < TIGHT:
        said = (
            f"all {len(points)} points are within {spread * 1e6:.2g} um{_better(points, section)}"
        )
        findings.append(Finding("POINT_TIGHT", where, said))
    return inside, findings


def _better(points: pd.DataFrame, section: dict) -> str:
    """Say under which other unit and frame the points fit the brain, if under any."""
    fitting = []
    for frame in (BREGMA, CCF):
        for unit in METRES:
            places = in_metres(points, {"coordinate_unit": unit, "frame": frame})
            fits = _is_inside(places).mean() >= FITTING
            if fits and np.ptp(places, axis=0).max() >= TIGHT:
                fitting.append(f"{unit} from {frame}" if frame == BREGMA else f"{unit} in {frame}")
    return f"; the coordinates look like {' or '.join(fitting)}" if fitting else ""


def _value_findings(where: str, values: np.ndarray) -> list[Finding]:
    findings = []
    if zeros := int((values == 0).sum()):
        said = f"{zeros} of {len(values)} points have the value 0, like no point at all"
        findings.append(Finding("VALUE_ZERO", where, said))
    if values.min() < 0:
        said = f"values go down to {values.min():g}, and the space between the points is 0"
        findings.append(Finding("VOLUME_BACKGROUND", where, said))
    if len(values) > 1 and values.min() == values.max():
        said = f"all {len(values)} values are {values[0]:g}"
        findings.append(Finding("FEATURE_CONSTANT", where, said))
    return findings


def ball_offsets(diameter: int) -> np.ndarray:
    """Return the voxels of a ball around its centre, int64 of shape (n, 3)."""
    half = diameter // 2
    axis = np.arange(-half, half + 1)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid[(grid**2).sum(axis=1) <= (diameter / 2) ** 2]


def painted(places: np.ndarray, values: Sequence[float], diameter: int) -> np.ndarray:
    """Return a float32 volume, ap, dv, ml, with a full ball for each point.

    Args:
        places: ml, ap, dv in metres from bregma, float64 of shape (n, 3), inside the box.
        values: one per point.
        diameter: of a ball in voxels; odd.
    """
    at = voxels(places)
    volume = np.zeros(SHAPE, dtype=np.float32)
    low = np.maximum(at.min(axis=0) - diameter, 0)
    high = np.minimum(at.max(axis=0) + diameter + 1, SHAPE)
    sums = np.zeros(high - low)
    counts = np.zeros(high - low, dtype=np.int32)
    numbers = np.asarray(values, dtype=np.float64)
    for offset in ball_offsets(diameter):
        voxel = at + offset
        there = ((voxel >= 0) & (voxel < SHAPE)).all(axis=1)
        index = tuple((voxel[there] - low).T)
        np.add.at(sums, index, numbers[there])
        np.add.at(counts, index, 1)
    box = tuple(slice(start, end) for start, end in zip(low, high, strict=True))
    np.divide(sums, counts, out=sums, where=counts > 0)
    volume[box] = sums
    return volume
