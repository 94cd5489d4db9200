"""All findings of a channel in one list: from its listing, its headers and its slabs."""

import functools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from brainpublish.codes import CODES
from brainpublish.findings import ERROR, WARNING, Finding, errors_in
from brainpublish.slices.beside import turned_slices
from brainpublish.slices.cast import way_out
from brainpublish.slices.manifest import Slice
from brainpublish.slices.masks import BINARY
from brainpublish.slices.numbers import runs_text
from brainpublish.slices.plan import StackPlan
from brainpublish.slices.slab import SlabReport, slice_text

_MOSTLY = 0.9
_ON_BORDERS = 0.8


def waived(findings: Iterable[Finding], codes: Iterable[str]) -> list[Finding]:
    """Turn errors that the config waives into warnings that say so."""
    codes = set(codes)
    return [
        replace(
            finding,
            severity=WARNING,
            message=f"{finding.message} (waived)",
            fix=CODES[finding.code].waived,
        )
        if finding.code in codes and finding.severity == ERROR
        else finding
        for finding in findings
    ]


def compare_with_image(plan: StackPlan, image: StackPlan, where: str) -> list[Finding]:
    """Compare an annotation's extent with its image's; both z, y, x.

    A stack without a readable slice has extent 0 and is reported elsewhere, as is a number of
    slices that differs.
    """
    if not all(plan.extent) or not all(image.extent) or plan.extent[1:] == image.extent[1:]:
        return []
    (_, y, x), (_, image_y, image_x) = plan.extent, image.extent
    text = f"masks are {x} x {y}, image slices {image_x} x {image_y} (width x height)"
    return [Finding("SLICES_EXTENT", where, text)]


def is_stale(report: SlabReport, plan: StackPlan, rows: list[str]) -> bool:
    """Say whether a slab was made under another plan, or of other files than the manifest lists.

    Args:
        report: the slab's report.
        plan: the stack's plan.
        rows: digest of each slab's rows of the manifest.
    """
    return (report.plan, report.rows) != (plan.digest, rows[report.first // plan.depth])


def compare_slices(
    folder: str, plan: StackPlan, masks: list[Slice], image: list[Slice]
) -> list[Finding]:
    """Compare the size of each mask with that of its image slice, for a plan that fits slices.

    Padding would hide that they do not belong together. A mask that has the size of the stack
    already, and one whose image slice is not there, are taken as they are.

    Args:
        folder: the annotation's folder.
        plan: the annotation's plan.
        masks: its manifest.
        image: the manifest of its image.
    """
    stack = (plan.fit.width, plan.fit.height)
    pairs = zip(masks, image, strict=False)
    return [
        Finding(
            "SLICES_EXTENT",
            slice_text(folder, mask),
            f"is {mask.width} x {mask.height}, its image slice {row.width} x {row.height} "
            "(width x height); `fit` would not bring them together",
        )
        for mask, row in pairs
        if mask.width
        and row.width
        and (mask.width, mask.height) not in ((row.width, row.height), stack)
    ]


def check_slabs(
    plan: StackPlan, rows: list[str], reports: list[SlabReport], where: str
) -> list[Finding]:
    """Return what the slabs of a channel found, and what only their sum tells.

    Args:
        plan: the stack's plan.
        rows: digest of each slab's rows of the manifest.
        reports: the slabs' reports.
        where: the place that findings name.
    """
    findings = [finding for report in reports for finding in report.findings]
    stale = [report for report in reports if is_stale(report, plan, rows)]
    if stale:
        text = (
            f"{len(stale)} of {len(reports)} slabs were made of other files, or under another plan"
        )
        findings.append(Finding("STACK_STALE", where, text))
    findings = [*_overall_range(plan, reports, findings, where), *findings]
    if not reports or errors_in(findings):
        return findings
    checked = _check_image if plan.mask is None else functools.partial(_check_mask, plan)
    return findings + checked(reports, where)


def _overall_range(plan: StackPlan, reports, findings: list[Finding], where: str):
    misfits = sum(finding.code == "SLICE_DTYPE" for finding in findings)
    known = [report for report in reports if report.low is not None]
    if not misfits or not known or plan.mask is not None:
        return
    low, high = min(report.low for report in known), max(report.high for report in known)
    slices = sum(report.slices for report in reports)
    yield Finding(
        "SLICE_DTYPE",
        where,
        f"{misfits} of {slices} slices do not fit {plan.dtype}; the values of all slices go from "
        f"{low:,} to {high:,}: {way_out(low, high, plan.dtype)}",
    )


def _check_image(reports: list[SlabReport], where: str) -> list[Finding]:
    constant = [z for report in reports for z in report.constant]
    if not constant:
        return []
    text = f"{len(constant)} slices hold one value only: z = {runs_text(constant)}"
    return [Finding("SLICE_CONSTANT", where, text)]


def _check_mask(plan: StackPlan, reports: list[SlabReport], where: str) -> list[Finding]:
    z, y, x = plan.extent
    voxels, nonzero = z * y * x, sum(report.nonzero for report in reports)
    if nonzero == 0:
        return [Finding("MASK_EMPTY", where, f"none of {voxels:,} voxels is foreground")]
    if plan.mask.kind != BINARY:
        return _check_labels(reports, where)
    if nonzero == voxels:
        return [Finding("MASK_FULL", where, f"all {voxels:,} voxels are foreground")]
    findings = []
    border = z * 2 * (x + y)
    touching = sum(report.borders for report in reports) / border
    if nonzero > _MOSTLY * voxels and touching > _ON_BORDERS:
        text = f"{nonzero / voxels:.0%} is foreground, and {touching:.0%} of the slices' borders"
        findings.append(Finding("MASK_INVERTED", where, text))
    decided = sum(report.decided for report in reports)
    if decided:
        nearest = min(report.nearest for report in reports if report.nearest is not None)
        text = (
            f"the threshold decided {decided:,} of {voxels:,} voxels; the nearest is "
            f"{nearest:g} grey levels from it"
        )
        findings.append(Finding("MASK_DECIDED", where, text))
    return findings


def check_sides(
    folder: str | Path, plan: StackPlan, rows: list[Slice], reports: list[SlabReport]
) -> list[Finding]:
    """Return a finding for each slice of a binary mask that looks inverted beside the others.

    Args:
        folder: the annotation's folder.
        plan: the annotation's plan.
        rows: its manifest.
        reports: the slabs' reports.
    """
    if plan.mask.kind != BINARY or not all(plan.extent):
        return []
    _, y, x = plan.extent
    shares = [voxels / (y * x) for report in reports for voxels in report.foreground]
    text = "{:.1%} of it is foreground, just what the masks beside it leave out"
    return [
        Finding("MASK_TURNED", slice_text(folder, rows[z]), text.format(shares[z]))
        for z in turned_slices(shares)
    ]


def _check_labels(reports: list[SlabReport], where: str) -> list[Finding]:
    largest = max(report.maximum for report in reports)
    if largest < 2**32:
        return []
    text = f"the largest id is {largest:,}; some viewers show ids of 32 bits only"
    return [Finding("MASK_LARGE_IDS", where, text)]
