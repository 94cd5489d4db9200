"""Objects of annotation channels: reserving ids, the ids in a box, an object's bounds.

The real service knows ids and bounds only after a separate indexing job; here they are read from
the voxels.
"""

from collections.abc import Iterator

import numpy as np
from starlette.responses import Response

from brainpublish.local.bossdb.auth import require
from brainpublish.local.bossdb.channels import layer_of, storable
from brainpublish.local.bossdb.cutout import (
    BOX,
    Request,
    check_channel_permission,
    check_resolution,
    requested,
)
from brainpublish.local.bossdb.errors import BossError, Code, ServerCrash
from brainpublish.local.bossdb.geometry import AXES, CUBOID, Box
from brainpublish.local.bossdb.lookup import Target, find_live
from brainpublish.local.bossdb.service import Call, Endpoint, reply
from brainpublish.local.bossdb.volumes import Layer, Volumes

LARGEST_COUNTER = 2**63 - 1
LARGEST_ID = 2**64 - 1


def _target(call: Call) -> Target:
    path = call.path
    return find_live(call.database, path["collection"], path["experiment"], path["channel"])


def reserve(call: Call) -> Response:
    """Reserve a run of ids that no other call will get."""
    target, count = _target(call), call.path["count"]
    if call.user is None:
        raise ServerCrash("no anonymous user")
    require(call.database, call.user, "channel", target.channel, "add_volumetric_data")
    if target.channel["type"] != "annotation":
        raise ServerCrash("ids reserved on an image channel")
    with call.database.writing():
        sql = "SELECT next_id FROM channel WHERE id = ?"
        first = call.database.one(sql, target.channel["id"])["next_id"]
        if first + int(count) > LARGEST_COUNTER:
            raise BossError(Code.TYPE_ERROR, f"Cannot reserve {count} ids")
        call.database.update("channel", target.channel["id"], {"next_id": first + int(count)})
    return reply({"start_id": first, "count": count})


def _stored_parts(volumes: Volumes, layer: Layer, box: Box) -> Iterator[tuple[Box, np.ndarray]]:
    """Yield the stored parts of a box with their voxels, one chunk at a time."""
    for chunk in volumes.stored_chunks(layer):
        part = layer.chunk_box(chunk).within(box)
        if not part.empty:
            yield part, volumes.read(layer, part)


def _check_storable(target: Target) -> None:
    if not storable(target.channel):
        raise ServerCrash("no cube class for the channel's datatype")


def read_ids(call: Call) -> Response:
    """List the ids in a box, as text, without 0."""
    request: Request = requested(call, "read_volumetric_data", "Listing of ids")
    _check_storable(request.target)
    found: set[int] = set()
    for sample in request.samples:
        parts = _stored_parts(call.service.volumes, request.layer(sample), request.box)
        for _, voxels in parts:
            found.update(np.unique(voxels).tolist())
    return reply({"ids": [str(found_id) for found_id in sorted(found - {0})]})


def read_bounds(call: Call) -> Response:
    """Answer with the box around an object: loose to whole cuboids, or tight."""
    target = _target(call)
    check_channel_permission(call, target, "read_volumetric_data", honours_public=True)
    if target.channel["type"] != "annotation":
        raise BossError(
            Code.WRONG_CHANNEL_KIND,
            "Can only perform bounding box operations on annotation channels",
        )
    wanted = _object_id(call)
    resolution = check_resolution(call, target)
    form = call.query.get("type", "loose")
    if form not in ("loose", "tight"):
        raise BossError(Code.INVALID_ARGUMENT, f"Invalid type of bounding box: {form}")
    _check_storable(target)
    box = _bounds(call.service.volumes, layer_of(target, resolution), wanted)
    if box is None:
        raise BossError(Code.OBJECT_NOT_FOUND, f"Id {wanted} not found")
    ends = _aligned(box) if form == "loose" else list(zip(box.start, box.stop, strict=True))
    ranges = {f"{axis}_range": list(pair) for axis, pair in zip(AXES, ends, strict=True)}
    return reply(ranges | {"t_range": [0, 1]})


def _object_id(call: Call) -> int:
    text = call.path["id"]
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)):
        raise BossError(Code.TYPE_ERROR, f"The id of the object {text} is not a valid int")
    return int(text)


def _bounds(volumes: Volumes, layer: Layer, wanted: int) -> Box | None:
    if not 0 < wanted <= np.iinfo(layer.dtype).max:
        return None
    corners = []
    for part, voxels in _stored_parts(volumes, layer, layer.level.bounds):
        places = np.nonzero(voxels == wanted)
        if places[0].size:
            offsets = [places[axis] for axis in (2, 1, 0)]
            corners.append([part.start[axis] + offsets[axis].min() for axis in range(3)])
            corners.append([part.start[axis] + offsets[axis].max() for axis in range(3)])
    if not corners:
        return None
    first, last = np.min(corners, axis=0), np.max(corners, axis=0)
    return Box(tuple(first.tolist()), tuple((last + 1).tolist()))


def _aligned(box: Box) -> list[tuple[int, int]]:
    return [
        (start // size * size, -(-stop // size) * size)
        for start, stop, size in zip(box.start, box.stop, CUBOID, strict=True)
    ]


ENDPOINTS = [
    Endpoint("/reserve/{collection}/{experiment}/{channel}/{count:digits}", {"GET": reserve}),
    Endpoint(f"/ids/{BOX}", {"GET": read_ids}),
    Endpoint(f"/ids/{BOX}/{{time:range}}", {"GET": read_ids}),
    Endpoint(
        "/boundingbox/{collection}/{experiment}/{channel}/{resolution:digit}/{id}",
        {"GET": read_bounds},
    ),
]
