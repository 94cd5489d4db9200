"""What the header of a NIfTI or NRRD file says of its axes, held against what its shape says.

Headers are wrong at times: the files of the Allen institute call the front-back axis left. So
the shape, whose three sides differ, decides which axis is which; of a header that agrees with
it the directions and the spacing are believed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import nibabel
import nrrd
import numpy as np

from brainpublish.findings import WARNING, Finding
from brainpublish.regions.grid import AXES

# Where an axis runs to, and its name: the grid runs backwards, downwards and to the right.
DIRECTIONS = {"P": "ap", "A": "-ap", "I": "dv", "S": "-dv", "R": "ml", "L": "-ml"}
OPPOSITE = dict(zip("PAISRL", "APSILR", strict=True))
UM_OF = {"mm": 1e3, "meter": 1e6, "m": 1e6, "micron": 1.0, "microns": 1.0, "um": 1.0, "µm": 1.0}
SAME = 0.01  # spacings closer than this share are equal
NIFTI = (".nii", ".nii.gz", ".hdr", ".img")
NRRD = (".nrrd", ".nhdr")


@dataclass(frozen=True)
class Header:
    """What a header says: axes as the config names them, spacings and their unit; or nothing.

    `um` is how many micrometres the unit is, None if the header gives no unit.
    """

    axes: tuple[str, ...] = ()
    spacing: tuple[float, ...] = ()
    um: float | None = None

    def text(self) -> str:
        """Return what the header says, for a message."""
        said = [f"axes [{', '.join(self.axes)}]"] if self.axes else []
        if self.spacing:
            numbers = " x ".join(f"{number:g}" for number in self.in_um(self.um or 1.0))
            said.append(f"a spacing of {numbers}{' um' if self.um else ' in no unit'}")
        return " and ".join(said)

    def in_um(self, um: float) -> list[float]:
        """Return the spacings in micrometres, if the unit is so many of them."""
        return [number * um for number in self.spacing]

    def fits(self, spacing: float) -> bool:
        """Say whether the header allows a spacing, in um; without a unit, in any of them.

        A spacing of 1 is what programs write that know none.
        """
        if not self.spacing or set(self.spacing) == {1.0}:
            return True
        units = [self.um] if self.um else sorted(set(UM_OF.values()))
        return any(np.allclose(self.in_um(unit), spacing, rtol=SAME, atol=0) for unit in units)


def read_header(path: str) -> Header:
    """Return what the header of a readable volume says of its first three axes."""
    name = path.lower()
    if name.endswith(NIFTI):
        return _nifti_header(nibabel.load(path))
    if name.endswith(NRRD):
        return _nrrd_header(nrrd.read_header(path))
    return Header()


def _nifti_header(image) -> Header:
    header = image.header
    if "qform_code" not in header or not (header["qform_code"] or header["sform_code"]):
        return Header()
    letters = nibabel.aff2axcodes(image.affine)
    axes = tuple(DIRECTIONS[letter] for letter in letters if letter in DIRECTIONS)
    unit = UM_OF.get(header.get_xyzt_units()[0])
    spacing = tuple(float(number) for number in header.get_zooms()[:3])
    return Header(axes if len(axes) == 3 else (), spacing, unit)


def _nrrd_header(header: dict) -> Header:
    if header.get("dimension") != 3:
        return Header()
    units = set(header.get("space units", header.get("units", [])))
    unit = UM_OF.get(next(iter(units)).strip('"').lower()) if len(units) == 1 else None
    vectors = header.get("space directions")
    if vectors is None:
        return Header((), tuple(float(each) for each in header.get("spacings", ())), unit)
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.shape != (3, 3) or not np.isfinite(vectors).all():
        return Header()
    letters = [word[:1].upper() for word in header.get("space", "").split("-")]
    if len(letters) == 1:
        letters = list(header.get("space", "").upper())
    spacing = tuple(float(length) for length in np.linalg.norm(vectors, axis=1))
    return Header(_along(vectors, letters), spacing, unit)


def _along(vectors: np.ndarray, letters: Sequence[str]) -> tuple[str, ...]:
    """Return the axes of direction vectors in a space whose own axes are given by letters."""
    if len(letters) != 3 or not set(letters) <= set(DIRECTIONS):
        return ()
    axes = []
    for vector in vectors:
        main = int(np.abs(vector).argmax())
        letter = letters[main] if vector[main] > 0 else OPPOSITE[letters[main]]
        axes.append(DIRECTIONS[letter])
    return tuple(axes) if len({axis.lstrip("-") for axis in axes}) == 3 else ()


def header_findings(
    where: str,
    header: Header,
    shape: Sequence[int],
    axes: Sequence[str] | None,
    spacing_of: Callable[[Sequence[int]], float | None],
) -> list[Finding]:
    """Say where a header contradicts the way in which a volume is read.

    Args:
        where: the file and the feature.
        header: what its header says.
        shape: of the file.
        axes: what the config says; None: nothing, so the grid's own are taken.
        spacing_of: of a shape in the grid's order, in um; None if it is not that of the brain.
    """
    used = tuple(axes or AXES)
    findings = []
    spacing = spacing_of(in_grid_order(shape, used))
    if spacing is not None and not header.fits(spacing):
        what = f"the header says {header.text()}, the shape is that of the brain at {spacing:g} um"
        findings.append(Finding("VOLUME_HEADER", where, f"{what}: the shape is believed"))
    if header.axes in ((), used):
        return findings
    what = f"the header says axes [{', '.join(header.axes)}], read are [{', '.join(used)}]"
    if spacing_of(in_grid_order(shape, header.axes)) is None:
        what += "; the shape fits the header's in no spacing, so the header is not believed"
        return [*findings, Finding("VOLUME_HEADER", where, what, severity="note")]
    if axes is None:
        what += f"; set `axes: [{', '.join(header.axes)}]`, or the other ones if they are right"
        return [*findings, Finding("VOLUME_AXES", where, what)]
    return [*findings, Finding("VOLUME_HEADER", where, what, severity=WARNING)]


def in_grid_order(shape: Sequence[int], axes: Sequence[str]) -> list[int]:
    """Return the sides of a volume in the grid's order."""
    plain = [axis.lstrip("-") for axis in axes]
    return [shape[plain.index(axis)] for axis in AXES]
