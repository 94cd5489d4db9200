"""One slab: decode its slices once, check them, normalise them. Arrays are z, y, x."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_file
from brainpublish.findings import Finding, findings_from
from brainpublish.slices.manifest import Slice, StackPlan
from brainpublish.slices.masks import BINARY, LABELS, MaskRule, foreground
from brainpublish.slices.read import UnreadableSlice, read_slice


@dataclass(frozen=True)
class SlabReport:
    """What was found while a slab was made: deterministic, so equal input leaves equal text.

    `plan` is the digest of the plan it was made under, `maximum` the largest value stored,
    `nonzero` the number of voxels that are not 0.
    """

    plan: str
    first: int
    slices: int
    maximum: int
    nonzero: int
    findings: list[Finding]

    @classmethod
    def from_dict(cls, value: dict) -> "SlabReport":
        """Make a report of what `dataclasses.asdict` and JSON left of one."""
        known = {field.name: value[field.name] for field in fields(cls)}
        return cls(**{**known, "findings": findings_from(value["findings"])})


def normalise_slab(
    folder: str, slices: list[Slice], plan: StackPlan, threads: int
) -> tuple[np.ndarray, SlabReport]:
    """Decode and normalise a slab's slices, several at a time, and report every fault.

    A slice with a fault leaves zeros in its place: the array is then of no use, and the
    report's errors keep it from being sent.

    Args:
        folder: the channel's folder.
        slices: the slab's rows of the manifest.
        plan: the stack's plan.
        threads: slices decoded at once.

    Returns:
        The array z, y, x of the stack's type, and the report.
    """
    stack = np.zeros((len(slices), *plan.extent[1:]), plan.dtype)

    def take(index: int) -> Finding | None:
        try:
            stack[index] = _normalised(Path(folder, slices[index].file), slices[index], plan)
        except UnreadableSlice as error:
            return Finding(error.code, str(Path(folder, slices[index].file)), str(error))
        return None

    with ThreadPoolExecutor(threads) as pool:
        findings = [finding for finding in pool.map(take, range(len(slices))) if finding]
    report = SlabReport(
        plan=plan.digest,
        first=slices[0].z,
        slices=len(slices),
        maximum=int(stack.max(initial=0)),
        nonzero=int(np.count_nonzero(stack)),
        findings=findings,
    )
    return stack, report


def report_as_dict(report: SlabReport) -> dict:
    """Return a report as plain values for JSON."""
    return asdict(report)


def _normalised(path: Path, row: Slice, plan: StackPlan) -> np.ndarray:
    values = read_slice(path)
    if digest_of_file(path) != row.sha256:
        raise UnreadableSlice("SLICE_CHANGED", "is no longer the file that the manifest lists")
    if values.shape != plan.extent[1:]:
        height, width = values.shape
        _, y, x = plan.extent
        raise UnreadableSlice(
            "SLICE_SIZE", f"is {width} x {height}, the others {x} x {y} (width x height)"
        )
    if plan.mask is not None and plan.mask.kind == BINARY:
        _check_levels(values, plan.mask)
        return foreground(values, plan.mask)
    return _cast(values, plan)


def _check_levels(values: np.ndarray, rule: MaskRule) -> None:
    if rule.levels is None:
        return
    other = ~np.isin(values, rule.levels)
    if other.any():
        low, high = rule.levels
        raise UnreadableSlice(
            "MASK_DOUBT",
            f"holds the value {values[other][0]} beside {low} and {high}: "
            f"{np.count_nonzero(other):,} pixels fit no binary mask",
        )


def _cast(values: np.ndarray, plan: StackPlan) -> np.ndarray:
    limit = np.iinfo(plan.dtype).max
    largest = int(values.max(initial=0))
    if values.dtype.kind != "u" or largest > limit:
        what = "labels" if plan.mask and plan.mask.kind == LABELS else "values"
        raise UnreadableSlice(
            "SLICE_DTYPE",
            f"holds {what} of type {values.dtype} up to {largest:,}; the largest {plan.dtype} "
            f"is {limit:,}",
        )
    return values.astype(plan.dtype)
