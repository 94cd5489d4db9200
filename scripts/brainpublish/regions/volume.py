"""A volume out of a file, brought to the website's grid: turned and resampled only on request."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import nibabel
import nrrd
import numpy as np
from scipy.sparse import csr_array

from brainpublish.findings import Finding, errors_in
from brainpublish.regions.grid import (
    AXES,
    LEVELS,
    SHAPE,
    SPACING,
    STEP,
    encoded,
    range_of,
    volume_payload,
)
from brainpublish.regions.volume_header import (
    NIFTI,
    NRRD,
    header_findings,
    in_grid_order,
    read_header,
)

EXTENT = tuple(count * SPACING for count in SHAPE)  # um
FINEST, COARSEST = 5, 400  # um; of spacings that are recognised by a file's shape


class NoVolume(ValueError):
    """A file that is no volume; the text says why."""


def volume_feature(name: str, section: dict) -> tuple[dict | None, list[Finding]]:
    """Return the payload of a volume feature, or None, and all findings.

    `section` is the feature's section of the config.
    """
    path = section["path"]
    where = f"{path}, feature {name}"
    if not Path(path).is_file():
        return None, [Finding("VOLUME_MISSING", path, "there is no such file")]
    try:
        values = read_volume(path)
    except NoVolume as error:
        return None, [Finding("VOLUME_UNREADABLE", path, str(error))]
    header, axes = read_header(path), section["axes"] or AXES
    if fault := shape_fault(values.shape, axes, section["resample"]):
        fault += f"; its header says {header.text()}" * bool(header.text())
        return None, [Finding("VOLUME_SHAPE", where, fault)]
    found = header_findings(where, header, values.shape, section["axes"], spacing_of)
    if errors_in(found):
        return None, found
    turned = oriented(values, axes)
    if turned.shape != SHAPE:
        turned = resampled(turned)
    payload, said = _feature(where, turned, section)
    return payload, [*found, *said]


def _feature(where: str, values: np.ndarray, section: dict) -> tuple[dict | None, list[Finding]]:
    low, high, empty, infinite = survey(values)
    if infinite:
        what = f"{infinite} voxels are infinite"
        return None, [Finding("VOLUME_NOT_FINITE", where, what)]
    if empty == values.size:
        return None, [Finding("FEATURE_EMPTY", where, "all voxels are NaN")]
    findings = []
    if empty:
        what = f"{empty} of {values.size} voxels are NaN: drawn as 0"
        findings.append(Finding("VOLUME_NAN", where, what))
    if low == high:
        what = f"all voxels with a value are {low:g}"
        findings.append(Finding("FEATURE_CONSTANT", where, what))
    if low < 0 and empty:
        what = f"values go down to {low:g}, and voxels without a value are 0"
        findings.append(Finding("VOLUME_BACKGROUND", where, what))
    span = range_of(low, high, with_zero=bool(empty))
    step = (span.high - span.low) / LEVELS
    what = f"from {span.low:g} to {span.high:g} in {LEVELS} steps of {step:.3g}"
    findings.append(Finding("VOLUME_STEPS", where, what))
    levels = encoded(_without_nan(values) if empty else values, span)
    return volume_payload(levels, span, section), findings


def _without_nan(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=0.0)


def survey(values: np.ndarray) -> tuple[float, float, int, int]:
    """Return lowest and highest number of a volume, and how many are NaN and infinite."""
    low, high, empty, infinite = np.inf, -np.inf, 0, 0
    for start in range(0, values.shape[0], STEP):
        part = values[start : start + STEP]
        finite = np.isfinite(part)
        empty += int(np.isnan(part).sum())
        infinite += int(np.isinf(part).sum())
        if finite.any():
            low = min(low, float(part.min(where=finite, initial=np.inf)))
            high = max(high, float(part.max(where=finite, initial=-np.inf)))
    return low, high, empty, infinite


def read_volume(path: str) -> np.ndarray:
    """Read a volume of numbers with three axes, in the order that the file has them.

    Raises NoVolume.
    """
    try:
        values = _reader(path)(path)
    except NoVolume:
        raise
    except Exception as error:
        raise NoVolume(f"it cannot be read: {error}") from None
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise NoVolume(f"it has {values.ndim} axes, {_by(values.shape)}: expected three")
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind not in "uif":
        raise NoVolume(f"its values are of type {values.dtype}: expected numbers")
    # 64 bits are not needed for 256 levels, and a wide range of them is kept by 32.
    return values.astype(np.float32) if values.dtype.itemsize > 4 else values


def _reader(path: str):
    name = path.lower()
    if name.endswith(".npy"):
        return lambda file: np.load(file, mmap_mode="r", allow_pickle=False)
    if name.endswith(NIFTI):
        return lambda file: np.asanyarray(nibabel.load(file).dataobj)
    if name.endswith(NRRD):
        return lambda file: nrrd.read(file, index_order="F")[0]
    raise NoVolume("its name ends in none of .npy, .nii, .nii.gz and .nrrd")


def _by(shape: Sequence[int]) -> str:
    return " x ".join(str(count) for count in shape)


def oriented(values: np.ndarray, axes: Sequence[str]) -> np.ndarray:
    """Return a volume in the order ap, dv, ml, each axis in the grid's direction.

    `axes` names the axes of the values; a leading - says that an axis runs the other way.
    """
    plain = [axis.lstrip("-") for axis in axes]
    turned = values.transpose([plain.index(axis) for axis in AXES])
    flips = tuple(slice(None, None, -1 if f"-{axis}" in axes else 1) for axis in AXES)
    return turned[flips]


def shape_fault(shape: Sequence[int], axes: Sequence[str], resample: bool) -> str:
    """Say why a volume's shape is not what the config says it is; nothing if it is."""
    spacing = spacing_of(in_grid_order(shape, axes))
    if spacing == SPACING or (spacing is not None and resample):
        return ""
    if spacing is not None:
        return (
            f"the shape {_by(shape)} is that of the brain at {spacing:g} um, the website draws "
            f"{_by(SHAPE)} (25 um): set `resample: true`"
        )
    found = _other_orders(shape)
    advice = f"; the axes look like {' or '.join(found)}: set `axes`" if found else ""
    return f"the shape {_by(shape)} is not {_by(SHAPE)} in the order {', '.join(AXES)}{advice}"


