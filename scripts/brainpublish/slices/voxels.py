"""The voxel size of the config, compared with what the files say of theirs."""

import collections
from collections.abc import Sequence

from brainpublish.findings import Finding
from brainpublish.slices.header import Header

_UNIT_NM = {"nanometers": 1.0, "micrometers": 1e3, "millimeters": 1e6, "centimeters": 1e7}
_CLOSE = 0.02
_AXES = "xyz"


def check_voxel_size(channel: dict, headers: Sequence[Header]) -> list[Finding]:
    """Compare the config's voxel size with that in the files' headers, where they have one.

    A coordinate frame can never be changed, so a size that is off by powers of ten or whose
    axes are swapped is an error. Another difference is a warning.
    """
    held = collections.Counter(head.voxel_nm for head in headers).most_common(1)[0][0]
    known = [axis for axis in range(3) if held[axis]]
    if not known:
        return []
    unit = channel["voxel_unit"]
    given = [size * _UNIT_NM[unit] for size in channel["voxel_size"]]
    if all(_is_close(given[axis], held[axis]) for axis in known):
        return []
    text = (
        f"the config says {_sizes(channel['voxel_size'], range(3))} {unit}, the files say "
        f"{_sizes([(size or 0) / _UNIT_NM[unit] for size in held], known)} {unit}"
    )
    where = channel["path"]
    if len(known) == 3 and all(map(_is_close, sorted(given), sorted(held))):
        return [Finding("VOXEL_AXES", where, f"{text}: the axes are swapped")]
    ratios = [given[axis] / held[axis] for axis in known]
    for factor in (1e3, 1e-3, 1e6, 1e-6, 1e9, 1e-9):
        if all(_is_close(ratio, factor) for ratio in ratios):
            return [Finding("VOXEL_UNIT", where, f"{text}: a factor of {factor:g}")]
    return [Finding("VOXEL_SIZE", where, text)]


def _is_close(one: float, other: float) -> bool:
    return abs(one / other - 1) <= _CLOSE


def _sizes(values, axes) -> str:
    return ", ".join(f"{_AXES[axis]} {values[axis]:.6g}" for axis in axes)
