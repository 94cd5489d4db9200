"""A picture of one feature as readers of the website will see it, before it is sent.

Region features are drawn along the hierarchy: on top the ontology in the Allen atlas' own
colours, one row per depth; below, for each view and side, the value of every finest region.
Where iblatlas has the outlines of the flat map in its cache, the Allen view is drawn in them
too. Grey is what the website paints grey: no value, or exactly 0. Volumes are drawn as their
highest levels along each axis.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, SubFigure

from brainpublish.regions.flatmap import Part
from brainpublish.regions.grid import AXES, LEVELS, unpacked
from brainpublish.regions.universe import (
    MAPPINGS,
    ROOT,
    SIDE_SHIFT,
    SIDES,
    VOID,
    brain_regions,
    universe,
)

DEFAULT_COLOURS = "magma"  # the website's
COLOURS = matplotlib.colormaps[DEFAULT_COLOURS]
GREY, WHITE = (0.8, 0.8, 0.8), (1.0, 1.0, 1.0)
DEPTHS = 8
STRIP, GAP = 6, 2  # heights in rows of the picture
SIZE, DPI = (12, 6), 90  # inches, dots per inch
FLAT_MAP_HEIGHT = 3  # inches
DIGEST = "Digest"  # the key in a picture's text chunks
DIVISIONS = ("Isocortex", "OLF", "HPF", "CTXsp", "STR", "PAL", "TH", "HY", "MB", "P", "MY", "CB",
             "fiber tracts", "VS")  # fmt: skip


def picture(name: str, payload: Mapping, digest: str, parts: Sequence[Part] = ()) -> bytes:
    """Return a PNG of a feature; equal payloads give equal bytes.

    The digest of the payload stands in the picture and in its text chunks. `parts` are those
    of the flat map, which is added below if there are any.
    """
    whole = Figure(figsize=SIZE, dpi=DPI)
    figure = whole
    if parts and payload["feature_data"]["mappings"]:
        whole.set_size_inches(SIZE[0], SIZE[1] + FLAT_MAP_HEIGHT)
        figure, below = whole.subfigures(2, 1, height_ratios=(SIZE[1], FLAT_MAP_HEIGHT))
        _draw_flat_map(below, payload["feature_data"], parts)
    data = payload["feature_data"]
    colours = matplotlib.colormaps[data.get("cmap", DEFAULT_COLOURS)]
    draw = _draw_views if data["mappings"] else _draw_volume
    text = draw(figure, data, colours)
    _draw_range(figure, data["histogram"], payload["unit"], colours)
    figure.text(0.02, 0.95, name, fontsize=13)
    figure.text(0.02, 0.915, payload["short_desc"], fontsize=9, color="0.3", parse_math=False)
    figure.text(0.02, 0.02, text, fontsize=8, color="0.3")
    figure.text(0.98, 0.02, f"digest {digest[:16]}", ha="right", fontsize=8, color="0.3")
    file = io.BytesIO()
    # Without the program's name, its version does not change the bytes.
    FigureCanvasAgg(whole).print_png(file, metadata={DIGEST: digest, "Software": None})
    return file.getvalue()


@cache
def finest() -> tuple[int, ...]:
    """Return the indices of the regions that contain no other, in the order of the ontology."""
    parents = set(universe().parents)
    regions = range(ROOT + 1, len(universe().regions))
    return tuple(index for index in regions if index not in parents)


@cache
def _lines() -> tuple[tuple[int, ...], ...]:
    """Return for each finest region itself and all above it, root left out."""
    return tuple((leaf, *universe().ancestors(leaf)[:-1]) for leaf in finest())


def ontology_rows() -> np.ndarray:
    """Return the ontology in Allen colours: float64 of shape (DEPTHS, finest regions, 3)."""
    rows = np.ones((DEPTHS, len(finest()), 3))
    colours = brain_regions().rgb / 255
    for column, line in enumerate(_lines()):
        for depth, index in enumerate(line[::-1][:DEPTHS]):
            rows[depth, column] = colours[index]
    return rows


def value_row(data: Mapping[str, Mapping[str, float]], shift: int) -> np.ndarray:
    """Return the value that a view draws for each finest region of one side; NaN for none.

    `data` is {table row: {statistic: value}}, `shift` leads from right rows to those of the
    side. What has no value of its own takes that of the nearest region above it.
    """
    return values_of(_lines(), data, shift)


def values_of(
    lines: Iterable[Sequence[int]], data: Mapping[str, Mapping[str, float]], shift: int
) -> np.ndarray:
    """Return the first value along each line of indices, from a region upwards; NaN for none."""
    held = {int(row) - shift: numbers.get("mean") for row, numbers in data.items()}
    values = []
    for line in lines:
        above = (held[index] for index in line if held.get(index) is not None)
        values.append(next(above, np.nan))
    return np.array(values, dtype=np.float64)


def coloured(
    values: np.ndarray, low: float, high: float, colours: Colormap = COLOURS
) -> np.ndarray:
    """Return values as colours, float64 of shape (n, 3): grey for NaN and for exactly 0."""
    drawn = colours(Normalize(low, high, clip=True)(np.nan_to_num(values)))[:, :3]
    drawn[np.isnan(values) | (values == 0)] = GREY
    return drawn


def _draw_views(figure: Figure | SubFigure, data: Mapping, colours: Colormap) -> str:
    """Draw the ontology and all views; return a text about what is grey."""
    shown = data["histogram"]
    blocks, labels, texts, top = [ontology_rows()], [(DEPTHS / 2, "ontology")], [], DEPTHS
    for view in MAPPINGS:
        values = data["mappings"][view]["data"]
        drawn = [numbers for row, numbers in values.items() if int(row) not in (VOID, ROOT)]
        zeros = sum(numbers.get("mean") == 0 for numbers in drawn)
        texts.append(f"{view}: {len(drawn)} regions, {zeros} of them exactly 0")
        for side, shift in zip(SIDES, (SIDE_SHIFT, 0), strict=True):
            row = coloured(value_row(values, shift), shown["vmin"], shown["vmax"], colours)
            blocks += [np.ones((GAP, *row.shape)), np.repeat(row[None], STRIP, axis=0)]
            labels.append((top + GAP + STRIP / 2, f"{view} {side}"))
            top += GAP + STRIP
    axes = figure.add_axes((0.1, 0.14, 0.8, 0.74))
    axes.imshow(np.concatenate(blocks), aspect="auto", interpolation="nearest")
    axes.set_yticks([at - 0.5 for at, _ in labels], [text for _, text in labels], fontsize=8)
    names, middles = _divisions()
    axes.set_xticks(middles, names, fontsize=8, rotation=30)
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    return f"{'; '.join(texts)}. Grey: no value, or exactly 0."


def _draw_flat_map(figure: SubFigure, data: Mapping, parts: Sequence[Part]) -> None:
    """Draw the Allen view of both sides in the outlines of the flat map."""
    shown, colours = data["histogram"], matplotlib.colormaps[data.get("cmap", DEFAULT_COLOURS)]
    lines = [(part.index, *universe().ancestors(part.index)[:-1]) for part in parts]
    for number, (side, shift) in enumerate(zip(SIDES, (SIDE_SHIFT, 0), strict=True)):
        values = values_of(lines, data["mappings"]["allen"]["data"], shift)
        axes = figure.add_axes((0.02 + 0.49 * number, 0.02, 0.47, 0.88))
        faces = coloured(values, shown["vmin"], shown["vmax"], colours)
        outlines = [part.outline for part in parts]
        axes.add_collection(
            PathCollection(outlines, facecolors=faces, edgecolors="black", linewidths=0.2)
        )
        axes.autoscale_view()
        axes.set_aspect("equal")
        axes.invert_yaxis()  # the outlines count pixels from the top
        axes.set_axis_off()
        axes.set_title(f"flat map, {side}", fontsize=9)


@cache
def _divisions() -> tuple[list[str], list[float]]:
    acronyms = {region.index: region.acronym for region in universe().regions}
    columns: dict[str, list[int]] = {}
    for column, line in enumerate(_lines()):
        for index in line:
            columns.setdefault(acronyms[index], []).append(column)
    names = [name for name in DIVISIONS if name in columns]
    return names, [float(np.mean(columns[name])) for name in names]


def _draw_volume(figure: Figure, data: Mapping, colours: Colormap) -> str:
    levels = unpacked(data["volumes"]["mean"]["volume"])
    for number, axis in enumerate(AXES):
        axes = figure.add_axes((0.04 + 0.29 * number, 0.14, 0.27, 0.72))
        flat = levels.max(axis=number)
        axes.imshow(flat, cmap=colours, vmin=0, vmax=LEVELS, interpolation="nearest")
        axes.set_title(f"highest along {axis}", fontsize=9)
        axes.set_axis_off()
    share = np.count_nonzero(levels) / levels.size
    return f"{share:.1%} of the voxels are above the lowest level."


def _draw_range(figure: Figure | SubFigure, shown: Mapping, unit: str, colours: Colormap) -> None:
    scale = ScalarMappable(Normalize(shown["vmin"], shown["vmax"]), colours)
    bar = figure.colorbar(scale, cax=figure.add_axes((0.92, 0.14, 0.015, 0.74)))
    bar.set_label(unit, fontsize=9, parse_math=False)  # a $ of the user is a $
    bar.ax.tick_params(labelsize=8)


def shown_digest(png: bytes) -> str | None:
    """Return the digest of the payload that a picture shows, None if it tells none."""
    start = 8  # of the signature
    while start + 8 <= len(png):
        length, kind = int.from_bytes(png[start : start + 4]), png[start + 4 : start + 8]
        content = png[start + 8 : start + 8 + length]
        if kind == b"tEXt" and content.startswith(f"{DIGEST}\0".encode()):
            return content.partition(b"\0")[2].decode("latin-1")
        start += length + 12
    return None
