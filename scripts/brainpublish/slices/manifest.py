"""The slice manifest: header facts and sha256 of every slice, and the plan of the stack."""

import collections
import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from brainpublish.files import digest_of_file, digest_of_json, write_text
from brainpublish.findings import Finding
from brainpublish.slices.masks import BINARY, MaskRule, decide_rule
from brainpublish.slices.read import Header, UnreadableSlice, read_header, read_slice


@dataclass(frozen=True)
class Slice:
    """A row of the manifest. Header fields are empty where the file could not be read.

    `file` is relative to the channel's folder; `bytes` and `sha256` are those of the file.
    """

    z: int
    file: str
    width: int | str = ""
    height: int | str = ""
    bit_depth: int | str = ""
    dtype: str = ""
    bytes: int | str = ""
    sha256: str = ""


@dataclass(frozen=True)
class StackPlan:
    """What a channel's normalised stack will be: `extent` is z, y, x in voxels."""

    extent: tuple[int, int, int]
    dtype: str
    depth: int
    mask: MaskRule | None = None

    @property
    def digest(self) -> str:
        """Digest that changes whenever a slab made under this plan would change."""
        return digest_of_json(asdict(self))

    @classmethod
    def from_dict(cls, value: dict) -> "StackPlan":
        """Make a plan of what `dataclasses.asdict` and JSON left of one."""
        mask = value["mask"]
        if mask is not None:
            levels = mask["levels"]
            mask = MaskRule(**{**mask, "levels": levels and tuple(levels)})
        return cls(tuple(value["extent"]), value["dtype"], value["depth"], mask)


@dataclass(frozen=True)
class Description:
    """All that is known of a channel's slices before any of them is decoded."""

    slices: list[Slice]
    plan: StackPlan
    findings: list[Finding]


def describe_slices(channel: dict, files: list[str], depth: int, threads: int) -> Description:
    """Read header and digest of every slice, in parallel, and plan the stack.

    Args:
        channel: a channel's plain settings (path, role, dtype, and a mask's settings).
        files: the slices' paths in z order.
        depth: slices per slab.
        threads: slices read at once.
    """
    with ThreadPoolExecutor(threads) as pool:
        read = list(pool.map(_read, files))
    headers = {z: head for z, (head, _, _) in enumerate(read) if isinstance(head, Header)}
    usual = _usual(headers)
    findings = [
        Finding(head.code, path, str(head))
        for path, (head, _, _) in zip(files, read, strict=True)
        if isinstance(head, UnreadableSlice)
    ]
    findings += _odd_ones(headers, files, usual)
    rows = [
        _row(z, Path(path).relative_to(channel["path"]).as_posix(), *facts)
        for z, (path, facts) in enumerate(zip(files, read, strict=True))
    ]
    if usual is None:
        return Description(rows, StackPlan((0, 0, 0), channel["dtype"], depth), findings)
    extent = (len(files), usual.height, usual.width)
    plan_for = _plan_annotation if channel["role"] == "annotation" else _plan_image
    plan, more = plan_for(channel, files, extent, depth, usual)
    return Description(rows, plan, findings + more)


def _read(path: str) -> tuple[Header | UnreadableSlice, int | str, str]:
    try:
        size, digest = Path(path).stat().st_size, digest_of_file(path)
    except OSError as error:
        return UnreadableSlice("SLICE_UNREADABLE", f"cannot be opened: {error.strerror}"), "", ""
    try:
        return read_header(path), size, digest
    except UnreadableSlice as error:
        return error, size, digest


def _row(z: int, file: str, head: Header | UnreadableSlice, size: int | str, digest: str) -> Slice:
    if isinstance(head, UnreadableSlice):
        return Slice(z, file, bytes=size, sha256=digest)
    return Slice(z, file, head.width, head.height, head.bit_depth, head.dtype, size, digest)


def _usual(headers: dict[int, Header]) -> Header | None:
    counts = collections.Counter(headers.values())
    return counts.most_common(1)[0][0] if counts else None


def _odd_ones(headers: dict[int, Header], files: list[str], usual: Header | None):
    for z, head in headers.items():
        if (head.width, head.height) != (usual.width, usual.height):
            text = f"is {head.width} x {head.height}, the others {usual.width} x {usual.height}"
            yield Finding("SLICE_SIZE", files[z], f"{text} (width x height)")
        if (head.bit_depth, head.format) != (usual.bit_depth, usual.format):
            yield Finding(
                "SLICE_DEPTH",
                files[z],
                f"is a {head.format} file of {head.bit_depth} bits, "
                f"the others are {usual.format} files of {usual.bit_depth} bits",
            )


def _plan_image(channel: dict, files: list[str], extent, depth: int, usual: Header):
    findings = []
    where, dtype = channel["path"], channel["dtype"]
    if usual.bit_depth > np.iinfo(dtype).bits:
        text = f"the files hold {usual.bit_depth} bits, the channel's type is {dtype}"
        findings.append(Finding("SLICE_DTYPE", where, text))
        dtype = usual.dtype
    elif usual.bit_depth < np.iinfo(usual.dtype).bits:
        text = f"the files say {usual.bit_depth} bits; values are kept as they are"
        findings.append(Finding("SLICE_NARROW", where, text))
    return StackPlan(extent, dtype, depth), findings


def _plan_annotation(channel: dict, files: list[str], extent, depth: int, usual: Header):
    def decoded():
        for z in _from_the_middle(len(files)):
            yield lambda z=z: _values_or_none(files[z])

    rule, findings = decide_rule(channel, usual, decoded(), channel["path"])
    dtype = "uint8" if rule.kind == BINARY else usual.dtype
    return StackPlan(extent, dtype, depth, rule), findings


def _from_the_middle(count: int) -> list[int]:
    return sorted(range(count), key=lambda z: abs(z - count // 2))


def _values_or_none(path: str) -> np.ndarray:
    # A slice that cannot be decoded says nothing of the kind; its slab's job reports it.
    try:
        return read_slice(path)
    except UnreadableSlice:
        return np.zeros((0, 0), np.uint8)


def write_manifest(path: str | Path, slices: list[Slice]) -> None:
    """Write the manifest as a table with tabs, one row per slice in z order."""
    text = io.StringIO()
    names = [field.name for field in fields(Slice)]
    table = csv.DictWriter(text, names, delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in slices)
    write_text(path, text.getvalue())


def read_manifest(path: str | Path) -> list[Slice]:
    """Read what `write_manifest` wrote."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [_typed(row) for row in csv.DictReader(file, delimiter="\t")]


def _typed(row: dict[str, str]) -> Slice:
    numbers = ("z", "width", "height", "bit_depth", "bytes")
    return Slice(**{k: int(v) if k in numbers and v else v for k, v in row.items()})
