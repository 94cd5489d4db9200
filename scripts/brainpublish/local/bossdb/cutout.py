"""Cutouts: reading, writing and erasing boxes of voxels."""

import math
from dataclasses import dataclass

import numpy as np
from starlette.responses import Response

from brainpublish.local.bossdb.auth import has_permission
from brainpublish.local.bossdb.bodies import BLOSC, GET_TYPES, POST_TYPES, decode, encode
from brainpublish.local.bossdb.channels import DOWNSAMPLED, NOT_DOWNSAMPLED, layer_of, storable
from brainpublish.local.bossdb.errors import (
    BossError,
    Code,
    DetailError,
    ServerCrash,
    permission_missing,
)
from brainpublish.local.bossdb.geometry import AXES, Box, Hierarchy
from brainpublish.local.bossdb.lookup import Target, find_live
from brainpublish.local.bossdb.quota import charge
from brainpublish.local.bossdb.service import Call, Endpoint, empty
from brainpublish.local.bossdb.volumes import Layer

# Uncompressed bytes of one cutout; 64-bit channels count for a quarter.
LARGEST_CUTOUT = 545_259_520
ACCESS_MODES = ("cache", "no-cache", "raw")
JSON_TYPES = ("application/json", "text/html")
ANY_TYPES = ("*/*", "application/*")


@dataclass(frozen=True)
class Request:
    """A checked request for a box of voxels; `times` is empty if no time range was given."""

    target: Target
    resolution: int
    box: Box
    times: range
    isotropic: bool

    @property
    def samples(self) -> range:
        """The time samples that are meant: the given ones or the channel's default."""
        default = self.target.channel["default_time_sample"]
        return self.times or range(default, default + 1)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes that voxels of this request may have: (t) z, y, x; the usual one first."""
        if not self.times:
            return [self.box.shape]
        shapes = [(len(self.times), *self.box.shape)]
        return shapes + [self.box.shape] * (len(self.times) == 1)

    @property
    def dtype(self) -> np.dtype:
        """The channel's datatype."""
        return np.dtype(self.target.channel["datatype"])

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels, uncompressed."""
        return math.prod(self.box.shape) * len(self.samples) * self.dtype.itemsize

    def layer(self, sample: int) -> Layer:
        """Return the stored layer of one of the time samples."""
        return layer_of(self.target, self.resolution, sample, self.isotropic)


def is_true(call: Call, parameter: str) -> bool:
    """Say whether a query parameter is `true`."""
    return call.query.get(parameter, "").lower() == "true"


def parse_range(text: str) -> tuple[int, int]:
    """Return the two ends of a range like 0:512."""
    start, stop = text.split(":")
    return int(start), int(stop)


def _times(call: Call, target: Target) -> range:
    """Return the time range of the path. One sample too many is let pass, as in the service."""
    if "time" not in call.path:
        return range(0)
    samples = target.experiment["num_time_samples"]
    start, stop = parse_range(call.path["time"])
    if start > samples or start > stop or stop > samples + 1:
        raise BossError(
            Code.INVALID_URL,
            f"Invalid time range {call.path['time']}: the experiment has {samples} time samples",
        )
    if start == stop:
        raise ServerCrash("an empty time range")
    return range(start, stop)


def check_resolution(call: Call, target: Target) -> int:
    """Return the level of the path. Raises 400/1002 outside the hierarchy."""
    resolution = int(call.path["resolution"])
    first = target.channel["base_resolution"]
    levels = target.experiment["num_hierarchy_levels"]
    if not first <= resolution < first + levels:
        raise BossError(
            Code.TYPE_ERROR,
            f"Invalid resolution {resolution}: it has to be within {first} and {first + levels}",
        )
    return resolution


def _box(call: Call, target: Target) -> Box:
    """Return the box of the path; the frame's full-resolution extent bounds it at all levels."""
    ranges = [parse_range(call.path[axis]) for axis in AXES]
    box = Box(*(tuple(ends) for ends in zip(*ranges, strict=True)))
    frame = Hierarchy.of(target.experiment, target.frame).frame_box
    if box.empty or box.within(frame) != box:
        text = "/".join(call.path[axis] for axis in AXES)
        raise BossError(
            Code.INVALID_CUTOUT_ARGUMENTS,
            f"Incorrect cutout arguments {text}: the coordinate frame has "
            f"{frame.start} to {frame.stop}",
        )
    return box


