"""The job that draws a channel's contact sheet, from files to a file."""

import functools
import itertools
from pathlib import Path

import numpy as np

from brainpublish.files import read_json, write_bytes
from brainpublish.memory import keep_freed_memory
from brainpublish.slices.masks import BINARY
from brainpublish.slices.plan import read_plan
from brainpublish.slices.sheet import Layer, contact_sheet
from brainpublish.slices.slab import SlabReport
from brainpublish.slices.slabs import CUBOID
from brainpublish.slices.stored import StoredStack, refusing_damage


def draw_channel(settings: dict, picture: str) -> None:
    """Draw a contact sheet of a channel, from stacks alone.

    Args:
        settings: the channel's name under title, and under layers the image and the masks to
            draw: name, folder and number of slabs of each.
        picture: path of the PNG to write.

    Raises:
        Refusal: if a stack is not as it was made.
    """
    keep_freed_memory()
    image, *masks = map(_layer, settings["layers"])
    with refusing_damage("No contact sheet is drawn"):
        write_bytes(picture, contact_sheet(settings["title"], image, masks))


def _layer(section: dict) -> Layer:
    folder = Path(section["folder"])
    plan, _ = read_plan(folder / "plan.json")
    files = (folder / "slabs" / f"{slab}.json" for slab in range(section["slabs"]))
    reports = [SlabReport.from_dict(read_json(file)) for file in files]
    cuboids = dict(itertools.chain.from_iterable(each.cuboids.items() for each in reports))
    stack = StoredStack(folder / "stack.zarr", plan, cuboids)
    return Layer(
        section["name"],
        plan.extent,
        functools.partial(read_window, stack, plan.extent[0]),
        [voxels for report in reports for voxels in report.foreground],
        plan.mask is None or plan.mask.kind == BINARY,
    )


def read_window(stack: StoredStack, slices: int, z: list[int], rows: range, columns: range):
    """Return some slices' voxels in a window, n, y, x, in the type of the stack.

    Args:
        stack: the stack.
        slices: how many it has.
        z: slices that lie in the same cuboids.
        rows: rows of one cuboid.
        columns: columns of one cuboid or of several.
    """
    first = z[0] - z[0] % CUBOID[0]
    layer = slice(first, min(first + CUBOID[0], slices))
    held = [each - first for each in z]
    parts = []
    for start in range(columns.start, columns.stop, CUBOID[2]):
        part = slice(start, min(start + CUBOID[2], columns.stop))
        parts.append(stack[layer, slice(rows.start, rows.stop), part][held])
    return np.concatenate(parts, axis=2)
