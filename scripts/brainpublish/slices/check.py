"""All findings of a channel in one list: from its listing, its headers and its slabs."""

from brainpublish.findings import Finding
from brainpublish.slices.manifest import StackPlan
from brainpublish.slices.slab import SlabReport


def compare_with_image(plan: StackPlan, image: StackPlan, where: str) -> list[Finding]:
    """Compare an annotation's extent with its image's; both z, y, x.

    A stack without a readable slice has extent 0 and is reported elsewhere.
    """
    if not all(plan.extent) or not all(image.extent):
        return []
    findings = []
    if plan.extent[0] != image.extent[0]:
        text = f"{plan.extent[0]} mask files, {image.extent[0]} image slices"
        findings.append(Finding("SLICES_COUNT", where, text))
    if plan.extent[1:] != image.extent[1:]:
        (_, y, x), (_, image_y, image_x) = plan.extent, image.extent
        text = f"masks are {x} x {y}, image slices {image_x} x {image_y} (width x height)"
        findings.append(Finding("SLICES_EXTENT", where, text))
    return findings


def check_slabs(plan: StackPlan, reports: list[SlabReport], where: str) -> list[Finding]:
    """Return what the slabs of a channel found, and what only their sum tells."""
    findings = [finding for report in reports for finding in report.findings]
    stale = [report for report in reports if report.plan != plan.digest]
    if stale:
        text = f"{len(stale)} of {len(reports)} slabs were made under another plan of the stack"
        findings.append(Finding("STACK_STALE", where, text))
    if plan.mask is not None and reports and not findings:
        findings += _check_foreground(plan, reports, where)
    return findings


def _check_foreground(plan: StackPlan, reports: list[SlabReport], where: str) -> list[Finding]:
    z, y, x = plan.extent
    voxels = z * y * x
    nonzero = sum(report.nonzero for report in reports)
    if nonzero == 0:
        return [Finding("MASK_EMPTY", where, f"none of {voxels:,} voxels is foreground")]
    if nonzero == voxels:
        return [Finding("MASK_FULL", where, f"all {voxels:,} voxels are foreground")]
    return []
