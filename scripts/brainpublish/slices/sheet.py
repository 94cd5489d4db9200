"""A contact sheet of a channel: a few slices of the image, the masks outlined on them.

Slices are made smaller window by window, so that memory stays small whatever their size.
"""

import functools
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from brainpublish.slices.slabs import CUBOID

PANELS, COLUMNS, PANEL = 6, 3, 360  # slices, slices in a row, pixels of a slice's longer side
DARKEST, BRIGHTEST = 0.5, 99.8  # percentiles that are drawn black and white
_WINDOW = (CUBOID[1], 4 * CUBOID[2])
_MARGIN, _LINE, _SIZE = 12, 20, 13
_INK, _PAPER, _EMPTY = (230, 230, 230), (24, 24, 24), (0, 0, 0)
_COLOURS = np.array(
    [
        (255, 200, 0),
        (0, 200, 255),
        (255, 80, 80),
        (90, 255, 90),
        (255, 110, 255),
        (255, 150, 50),
        (120, 150, 255),
        (0, 255, 200),
        (220, 255, 80),
        (255, 150, 190),
        (190, 120, 255),
        (255, 255, 160),
    ],
    np.uint8,
)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: neighbours fall far apart


@dataclass(frozen=True)
class Layer:
    """A stack to draw.

    Attributes:
        name: the channel's.
        extent: z, y, x in voxels.
        read: gives an array n, y, x for n values of z, rows and columns.
        foreground: voxels of each slice that are not 0.
        is_binary: a mask with one kind of foreground.
    """

    name: str
    extent: tuple[int, int, int]
    read: Callable[[list[int], range, range], np.ndarray]
    foreground: Sequence[int] = ()
    is_binary: bool = True


