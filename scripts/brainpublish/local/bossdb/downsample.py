"""The downsample service: state of a channel's pyramid, start and cancel."""

from starlette.responses import Response

from brainpublish.local.bossdb.auth import require
from brainpublish.local.bossdb.channels import (
    DOWNSAMPLED,
    IN_PROGRESS,
    NOT_DOWNSAMPLED,
    QUEUED,
)
from brainpublish.local.bossdb.cutout import is_true
from brainpublish.local.bossdb.errors import BossError, Code, ServerCrash
from brainpublish.local.bossdb.geometry import AXES, CUBOID, Hierarchy
from brainpublish.local.bossdb.lookup import Target, find_live
from brainpublish.local.bossdb.service import Call, Endpoint, empty, reply

# The real service's table of cuboid sizes ends here.
MOST_LEVELS = 13
LARGEST_FRAME = 102_400 * 102_400 * 3_200


def _target(call: Call) -> Target:
    path = call.path
    return find_live(call.database, path["collection"], path["experiment"], path["channel"])


def read(call: Call) -> Response:
    """Answer with the state, and with voxel size, extent and cuboid size of every level."""
    target = _target(call)
    if not target.channel["public"]:
        if call.user is None:
            raise ServerCrash("no anonymous user")
        require(call.database, call.user, "channel", target.channel, "read_volumetric_data")
    hierarchy = Hierarchy.of(target.experiment, target.frame)
    isotropic = is_true(call, "iso")
    _ = hierarchy.isotropic_level
    if hierarchy.levels > MOST_LEVELS:
        raise ServerCrash("no cuboid size for so many levels")
    halvings = [hierarchy.halvings(level, isotropic) for level in range(max(1, hierarchy.levels))]
    return reply(
        {
            "status": target.channel["downsample_status"],
            "num_hierarchy_levels": hierarchy.levels,
            "voxel_size": {
                str(level): [
                    hierarchy.voxel_size[axis] * 2 ** by[axis] for axis in range(len(AXES))
                ]
                for level, by in enumerate(halvings)
            },
            "extent": {
                str(level): [-(-hierarchy.stop[axis] >> by[axis]) for axis in range(len(AXES))]
                for level, by in enumerate(halvings)
            },
            "cuboid_size": {str(level): list(CUBOID) for level in range(hierarchy.levels)},
        }
    )


def start(call: Call) -> Response:
    """Queue the building of a channel's pyramid."""
    target = _target(call)
    require(call.database, call.user, "channel", target.channel, "add_volumetric_data")
    _ = call.data
    hierarchy = Hierarchy.of(target.experiment, target.frame)
    _refuse_state(target.channel["downsample_status"], (QUEUED, IN_PROGRESS, DOWNSAMPLED))
    try:
        _ = hierarchy.isotropic_level
    except BossError as problem:
        raise ServerCrash(problem.message) from problem
    size = 1
    for begin, end in zip(hierarchy.start, hierarchy.stop, strict=True):
        size *= end - begin
    if size > LARGEST_FRAME:
        raise BossError(
            Code.INVALID_STATE,
            "Large downsamples require admin permissions to trigger. Invalid Request.",
        )
    enqueue(call, target.channel["id"])
    call.service.wake_downsampling()
    return empty(201)


def enqueue(call: Call, channel_id: int) -> None:
    """Put a channel in the queue; of two calls at once the second is refused."""
    with call.database.writing():
        sql = "SELECT downsample_status FROM channel WHERE id = ?"
        status = call.database.one(sql, channel_id)["downsample_status"]
        _refuse_state(status, (QUEUED, IN_PROGRESS))
        call.database.run("DELETE FROM downsample_job WHERE channel = ?", channel_id)
        call.database.insert("downsample_job", {"channel": channel_id})
        call.database.update("channel", channel_id, {"downsample_status": QUEUED})


def _refuse_state(status: str, refused: tuple[str, ...]) -> None:
    if status in refused:
        words = status.lower().replace("_", " ")
        raise BossError(Code.INVALID_STATE, f"Channel is already {words}. Invalid Request.")


def cancel(call: Call) -> Response:
    """Take a channel out of the queue or stop the work on it."""
    target = _target(call)
    channel = target.channel
    require(call.database, call.user, "channel", channel, "delete_volumetric_data")
    with call.database.writing():
        sql = "SELECT downsample_status FROM channel WHERE id = ?"
        status = call.database.one(sql, channel["id"])["downsample_status"]
        if status not in (QUEUED, IN_PROGRESS):
            raise BossError(
                Code.INVALID_STATE,
                "You can only cancel a queued or in-progress downsample operation.",
            )
        call.database.run("DELETE FROM downsample_job WHERE channel = ?", channel["id"])
        call.database.update("channel", channel["id"], {"downsample_status": NOT_DOWNSAMPLED})
    return empty(204)


ENDPOINTS = [
    Endpoint(
        "/downsample/{collection}/{experiment}/{channel}",
        {"GET": read, "POST": start, "DELETE": cancel},
    )
]