def requested(call: Call, permission: str, annotation_only: str = "") -> Request:
    """Check a request for voxels in the order of the real service and return it.

    `annotation_only` names what is asked for if it is for annotation channels alone.
    """
    path = call.path
    target = find_live(call.database, path["collection"], path["experiment"], path["channel"])
    check_channel_permission(call, target, permission, honours_public=not annotation_only)
    filtered = call.method == "GET" and "filter" in call.query
    if (annotation_only or filtered) and target.channel["type"] != "annotation":
        raise BossError(
            Code.WRONG_CHANNEL_KIND,
            f"The channel in request has type {target.channel['type']}. "
            f"{annotation_only or 'Filter'} is only valid for annotation channels",
        )
    times = _times(call, target)
    resolution = check_resolution(call, target)
    return Request(target, resolution, _box(call, target), times, is_true(call, "iso"))


def check_channel_permission(
    call: Call, target: Target, permission: str, honours_public: bool
) -> None:
    """Raise 403/3001 for a right on voxels that the caller lacks.

    Reading a public channel needs none, where the call honours that. An anonymous read of
    another crashes.
    """
    channel = target.channel
    reading = permission == "read_volumetric_data"
    if reading and channel["public"] and honours_public:
        return
    if call.user is None and reading:
        raise ServerCrash("no anonymous user")
    if not has_permission(call.database, call.user, "channel", channel["id"], permission):
        raise permission_missing(permission, channel["name"])


def check_size(request: Request) -> None:
    """Refuse a cutout over the size limit; crash on 32 bits, which the real service cannot."""
    if request.target.channel["datatype"] == "uint32":
        raise ServerCrash("no cube class for uint32")
    counted = request.nbytes // 4 if request.dtype.itemsize == 8 else request.nbytes
    if counted > LARGEST_CUTOUT:
        raise BossError(
            Code.REQUEST_TOO_LARGE,
            "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions.",
        )


def access_mode(call: Call) -> str:
    """Return the access mode of a read; what the real service cannot parse crashes it."""
    legacy = call.query.get("no-cache")
    mode = call.query.get("access-mode")
    if legacy is not None and (mode is not None or legacy.lower() not in ("true", "false")):
        raise ServerCrash("bad access mode")
    if legacy is not None:
        mode = "no-cache" if legacy.lower() == "true" else "cache"
    mode = mode or ACCESS_MODES[0]
    if mode not in ACCESS_MODES:
        raise ServerCrash("bad access mode")
    return mode


def accepted_type(call: Call) -> str:
    """Return the media type to answer with; JSON means that only errors can be answered."""
    wanted = [item.partition(";")[0].strip().lower() for item in _accept(call).split(",")]
    for media_type in wanted:
        if media_type in ANY_TYPES:
            return BLOSC
        if media_type in (*GET_TYPES, *JSON_TYPES):
            return media_type
    raise ServerCrash("no renderer for what the client accepts")


def _accept(call: Call) -> str:
    return call.headers.get("accept") or "*/*"


def filter_ids(call: Call) -> np.ndarray | None:
    """Return the ids that a read is limited to, or None. Raises 400/1001 for a bad list."""
    text = call.query.get("filter")
    if text is None:
        return None
    try:
        return np.array([int(item) for item in text.split(",") if item.strip()], np.uint64)
    except (ValueError, OverflowError) as problem:
        raise BossError(
            Code.INVALID_CUTOUT_ARGUMENTS, f"Invalid id in list of filter ids {text}"
        ) from problem


def read_voxels(call: Call, request: Request, mode: str) -> np.ndarray:
    """Return a request's voxels: t, z, y, x if it has a time range, else z, y, x."""
    channel = request.target.channel
    if not storable(channel):
        raise ServerCrash("no cube class for the channel's type and datatype")
    if (
        channel["type"] == "annotation"
        and request.resolution != channel["base_resolution"]
        and channel["downsample_status"] != DOWNSAMPLED
    ):
        raise ServerCrash("annotation level that was not built")
    samples = [
        _read_sample(call, request.layer(sample), request.box, mode) for sample in request.samples
    ]
    return np.stack(samples) if request.times else samples[0]


