"""The outlines of the Swanson flat map, if iblatlas has them in its cache; never downloaded."""

import json
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from iblutil.io import params
from matplotlib.path import Path as Outline

log = logging.getLogger(__name__)

CACHES = "one/caches"  # where ONE, iblatlas' downloader, keeps where its caches are
DRAWING = Path("histology", "ATLAS", "Needles", "Allen", "flatmaps", "swansonpaths.json")


class Part(NamedTuple):
    """One region of the flat map: its index on the right side, and its outline in pixels."""

    index: int
    outline: Outline


def drawing_file() -> Path | None:
    """Return the drawing in the cache of ONE's default client; None if there is none.

    ONE's own look at its settings would write some where there are none.
    """
    try:
        caches = json.loads(Path(params.getfile(CACHES)).read_text(encoding="utf-8"))
        path = Path(caches["CLIENT_MAP"][caches["DEFAULT"]]) / DRAWING
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.is_file() else None


def flat_map(path: Path | None) -> list[Part]:
    """Return the parts of a drawing, iblatlas' swansonpaths.json; none if it is none."""
    if path is None:
        return []
    try:
        drawn = json.loads(path.read_text(encoding="utf-8"))
        rings = [(int(each["thisID"]), _rings(each["coordsReg"])) for each in drawn]
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the flat map %s cannot be read (%s): it is not drawn", path, error)
        return []
    return [Part(index, Outline.make_compound_path(*held)) for index, held in rings if held]


def _rings(drawn: dict | list[dict]) -> list[Outline]:
    """Return the rings of one region; those after the first are holes or further pieces.

    `invert` is the direction of a ring, which tells a hole from a piece.
    """
    rings = []
    for number, ring in enumerate(drawn if isinstance(drawn, list) else [drawn]):
        points = np.column_stack([ring["x"], ring["y"]]).astype(np.float64)
        direction = int(ring.get("invert", -1 if number else 1))
        if len(points) > 2:
            rings.append(Outline(np.vstack([points, points[:1]])[::direction], closed=True))
    return rings
