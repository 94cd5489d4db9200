"""Slices of different sizes, padded with zeros or cropped to one size because the config says so.

Image and masks are treated alike, so that voxels which belong together stay together. Arrays are
y, x(, samples); sizes are given as width and height, as pictures have them.
"""

from dataclasses import dataclass, replace

from brainpublish.slices.header import Header

CENTER, TOP_LEFT = "center", "top-left"
BACKGROUND, ANYTHING = "background", "anything"


@dataclass(frozen=True)
class Fit:
    """The size that all slices of a stack get.

    Attributes:
        width: columns of the stack.
        height: rows of the stack.
        align: which point of a slice keeps its place: center, or top-left.
        crop: what may be cut off: background, that is zeros of the stack, or anything.
    """

    width: int
    height: int
    align: str = CENTER
    crop: str = BACKGROUND

    @property
    def text(self) -> str:
        """Say in words what is done, for the receipt."""
        return f"to {self.width} x {self.height} (width x height), {self.align}, crop {self.crop}"


@dataclass(frozen=True)
class Placing:
    """How rows of a file go into a band of the stack's rows.

    Attributes:
        rows: the file's rows that are decoded: those of the band, and those that are cut off
            above the first band or below the last one.
        inside: rows and columns of what was decoded that are kept.
        target: rows and columns of the band that take them.
    """

    rows: range
    inside: tuple[slice, slice]
    target: tuple[slice, slice]


def fit_of(section: dict) -> Fit | None:
    """Return what a channel's setting `fit` asks for, None if it asks for nothing."""
    asked = section.get("fit")
    return Fit(**asked) if asked else None


def fitted(header: Header, fit: Fit) -> Header:
    """Return a header as of a slice that has the size already."""
    # A file of a single block cannot be read in bands of the stack either.
    block = header.block_rows if header.block_rows < header.height else 0
    return replace(header, width=fit.width, height=fit.height, block_rows=block)


def place_rows(file: tuple[int, int], fit: Fit, band: range) -> Placing:
    """Return how the rows of a file go into some rows of the stack.

    Args:
        file: rows and columns of the file's slice.
        fit: the size that it gets.
        band: the rows of the stack.
    """
    height, width = file
    down, right = _start(height, fit.height, fit.align), _start(width, fit.width, fit.align)
    first = 0 if band.start == 0 else min(height, max(0, band.start - down))
    last = height if band.stop == fit.height else min(height, max(0, band.stop - down))
    last = max(first, last)
    top, bottom = max(band.start, down, 0), min(band.stop, down + height)
    left, end = max(right, 0), min(fit.width, right + width)
    bottom = max(top, bottom)
    return Placing(
        range(first, last),
        (slice(top - down - first, bottom - down - first), slice(left - right, end - right)),
        (slice(top - band.start, bottom - band.start), slice(left, end)),
    )


def _start(size: int, wanted: int, align: str) -> int:
    """Return at which row or column of the stack a slice begins; below 0 if it is cut."""
    return 0 if align == TOP_LEFT else (wanted - size) // 2
