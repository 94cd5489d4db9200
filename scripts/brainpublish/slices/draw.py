"""The job that draws a channel's contact sheet, from files to a file."""

from pathlib import Path

from brainpublish.files import read_json, write_bytes
from brainpublish.slices.masks import BINARY
from brainpublish.slices.opened import open_stack
from brainpublish.slices.plan import read_plan
from brainpublish.slices.sheet import Layer, contact_sheet


def draw_channel(settings: dict, picture: str) -> None:
    """Draw a contact sheet of a channel, from stacks alone.

    Args:
        settings: the channel's name under title, and under layers the image and the masks to
            draw: name, folder and number of slabs of each.
        picture: path of the PNG to write.
    """
    image, *masks = map(_layer, settings["layers"])
    write_bytes(picture, contact_sheet(settings["title"], image, masks))


def _layer(section: dict) -> Layer:
    folder = Path(section["folder"])
    plan, _ = read_plan(folder / "plan.json")
    reports = [read_json(folder / "slabs" / f"{slab}.json") for slab in range(section["slabs"])]
    array = open_stack(folder / "stack.zarr") if all(plan.extent) else None

    def read(z: list[int], rows: range, columns: range):
        return array[z, rows.start : rows.stop, columns.start : columns.stop].read().result()

    return Layer(
        section["name"],
        plan.extent,
        read,
        [voxels for report in reports for voxels in report["foreground"]],
        plan.mask is None or plan.mask.kind == BINARY,
    )
