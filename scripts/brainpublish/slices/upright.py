"""Slices whose file asks to be shown turned or flipped: EXIF and TIFF tag 274, Orientation.

The tag says at which side of the picture the file's first row and first column belong (EXIF 2.32,
4.6.4; TIFF 6.0, section 8). Arrays are y, x(, samples).
"""

from dataclasses import replace

import numpy as np

from brainpublish.slices.header import Header

STOP, APPLY = "stop", "apply"
UPRIGHT = 1
ORIENTATIONS = range(1, 9)
_ON_THEIR_SIDE = 5
_UPSIDE_DOWN = (3, 4)


def is_upright(section: dict) -> bool:
    """Say whether a channel's setting `orientation` asks to turn slices as their tags say."""
    return section.get("orientation", STOP) == APPLY


def upright(header: Header) -> Header:
    """Return the header of a slice that is turned as its tag says, while it is read.

    Width and height, and the sizes of a voxel along them, change places where the picture lies
    on its side; single rows of it cannot be decoded then. A tag that means nothing stays.
    """
    turn = header.orientation
    if turn == UPRIGHT or turn not in ORIENTATIONS:
        return header
    return replace(_on_side(header, turn), orientation=UPRIGHT, turn=turn)


def as_stored(header: Header) -> Header:
    """Return the header of the file behind one that `upright` returned."""
    return replace(_on_side(header, header.turn), orientation=header.turn, turn=UPRIGHT)


def stored_rows(header: Header, start: int, stop: int) -> tuple[int, int]:
    """Return which rows of the file hold rows start to stop of the upright picture."""
    if header.turn >= _ON_THEIR_SIDE:
        return 0, header.width
    if header.turn in _UPSIDE_DOWN:
        return header.height - stop, header.height - start
    return start, stop


def turned(values: np.ndarray, turn: int) -> np.ndarray:
    """Return stored pixels y, x(, samples) turned as a tag of 1 to 8 says, without a copy."""
    if turn >= _ON_THEIR_SIDE:
        values = values.swapaxes(0, 1)
    # What is left to do after rows and columns changed places.
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}
    return np.flip(values, flips.get(turn, ()))


def _on_side(header: Header, turn: int) -> Header:
    if turn < _ON_THEIR_SIDE:
        return header
    x, y, z = header.voxel_nm
    return replace(
        header, width=header.height, height=header.width, block_rows=0, voxel_nm=(y, x, z)
    )