def _read_sample(call: Call, layer: Layer, box: Box, mode: str) -> np.ndarray:
    if mode != "raw":
        call.service.pending.wait_for(layer.name, box)
    return call.service.volumes.read(layer, box)


def read(call: Call) -> Response:
    """Answer with voxels in the format that the client accepts."""
    media_type = accepted_type(call)
    mode = access_mode(call)
    request = requested(call, "read_volumetric_data")
    ids = filter_ids(call)
    check_size(request)
    charge(call, "egress", request.nbytes)
    voxels = read_voxels(call, request, mode)
    if ids is not None:
        voxels = np.where(np.isin(voxels, ids), voxels, 0).astype(request.dtype)
    if media_type in JSON_TYPES:
        raise ServerCrash("voxels cannot be rendered as JSON")
    return Response(encode(voxels, media_type), media_type=media_type)


def write(call: Call) -> Response:
    """Store posted voxels; zeros keep what is stored."""
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not call.body:
        raise ServerCrash("empty body")
    if content_type not in POST_TYPES:
        raise DetailError(415, f'Unsupported media type "{content_type}" in request.')
    request = requested(call, "add_volumetric_data")
    check_size(request)
    voxels = decode(call.body, content_type, request.dtype, request.shapes)
    charge(call, "ingress", request.nbytes)
    try:
        check_writable(call, request)
    except BossError as problem:
        message = f"Error during write_cuboid: {problem.message}"
        raise BossError(Code.SYSTEM_ERROR, message) from problem
    blocks = voxels if voxels.ndim == 4 else voxels[np.newaxis]
    for sample, block in zip(request.samples, blocks, strict=True):
        _store(call, request.layer(sample), request.box, block)
    reset_downsampling(call, request.target)
    return empty(201)


def _store(call: Call, layer: Layer, box: Box, block: np.ndarray) -> None:
    volumes = call.service.volumes
    call.service.pending.submit(layer.name, box, lambda: volumes.merge(layer, box, block))


def check_writable(call: Call, request: Request) -> None:
    """Refuse writes that the cuboid store refuses, with 400/9001."""
    channel = request.target.channel
    if call.service.conditions.write_locked:
        raise BossError(
            Code.SYSTEM_ERROR, "Channel is locked for writing. Please contact an administrator."
        )
    base = channel["base_resolution"]
    if request.resolution not in (base, base + 1):
        raise BossError(
            Code.SYSTEM_ERROR,
            f"Can only write data at the channel's base resolution {base} or one above, "
            f"not {request.resolution}",
        )
    if not storable(channel):
        raise BossError(
            Code.SYSTEM_ERROR,
            f"Can't instantiate abstract class for {channel['type']} {channel['datatype']}",
        )


def reset_downsampling(call: Call, target: Target) -> None:
    """Note that a channel's pyramid no longer shows its voxels."""
    sql = "UPDATE channel SET downsample_status = ? WHERE id = ? AND downsample_status = ?"
    if target.channel["downsample_status"] == DOWNSAMPLED:
        call.database.run(sql, NOT_DOWNSAMPLED, target.channel["id"], DOWNSAMPLED)


def erase(call: Call) -> Response:
    """Set a box to 0."""
    request = requested(call, "add_volumetric_data")
    check_size(request)
    try:
        check_writable(call, request)
    except BossError as problem:
        raise ServerCrash(problem.message) from problem
    volumes, box = call.service.volumes, request.box
    # The real service erases only the first of exactly two samples.
    samples = request.samples[:1] if len(request.samples) == 2 else request.samples
    for sample in samples:
        layer = request.layer(sample)

        def blacken(layer: Layer = layer) -> None:
            volumes.erase(layer, box)

        call.service.pending.submit(layer.name, box, blacken, awaited=False)
    reset_downsampling(call, request.target)
    return empty(200)


BOX = "{collection}/{experiment}/{channel}/{resolution:digit}/{x:range}/{y:range}/{z:range}"
ENDPOINTS = [
    *(Endpoint(f"/cutout/to_black/{BOX}{time}", {"PUT": erase}) for time in ("", "/{time:range}")),
    *(
        Endpoint(f"/cutout/{BOX}{time}", {"GET": read, "POST": write}, brittle=True)
        for time in ("", "/{time:range}")
    ),
]
