"""The voxel size of the config, compared with what the files say of theirs.

Sizes are x, y, z in nanometers, None where the files do not say one.
"""

import collections
import itertools
from collections.abc import Sequence

from brainpublish.codes import CODES
from brainpublish.findings import Finding
from brainpublish.slices.header import Header

_UNIT_NM = {"nanometers": 1.0, "micrometers": 1e3, "millimeters": 1e6, "centimeters": 1e7}
_MISTAKEN = (1e3, 1e-3, 1e4, 1e-4, 1e6, 1e-6, 1e7, 1e-7, 1e9, 1e-9)
"""What one unit of length is in another; 10 is left out, files are often scaled down so."""

_CLOSE, _ABOUT = 0.05, 0.1
_AXES = "xyz"
_LATER = "a coordinate frame cannot be changed later."


def check_voxel_size(channel: dict, slices: Sequence[tuple[str, Header]]) -> list[Finding]:
    """Compare the config's voxel size with that in the files' headers, where they have one.

    A coordinate frame can never be changed, so a mistaken unit and swapped axes are errors.
    Another difference of more than 5 % is a warning.

    Args:
        channel: settings with voxel_size (x, y, z) and voxel_unit.
        slices: place and header of each slice.
    """
    telling = collections.Counter(head.voxel_nm for _, head in slices if any(head.voxel_nm))
    if not telling:
        return []
    held = telling.most_common(1)[0][0]
    where, tags = next((file, head.voxel_tags) for file, head in slices if head.voxel_nm == held)
    unit = channel["voxel_unit"]
    given = tuple(size * _UNIT_NM[unit] for size in channel["voxel_size"])
    if _agree(given, held):
        return []
    text = (
        f"the config says {_sizes(given, unit)}; {telling[held]} of {len(slices)} slices say "
        f"{_sizes(held, unit)} ({tags})"
    )
    code, why, line = _judged(given, held, unit)
    fix = f"If the files are right, write `{line}` in the volume's section: {_LATER}"
    if CODES[code].waived:
        fix += f" If they are wrong, write `waive: [{code}]` in the channel's."
    return [Finding(code, where, f"{text}: {why}" if why else text, fix)]


def _judged(given: tuple, held: tuple, unit: str) -> tuple[str, str, str]:
    """Return the code, what was probably mistaken, and the line to write instead."""
    for factor, order in itertools.product((1.0, *_MISTAKEN), itertools.permutations(range(3))):
        turned = tuple(given[axis] / factor for axis in order)
        if not _agree(turned, held, _CLOSE if factor == 1 else _ABOUT):
            continue
        is_turned = turned != tuple(size / factor for size in given)
        if is_turned and sum(map(bool, held)) < 2:
            continue
        swapped = "the axes are swapped" if is_turned else ""
        if factor == 1:
            return "VOXEL_AXES", swapped, _size_line(turned, unit)
        why = f"a factor of {factor:g}" + (f", and {swapped}" if swapped else "")
        return (
            "VOXEL_UNIT",
            why,
            _unit_line(given, factor, unit, is_turned)
            or _size_line(_completed(held, turned), unit),
        )
    why = "; ".join(
        f"{_AXES[axis]} by a factor of {factor:g}"
        for axis, factor in itertools.product(range(3), _MISTAKEN)
        if held[axis] and _is_close(given[axis] / factor, held[axis], _ABOUT)
    )
    return "VOXEL_UNIT" if why else "VOXEL_SIZE", why, _size_line(_completed(held, given), unit)


def _unit_line(given: tuple, factor: float, unit: str, is_turned: bool) -> str:
    wanted = _UNIT_NM[unit] / factor
    name = next((name for name, size in _UNIT_NM.items() if _is_close(size, wanted, 1e-9)), "")
    return f"voxel_unit: {name}" if name and not is_turned else ""


def _size_line(sizes: tuple, unit: str) -> str:
    return f"voxel_size: [{', '.join(f'{size / _UNIT_NM[unit]:.6g}' for size in sizes)}]"


def _completed(held: tuple, other: tuple) -> tuple:
    return tuple(size or instead for size, instead in zip(held, other, strict=True))


def _agree(given: tuple, held: tuple, share: float = _CLOSE) -> bool:
    pairs = zip(given, held, strict=True)
    return all(_is_close(one, other, share) for one, other in pairs if other)


def _is_close(one: float, other: float, share: float) -> bool:
    return abs(one / other - 1) <= share


def _sizes(sizes: tuple, unit: str) -> str:
    """Return sizes as text, in the config's unit."""
    shown = [
        f"{axis} {size / _UNIT_NM[unit]:.6g}"
        for axis, size in zip(_AXES, sizes, strict=True)
        if size
    ]
    return f"{', '.join(shown)} {unit}"
