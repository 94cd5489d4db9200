"""What is found while a slab is made: in its slices and its cuboids. Arrays are z, y, x."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import xxhash

from brainpublish.findings import Finding, findings_from
from brainpublish.slices.beside import (
    sudden_slices,
    unlike_labels,
    unlike_slices,
    unsettled_slices,
)
from brainpublish.slices.manifest import Slice, digest_of_rows
from brainpublish.slices.masks import BINARY, BLENDED_LINES
from brainpublish.slices.plan import StackPlan


@dataclass(frozen=True)
class SliceFacts:
    """What decoding some rows of one slice told; `low` and `high` are values of the file.

    `unsettled` is how many of the voxels that the threshold `decided` lie nearer to it than to an
    end; of labels, how many of the voxels at `crossings` lie between two: see `blended`. `view`
    is there where a whole slice was decoded at once: see `view_of`.
    """

    low: float = float("inf")
    high: float = float("-inf")
    nonzero: int = 0
    maximum: int = 0
    decided: int = 0
    nearest: float = float("inf")
    borders: int = 0
    unsettled: int = 0
    crossings: int = 0
    view: np.ndarray | None = field(default=None, compare=False)
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
            self.unsettled + other.unsettled,
            self.crossings + other.crossings,
            other.view if self.view is None else self.view,
            self.fault or other.fault,
        )


@dataclass(frozen=True)
class CuboidFacts:
    """What a cuboid of a stack holds.

    Attributes:
        digest: see `digest_of`.
        chunk: see `digest_of_chunk`.
        blank: whether all its voxels are 0.
    """

    digest: str
    chunk: str
    blank: bool


def digest_of(values: np.ndarray, label: int = 1) -> str:
    """Return the digest of a block's shape, label and voxels, as hexadecimal text.

    It tells blocks apart that differ by a change or by chance, which 128 bits of XXH3 do as
    surely as sha256; nobody gains by blocks made to collide. It takes a tenth of the time.
    The block is taken in the smallest type that holds it: when one large label makes the type
    of a whole stack wider, the other blocks keep their digests.

    Args:
        values: an array z, y, x of unsigned integers.
        label: what a stored 1 is published as; without any 1, it makes no difference.
    """
    most = values.max()
    label = label if most else 1
    values = np.ascontiguousarray(values, np.min_scalar_type(most))
    digest = xxhash.xxh3_128(f"{values.shape} {values.dtype.str} {label}".encode())
    digest.update(values.data)
    return digest.hexdigest()


def digest_of_chunk(body: bytes) -> str:
    """Return the digest of a packed chunk, by which one that was damaged since is noticed."""
    return xxhash.xxh3_64_hexdigest(body)


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
        findings: of each slice with a fault, and of those that are unlike the ones beside them.
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
        known = {each.name: value[each.name] for each in fields(cls)}
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
        ]
        + [
            Finding(code, slice_text(folder, slices[number]), text)
            for number, code, text in _compared(plan, facts)
            # One without a file is there because the config fills gaps.
            if slices[number].file
        ],
        cuboids=cuboids,
    )


def _compared(plan: StackPlan, facts: list[SliceFacts]) -> Iterator[tuple[int, str, str]]:
    """Yield number, code and message of slices that are unlike those beside them."""
    views = [None if fact.fault else fact.view for fact in facts]
    if plan.mask is None:
        yield from _compared_images(views, bright=True)
    elif all(plan.extent):
        is_binary = plan.mask.kind == BINARY
        yield from _compared_images(views, bright=False) if is_binary else _compared_ids(views)
        yield from _unclear(plan, facts)
        yield from _sudden(plan, facts)


def _compared_images(views: list, bright: bool) -> Iterator[tuple[int, str, str]]:
    for number, text in unlike_slices(views, bright):
        yield number, "SLICE_UNLIKE", text


def _compared_ids(views: list) -> Iterator[tuple[int, str, str]]:
    text = "holds other labels than the slices beside it, which share most of theirs"
    for number in unlike_labels(views):
        yield number, "SLICE_UNLIKE", text


def _unclear(plan: StackPlan, facts: list[SliceFacts]) -> Iterator[tuple[int, str, str]]:
    pixels = plan.extent[1] * plan.extent[2]
    if plan.mask.kind == BINARY:
        sizes = [min(fact.nonzero, pixels - fact.nonzero) for fact in facts]
        code = "MASK_LEVELS"
        text = (
            f"{{:,}} voxels lie near the threshold {plan.mask.threshold:g}, unlike in the masks "
            "beside it: does it have other grey levels?"
        )
    else:
        sizes = [fact.crossings for fact in facts]
        code = "MASK_BLENDED"
        text = (
            f"{{:,}} voxels, in one of {BLENDED_LINES} rows and columns, lie between the labels "
            "beside them, unlike in the slices beside it: was it resampled?"
        )
    for number in unsettled_slices([fact.unsettled for fact in facts], sizes):
        yield number, code, text.format(facts[number].unsettled)


def _sudden(plan: StackPlan, facts: list[SliceFacts]) -> Iterator[tuple[int, str, str]]:
    pixels = plan.extent[1] * plan.extent[2]
    for number in sudden_slices([fact.nonzero / pixels for fact in facts]):
        what = "all" if facts[number].nonzero else "none"
        if not facts[number].fault:
            yield (
                number,
                "MASK_SUDDEN",
                f"{what} of it is foreground, unlike in the masks beside it",
            )


def report_as_dict(report: SlabReport) -> dict:
    """Return a report as plain values for JSON."""
    return asdict(report)


def slice_text(folder: str | Path, row: Slice) -> str:
    """Return the place that findings name: the file, and the page of one with many."""
    path = str(Path(folder, row.file))
    return path if row.page == "" else f"{path} page {row.page + 1}"
