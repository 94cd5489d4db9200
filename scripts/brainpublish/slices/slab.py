"""One slab: decode its slices once, check them, normalise them. Arrays are z, y, x."""

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_file
from brainpublish.findings import Finding, findings_from
from brainpublish.slices.cast import apply_cast, one_channel
from brainpublish.slices.fit import ANYTHING, place_rows
from brainpublish.slices.header import Header, UnreadableSlice
from brainpublish.slices.manifest import Slice, digest_of_rows
from brainpublish.slices.masks import (
    BINARY,
    MaskRule,
    check_levels,
    decided,
    foreground,
    labels_of_colours,
)
from brainpublish.slices.plan import StackPlan
from brainpublish.slices.read import read_header, read_rows
from brainpublish.slices.tiff import page_digest
from brainpublish.slices.upright import upright


@dataclass(frozen=True)
class SliceFacts:
    """What decoding some rows of one slice told; `low` and `high` are values of the file."""

    low: float = float("inf")
    high: float = float("-inf")
    nonzero: int = 0
    maximum: int = 0
    decided: int = 0
    nearest: float = float("inf")
    borders: int = 0
    fault: tuple[str, str] | None = None

    def __add__(self, other: "SliceFacts") -> "SliceFacts":
        return SliceFacts(
            min(self.low, other.low),
            max(self.high, other.high),
            self.nonzero + other.nonzero,
            max(self.maximum, other.maximum),
            self.decided + other.decided,
            min(self.nearest, other.nearest),
            self.borders + other.borders,
            self.fault or other.fault,
        )


@dataclass(frozen=True)
class CuboidFacts:
    """What a cuboid of a stack holds.

    Attributes:
        digest: see `digest_of`.
        crc32: of the packed chunk, so that one that was damaged since is noticed.
        blank: whether all its voxels are 0.
    """

    digest: str
    crc32: int
    blank: bool


def digest_of(values: np.ndarray, label: int = 1) -> str:
    """Return the sha256 of a block's shape, label and voxels, as hexadecimal text.

    The block is taken in the smallest type that holds it: when one large label makes the type
    of a whole stack wider, the other blocks keep their digests.

    Args:
        values: an array z, y, x of unsigned integers.
        label: what a stored 1 is published as.
    """
    values = np.ascontiguousarray(values, np.min_scalar_type(values.max()))
    digest = hashlib.sha256(f"{values.shape} {values.dtype.str} {label}".encode())
    digest.update(values.data)
    return digest.hexdigest()


@dataclass(frozen=True)
class SlabReport:
    """What was found while a slab was made: deterministic, so equal input leaves equal text.

    Attributes:
        plan: digest of the plan that it was made under.
        rows: digest of the rows of the manifest that it was made of.
        first: z of the first slice.
        slices: number of slices.
        maximum: the largest value stored.
        foreground: voxels of each slice that are not 0.
        low: the smallest value in the files; None if none was read.
        high: the largest value in the files.
        constant: z of the slices that hold one value only.
        decided: voxels of a binary mask that the threshold decided.
        nearest: how near to the threshold the nearest of them is, in grey levels.
        borders: foreground voxels on the four sides of the slices.
        findings: one for each slice with a fault.
        cuboids: what each cuboid holds, by its start z-y-x.
    """

    plan: str
    rows: str
    first: int
    slices: int
    maximum: int
    foreground: list[int]
    low: float | None
    high: float | None
    constant: list[int]
    decided: int
    nearest: float | None
    borders: int
    findings: list[Finding]
    cuboids: dict[str, CuboidFacts]

    @property
    def nonzero(self) -> int:
        """Number of voxels that are not 0."""
        return sum(self.foreground)

    @classmethod
    def from_dict(cls, value: dict) -> "SlabReport":
        """Make a report of what `dataclasses.asdict` and JSON left of one."""
        known = {field.name: value[field.name] for field in fields(cls)}
        cuboids = {key: CuboidFacts(**facts) for key, facts in value["cuboids"].items()}
        return cls(**{**known, "findings": findings_from(value["findings"]), "cuboids": cuboids})


def report_of(
    folder: str | Path,
    slices: list[Slice],
    plan: StackPlan,
    facts: list[SliceFacts],
    cuboids: dict[str, CuboidFacts],
) -> SlabReport:
    """Put a slab's report together from what was found in each of its slices and cuboids."""
    read = [fact for fact in facts if fact.low <= fact.high]
    total = sum(facts, SliceFacts())
    return SlabReport(
        plan=plan.digest,
        rows=digest_of_rows(slices),
        first=slices[0].z,
        slices=len(slices),
        maximum=total.maximum,
        foreground=[fact.nonzero for fact in facts],
        low=min((fact.low for fact in read), default=None),
        high=max((fact.high for fact in read), default=None),
        constant=[
            row.z
            for row, fact in zip(slices, facts, strict=True)
            if row.file and fact.low == fact.high
        ],
        decided=total.decided,
        nearest=total.nearest if total.decided else None,
        borders=total.borders,
        findings=[
            Finding(fact.fault[0], slice_text(folder, row), fact.fault[1])
            for row, fact in zip(slices, facts, strict=True)
            if fact.fault
        ],
        cuboids=cuboids,
    )


def report_as_dict(report: SlabReport) -> dict:
    """Return a report as plain values for JSON."""
    return asdict(report)


def slice_text(folder: str | Path, row: Slice) -> str:
    """Return the place that findings name: the file, and the page of one with many."""
    path = str(Path(folder, row.file))
    return path if row.page == "" else f"{path} page {row.page + 1}"


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
        if plan.fit is not None:
            return _take_fitted(path, header, row, plan, band, target)
        return _store(_rows(path, header, row, plan, band), plan, band, target)
    except UnreadableSlice as error:
        return SliceFacts(fault=(error.code, str(error)))


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
    page = row.page or 0
    values = read_rows(path, header, rows.start, rows.stop, page)
    if rows.start == 0:
        digest = digest_of_file(path) if row.page == "" else page_digest(path, page)[1]
        if digest != row.sha256:
            raise UnreadableSlice("SLICE_CHANGED", "is no longer the file that the manifest lists")
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
    return replace(facts, nonzero=int(np.count_nonzero(target)), maximum=int(target.max(initial=0)))


def _nearness(values: np.ndarray, rule: MaskRule) -> dict:
    if rule.levels is not None or rule.ends is None:
        return {}
    count, nearest = decided(values, rule)
    return {"decided": count, "nearest": nearest}


def _borders(target: np.ndarray, plan: StackPlan, band: range) -> int:
    edges = [target[:, 0], target[:, -1]]
    edges += [target[0]] if band.start == 0 else []
    edges += [target[-1]] if band.stop == plan.extent[1] else []
    return sum(int(np.count_nonzero(edge)) for edge in edges)
