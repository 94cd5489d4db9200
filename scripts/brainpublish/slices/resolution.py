"""What files say of the size of their voxels. What programs write by default says nothing."""

import math
from collections.abc import Iterable

_INCH, _CENTIMETER = 2.54e7, 1e7
_UNITS_NM = {
    "pm": 1e-3,
    "å": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometers": 1.0,
    "µm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometers": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "millimeters": 1e6,
    "cm": 1e7,
    "centimeter": 1e7,
    "centimeters": 1e7,
    "m": 1e9,
    "meter": 1e9,
    "in": _INCH,
    "inch": _INCH,
}
# Resolutions of screens, printers and scanners, in dots per inch: written by programs that
# know no other.
_USUAL_DPI = (72, 75, 90, 96, 100, 120, 144, 150, 180, 192, 200, 240, 300, 350, 360, 400, 500)
_USUAL_DPI += (600, 720, 1200, 2400)
_ROUNDING = 1e-3


def nanometers_of(unit: object) -> float | None:
    """Return the nanometers of a unit of length, None for what is none, like pixel."""
    # ImageJ escapes the micro sign, and there are two such signs.
    text = str(unit).strip().lower().replace("\\u00b5", "µ").replace("μ", "µ")
    return _UNITS_NM.get(text)


def size_of(number: object, unit_nm: float | None) -> float | None:
    """Return a voxel's size in nanometers, None if the number is none or only a usual one."""
    try:
        size = float(number) * (unit_nm or 0)
    except (TypeError, ValueError):
        return None
    known = math.isfinite(size) and size > 0 and not _is_usual(size)
    return size if known else None


def size_of_density(count: float, per: float, unit_nm: float | None) -> float | None:
    """Return a voxel's size in nanometers from `count` voxels on `per` units."""
    return size_of(per / count, unit_nm) if count and per else None


def sizes_text(names: Iterable[str], sizes: Iterable[float | None]) -> str:
    """Return the names of the tags that say a size, empty if none does."""
    return ", ".join(name for name, size in zip(names, sizes, strict=True) if size)


def _is_usual(size_nm: float) -> bool:
    per_inch, per_cm = _INCH / size_nm, _CENTIMETER / size_nm
    one_per_unit = any(math.isclose(size_nm, unit) for unit in (_INCH, _CENTIMETER, 1e9))
    return one_per_unit or any(
        abs(per_inch / dpi - 1) < _ROUNDING or math.isclose(per_cm, round(dpi / 2.54))
        for dpi in _USUAL_DPI
    )
