"""One slice: decode it once, check it, normalise it. Arrays are y, x."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_file
from brainpublish.slices.beside import view_of
from brainpublish.slices.cast import apply_cast, one_channel
from brainpublish.slices.fit import ANYTHING, place_rows
from brainpublish.slices.header import Header, UnreadableSlice
from brainpublish.slices.manifest import Slice
from brainpublish.slices.masks import (
    BINARY,
    MaskRule,
    blended,
    check_levels,
    decided,
    foreground,
    labels_of_colours,
)
from brainpublish.slices.plan import StackPlan
from brainpublish.slices.read import read_header, read_rows
from brainpublish.slices.slab import SliceFacts
from brainpublish.slices.tiff import page_digest
from brainpublish.slices.upright import upright


def take_slice(
    folder: str | Path, row: Slice, plan: StackPlan, band: range, target: np.ndarray
) -> SliceFacts:
    """Decode some rows of a slice, check and normalise them.

    Args:
        folder: the channel's folder.
        row: the slice's row of the manifest; without a file, it is a slice of zeros.
        plan: the stack's plan.
        band: the rows.
        target: array y, x of the stack's type, which takes them.

    Returns:
        What was found; with a fault, `target` holds nothing of use.
    """
    if not row.file:
        target[:] = 0
        return SliceFacts()
    try:
        path = Path(folder, row.file)
        header = _header(path, row, plan)
        if band.start == 0:
            _check_unchanged(path, row)
        if plan.fit is not None:
            facts = _take_fitted(path, header, row, plan, band, target)
        else:
            facts = _store(_rows(path, header, row, plan, band), plan, band, target)
    except UnreadableSlice as error:
        return SliceFacts(fault=(error.code, str(error)))
    whole = len(band) == plan.extent[1]
    return replace(facts, view=view_of(target)) if whole else facts


def _header(path: Path, row: Slice, plan: StackPlan) -> Header:
    header = read_header(path, row.page or 0)
    header = upright(header) if plan.upright else header
    if plan.fit is None and header.shape != plan.extent[1:]:
        _, y, x = plan.extent
        raise UnreadableSlice(
            "SLICE_SIZE",
            f"is {header.width} x {header.height}, the others {x} x {y} (width x height)",
        )
    return header


def _check_unchanged(path: Path, row: Slice) -> None:
    digest = digest_of_file(path) if row.page == "" else page_digest(path, row.page)[1]
    if digest != row.sha256:
        raise UnreadableSlice("SLICE_CHANGED", "is no longer the file that the manifest lists")


def _take_fitted(
    path: Path, header: Header, row: Slice, plan: StackPlan, band: range, target: np.ndarray
) -> SliceFacts:
    """Do `take_slice` for a slice that is padded or cropped as the plan's `fit` says."""
    placing = place_rows(header.shape, plan.fit, band)
    if not placing.rows:
        target[:] = 0
        return SliceFacts()
    values = _rows(path, header, row, plan, placing.rows)
    if plan.fit.crop == ANYTHING:
        values, inside = values[placing.inside], (slice(None), slice(None))
    else:
        inside = placing.inside
    kept = np.empty(values.shape, plan.dtype)
    facts = _store(values, plan, band, kept) if values.size else SliceFacts()
    lost = facts.nonzero - int(np.count_nonzero(kept[inside]))
    if lost and not facts.fault:
        rows = f"rows {placing.rows.start:,} to {placing.rows.stop - 1:,}"
        text = f"`fit` would cut off {lost:,} voxels that are not 0, in {rows} of the file"
        return replace(facts, fault=("SLICE_CUT", text))
    target[:] = 0
    target[placing.target] = kept[inside]
    return facts


def _rows(path: Path, header: Header, row: Slice, plan: StackPlan, rows: range) -> np.ndarray:
    values = read_rows(path, header, rows.start, rows.stop, row.page or 0)
    if plan.mask is not None and plan.mask.colours is not None:
        if values.ndim == 2:
            raise UnreadableSlice("MASK_COLOURS", "holds grey values, the others hold colours")
        return labels_of_colours(values, plan.mask)
    return one_channel(values, header, plan.cast)


def _store(values: np.ndarray, plan: StackPlan, band: range, target: np.ndarray) -> SliceFacts:
    facts = SliceFacts(low=values.min().item(), high=values.max().item())
    if plan.mask is not None and plan.mask.kind == BINARY:
        check_levels(values, plan.mask)
        target[:] = foreground(values, plan.mask)
        facts = replace(facts, **_nearness(values, plan.mask), borders=_borders(target, plan, band))
    else:
        what = "values" if plan.mask is None else "labels"
        try:
            target[:] = apply_cast(values, plan.cast, plan.dtype, what)
        except UnreadableSlice as error:
            # The range stays, for the range of the whole channel.
            return replace(facts, fault=(error.code, str(error)))
        if plan.mask is not None:
            crossings, unsettled = blended(target)
            facts = replace(facts, crossings=crossings, unsettled=unsettled)
    return replace(facts, nonzero=int(np.count_nonzero(target)), maximum=int(target.max(initial=0)))


def _nearness(values: np.ndarray, rule: MaskRule) -> dict:
    if rule.levels is not None or rule.ends is None:
        return {}
    count, nearest, unsettled = decided(values, rule)
    return {"decided": count, "nearest": nearest, "unsettled": unsettled}


def _borders(target: np.ndarray, plan: StackPlan, band: range) -> int:
    edges = [target[:, 0], target[:, -1]]
    edges += [target[0]] if band.start == 0 else []
    edges += [target[-1]] if band.stop == plan.extent[1] else []
    return sum(int(np.count_nonzero(edge)) for edge in edges)