def choose_slices(count: int, foregrounds: Sequence[Sequence[int]], most: int = PANELS) -> list:
    """Return the z of some slices, evenly spread; each mask shows on one of them at least.

    A single mask is shown where it has foreground, so far as it has any.

    Args:
        count: slices of the stack.
        foregrounds: for each mask the foreground voxels of each slice.
        most: slices to choose at most.
    """
    held = [[z for z, voxels in enumerate(mask[:count]) if voxels] for mask in foregrounds]
    among = held[0] if len(held) == 1 and held[0] else range(count)
    number = min(most, len(among))
    chosen = [among[(2 * i + 1) * len(among) // (2 * number)] for i in range(number)]
    for mask, filled in zip(foregrounds, held, strict=True):
        if filled and not set(filled) & set(chosen):
            fullest = max(filled, key=lambda z, mask=mask: (mask[z], -z))
            nearest = min(range(number), key=lambda i: abs(chosen[i] - fullest))
            chosen[nearest] = fullest
    return sorted(set(chosen))


def contact_sheet(title: str, image: Layer, masks: Sequence[Layer]) -> bytes:
    """Return a PNG; equal stacks give equal bytes.

    Args:
        title: name of the channel that the sheet is about.
        image: the stack whose grey values are drawn.
        masks: stacks whose outlines are drawn over it. One of another size is only named.
    """
    if not all(image.extent):
        return _png(_page(title, ["no slice of the image could be read"], [], [], (PANEL, 0)))
    fitting = [mask for mask in masks if mask.extent[1:] == image.extent[1:]]
    chosen = choose_slices(image.extent[0], [mask.foreground for mask in fitting])
    step, zoom = _scale(image.extent)
    greys = _reduced(image, chosen, step, np.add)
    low, high = np.percentile(greys, (DARKEST, BRIGHTEST))
    panels = [_panel(grey, low, high, zoom) for grey in greys]
    for number, mask in enumerate(fitting):
        there = [z for z in chosen if z < mask.extent[0]]
        labels = _reduced(mask, there, step, np.maximum)
        for panel, held in zip(panels, labels, strict=False):
            _draw_outlines(panel, held, mask, number, zoom)
    notes = [f"{image.name}: black is {low:.6g}, white is {high:.6g}"]
    notes += [f"{m.name}: not drawn, it differs in size" for m in masks if m not in fitting]
    keys = [(mask, number) for number, mask in enumerate(fitting)]
    captions = [_caption(z, image, fitting) for z in chosen]
    shown = list(zip(captions, panels, strict=True))
    return _png(_page(title, notes, keys, shown, panels[0].shape[1::-1]))


def reduced(
    read: Callable[[range, range], np.ndarray], shape: tuple[int, int], step: int, how: np.ufunc
) -> np.ndarray:
    """Return blocks of step x step pixels as one each: their mean or their largest value.

    Args:
        read: gives n, y, x for rows and columns.
        shape: y, x of all.
        step: rows and columns of a block; those at the end may be cut.
        how: np.add for the mean, float64; np.maximum for the largest, in the values' own type.
    """
    made = None
    for rows, columns in _windows(shape):
        values = read(rows, columns)
        kind = np.float64 if how is np.add else values.dtype
        # Whole rows first: their pixels lie side by side in memory.
        for axis, part in ((1, rows), (2, columns)):
            values = _reduced_along(values, axis, part, step, how, kind)
        if made is None:
            made = np.zeros((len(values), *(-(-size // step) for size in shape)), kind)
        target = made[:, _blocks(rows, step), _blocks(columns, step)]
        how(target, values, out=target)
    return made / np.outer(*(_lengths(size, step) for size in shape)) if how is np.add else made


def outlines(labels: np.ndarray) -> np.ndarray:
    """Return where labels y, x have a neighbour of another label; bool, False where 0."""
    edge = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & (labels != 0)


def _reduced(layer: Layer, chosen: list[int], step: int, how: np.ufunc) -> np.ndarray:
    """Return the slices made smaller; those that share cuboids are read together."""
    made = []
    for _, group in itertools.groupby(chosen, key=lambda z: z // CUBOID[0]):
        read = functools.partial(layer.read, list(group))
        made += [*reduced(read, layer.extent[1:], step, how)]
    return np.stack(made) if made else np.zeros((0, 0, 0))


def _scale(extent: tuple[int, int, int]) -> tuple[int, int]:
    """Return how many pixels become one, and how often each is then repeated."""
    longest = max(extent[1:])
    return max(1, -(-longest // PANEL)), max(1, PANEL // longest)


def _windows(shape: tuple[int, int]) -> Iterator[tuple[range, range]]:
    """Yield rows and columns of windows that share no cuboid."""
    (height, width), (tall, wide) = shape, _WINDOW
    for y in range(0, height, tall):
        for x in range(0, width, wide):
            yield range(y, min(y + tall, height)), range(x, min(x + wide, width))


def _reduced_along(values: np.ndarray, axis: int, part: range, step: int, how, kind):
    """Reduce one axis, whose values are those of a part of a slice; blocks may be cut.

    The first pixels of all blocks are taken at once, then their second ones, and so on: some
    times as fast as block by block.
    """
    blocks = _blocks(part, step)
    shape = list(values.shape)
    shape[axis] = blocks.stop - blocks.start
    made = np.zeros(shape, kind)
    target, pixels = np.moveaxis(made, axis, 0), np.moveaxis(values, axis, 0)
    for first in range(min(step, len(part))):
        taken = pixels[first::step]
        block = (part.start + first) // step - blocks.start
        into = target[block : block + len(taken)]
        how(into, taken, out=into)
    return made


def _blocks(part: range, step: int) -> slice:
    return slice(part.start // step, -(-part.stop // step))


def _lengths(size: int, step: int) -> np.ndarray:
    return np.diff([*range(0, size, step), size])


def _panel(grey: np.ndarray, low: float, high: float, zoom: int) -> np.ndarray:
    shade = np.clip((grey - low) / max(high - low, 1e-9), 0, 1)
    levels = np.rint(shade * 255).astype(np.uint8).repeat(zoom, 0).repeat(zoom, 1)
    return np.stack([levels] * 3, axis=-1)


def _draw_outlines(panel: np.ndarray, labels: np.ndarray, mask: Layer, number: int, zoom: int):
    wide = labels.repeat(zoom, 0).repeat(zoom, 1)
    edge = outlines(wide)
    panel[edge] = _COLOURS[_colour_of(wide[edge], mask, number)]


def _colour_of(labels: np.ndarray, mask: Layer, number: int) -> np.ndarray:
    if mask.is_binary:
        return np.full(labels.shape, number % len(_COLOURS))
    mixed = labels.astype(np.uint64) * _SPREAD >> np.uint64(32)
    return (mixed % np.uint64(len(_COLOURS))).astype(int)


def _caption(z: int, image: Layer, masks: Sequence[Layer]) -> str:
    text = f"z {z} of {image.extent[0]}"
    if len(masks) == 1 and z < len(masks[0].foreground):
        share = masks[0].foreground[z] / (image.extent[1] * image.extent[2])
        text += f", {share:.2%} foreground"
    return text


def _page(title: str, notes: list[str], keys: list, shown: list, size: tuple) -> Image.Image:
    """Put title, notes, legend and panels of one size (x, y) on a page."""
    width, height = max(size[0], PANEL // 2), size[1] + _LINE
    columns, rows = min(COLUMNS, max(1, len(shown))), -(-len(shown) // COLUMNS)
    lines = [title, *notes]
    top = _MARGIN + _LINE * (len(lines) + len(keys)) + _MARGIN
    across = max(columns * (width + _MARGIN) + _MARGIN, 2 * PANEL)
    page = Image.new("RGB", (across, top + rows * (height + _MARGIN)), _PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(_SIZE)
    for line, text in enumerate(lines):
        draw.text((_MARGIN, _MARGIN + line * _LINE), text, _INK, font)
    for line, (mask, number) in enumerate(keys, start=len(lines)):
        _draw_key(draw, font, _MARGIN + line * _LINE, mask, number)
    for index, (caption, panel) in enumerate(shown):
        x = _MARGIN + index % COLUMNS * (width + _MARGIN)
        y = top + index // COLUMNS * (height + _MARGIN)
        draw.text((x, y), caption, _INK, font)
        page.paste(Image.fromarray(panel), (x, y + _LINE))
    return page


def _draw_key(draw: ImageDraw.ImageDraw, font, y: int, mask: Layer, number: int) -> None:
    numbers = [number % len(_COLOURS)] if mask.is_binary else [*range(len(_COLOURS))]
    side = _SIZE if mask.is_binary else _SIZE // 2
    for index, colour in enumerate(numbers):
        x = _MARGIN + index * side
        draw.rectangle((x, y + 2, x + side - 1, y + _SIZE), tuple(_COLOURS[colour].tolist()))
    text = mask.name if mask.is_binary else f"{mask.name}: labels, in turn of these colours"
    text += "" if any(mask.foreground) else " (empty)"
    draw.text((_MARGIN + len(numbers) * side + 6, y), text, _INK, font)


def _png(page: Image.Image) -> bytes:
    file = io.BytesIO()
    page.save(file, "PNG", compress_level=2)
    return file.getvalue()