def spacing_of(shape: Sequence[int]) -> float | None:
    """Return the spacing in um at which a shape, ap, dv, ml, covers the brain's box, if any."""
    spacing = EXTENT[0] / shape[0]
    covers = all(
        abs(count * spacing - extent) < spacing for count, extent in zip(shape, EXTENT, strict=True)
    )
    return spacing if covers and FINEST <= spacing <= COARSEST else None


def _other_orders(shape: Sequence[int]) -> list[str]:
    orders = []
    for order in permutations(range(3)):
        spacing = spacing_of([shape[axis] for axis in order])
        if spacing is not None:
            names = [AXES[order.index(axis)] for axis in range(3)]
            orders.append(f"[{', '.join(names)}]" + (f" at {spacing:g} um" * (spacing != SPACING)))
    return orders


def resampled(values: np.ndarray) -> np.ndarray:
    """Return a volume, ap, dv, ml, over the same box on the website's grid, float32.

    Each new voxel is the mean of the old ones by the volume that they share with it; NaN
    does not count.
    """
    known = np.isfinite(values)
    whole = bool(known.all())
    numbers = np.where(known, values, 0).astype(np.float32)
    shares = None if whole else known.astype(np.float32)
    for axis, count in enumerate(SHAPE):
        weights = overlap_weights(values.shape[axis], count)
        numbers = _along(weights, numbers, axis)
        shares = None if shares is None else _along(weights, shares, axis)
    if shares is None:
        return numbers
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(shares > 0, numbers / shares, np.nan).astype(np.float32)


def overlap_weights(old: int, new: int) -> csr_array:
    """Return float32 weights of shape (new, old) that mean over the overlap of equal cells.

    Each row sums to 1.
    """
    edges = np.arange(new + 1) * (old / new)
    rows, columns, shares = [], [], []
    for row in range(new):
        start, end = edges[row], edges[row + 1]
        for column in range(int(start), min(int(np.ceil(end)), old)):
            share = min(end, column + 1) - max(start, column)
            rows.append(row)
            columns.append(column)
            shares.append(share * new / old)
    return csr_array((np.float32(shares), (rows, columns)), shape=(new, old))


def _along(weights: csr_array, values: np.ndarray, axis: int) -> np.ndarray:
    moved = np.moveaxis(values, axis, 0)
    flat = weights @ moved.reshape(moved.shape[0], -1)
    return np.moveaxis(flat.reshape(weights.shape[0], *moved.shape[1:]), 0, axis)
