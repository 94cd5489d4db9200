"""Collection, coordinate frame, experiment and channels: made if absent, compared if present.

What cannot be changed once made (a frame's extent, voxel size and unit; an experiment's
frame; a channel's type and dtype) is compared first, for all channels, before anything is
made. Resources are made through intern.
"""

import logging
import math
from collections.abc import Callable
from pathlib import Path

import requests
from intern.remote.boss import BossRemote
from intern.resource.boss.resource import (
    ChannelResource,
    CollectionResource,
    CoordinateFrameResource,
    ExperimentResource,
)

from brainpublish.bossdb.answers import (
    PASSING,
    MayPass,
    error_of,
    fault_of,
    refusal_for,
    shown,
)
from brainpublish.bossdb.channels import (
    ChannelPlan,
    claim,
    description,
    differences,
    foreign_text,
    is_foreign,
    look_at,
    refuse_differences,
    there,
)
from brainpublish.bossdb.client import BossdbClient, TimeoutAdapter
from brainpublish.bossdb.ledger import BLANK, ChannelRecord, begin_ledger, new_marker
from brainpublish.findings import Refusal

log = logging.getLogger(__name__)

CREATED, PRESENT = "created", "present"


def ensure_resources(
    client: BossdbClient, plans: list[ChannelPlan], ledger_folder: Callable[[str], Path]
) -> dict[str, str]:
    """Make what is absent, after comparing what is present.

    Args:
        client: the server.
        plans: the channels of a volume, the image before its annotations.
        ledger_folder: gives the folder of ledgers of a channel by its name.

    Returns:
        Each resource's name with `created` or `present`.

    Raises:
        Refusal: before anything is made: with every difference found, both values shown; or
            with every channel that belongs to someone else.
    """
    found = [(plan, look_at(client, plan)) for plan in plans]
    refuse_differences(client, [text for pair in found for text in differences(*pair)])
    foreign = [
        plan.name for plan, facts in found if is_foreign(plan, facts, ledger_folder(plan.name))
    ]
    if foreign:
        raise Refusal(foreign_text(client, foreign))
    remote = _intern(client)
    outcomes: dict[str, str] = {}
    for plan in plans:
        _ensure(client, remote, plan, ledger_folder(plan.name), outcomes)
    return outcomes


def _intern(client: BossdbClient) -> BossRemote:
    endpoint = client.endpoint
    # intern makes an INI text of these values, in which a percent sign must be doubled.
    token = endpoint.token.replace("%", "%%")
    remote = BossRemote({"protocol": endpoint.protocol, "host": endpoint.host, "token": token})
    for scheme in ("http://", "https://"):
        remote.project_service.session.mount(scheme, TimeoutAdapter())
    return remote


def _ensure(client, remote, plan: ChannelPlan, folder: Path, outcomes: dict) -> None:
    collection = plan.channel["collection"]
    path = f"collection/{collection}"
    resource = CollectionResource(collection, "Published with brainpublish")
    if path not in outcomes:
        outcomes[path] = _make_if_absent(client, remote, path, resource)
    if there(client, plan.experiment) is None:
        _ensure_experiment(client, remote, plan, outcomes)
    outcomes.setdefault(plan.experiment, PRESENT)
    outcomes[plan.path] = PRESENT
    if there(client, plan.path) is None:
        outcomes[plan.path] = _make_channel(client, remote, plan, folder)
    # Another run may have made one of them meanwhile, and not as this one would.
    facts = look_at(client, plan)
    refuse_differences(client, differences(plan, facts))
    claim(client, plan, facts, folder)


def _ensure_experiment(client, remote, plan: ChannelPlan, outcomes: dict) -> None:
    settings = plan.channel
    z, y, x = plan.extent
    frame = CoordinateFrameResource(
        settings["frame"],
        f"Frame of {settings['collection']}/{settings['experiment']}",
        *(0, x, 0, y, 0, z),
        *settings["voxel_size"],
        voxel_unit=settings["voxel_unit"],
    )
    path = f"coord/{settings['frame']}"
    outcomes[path] = _make_if_absent(client, remote, path, frame)
    experiment = ExperimentResource(
        settings["experiment"],
        settings["collection"],
        settings["frame"],
        "Published with brainpublish",
        num_hierarchy_levels=hierarchy_levels(plan.extent),
        hierarchy_method=hierarchy_method(settings["voxel_size"]),
        num_time_samples=1,
        time_step=0,
        time_step_unit="seconds",
    )
    outcomes[plan.experiment] = _make_if_absent(client, remote, plan.experiment, experiment)


def _make_channel(client, remote, plan: ChannelPlan, folder: Path) -> str:
    settings = plan.channel
    marker = new_marker()
    ChannelRecord(folder).write(marker, finished=False)
    begin_ledger(folder, marker, plan.extent[0], BLANK)
    channel = ChannelResource(
        settings["channel"],
        settings["collection"],
        settings["experiment"],
        settings["type"],
        description(marker),
        datatype=settings["dtype"],
        sources=[settings["source"]] if settings.get("source") else [],
    )
    return _create(client, remote, channel)


def _make_if_absent(client, remote, path: str, resource) -> str:
    if there(client, path) is not None:
        return PRESENT
    return _create(client, remote, resource)


def _create(client: BossdbClient, remote: BossRemote, resource) -> str:
    def once() -> str:
        try:
            remote.create_project(resource)
        except requests.HTTPError as error:
            return _outcome_of(error.response, client.endpoint.host)
        except OSError as error:
            raise fault_of(error, client.endpoint.host) from None
        log.info("made %s %s", type(resource).__name__, resource.name)
        return CREATED

    # A repeated one, whose first answer was lost, is present: what it is, is compared later.
    return client.retried(once, f"the making of {resource.name}")


def _outcome_of(reply: requests.Response, host: str) -> str:
    _, message = error_of(reply)
    if reply.status_code == 400 and "unique" in message:
        return PRESENT
    if reply.status_code in PASSING:
        raise MayPass(shown(reply))
    raise refusal_for(reply, host)


def hierarchy_levels(extent: tuple[int, int, int]) -> int:
    """Return how many resolutions a volume needs until its plane fits one cuboid; 1 to 8."""
    side = max(extent[1:])
    return min(8, max(1, math.ceil(math.log2(max(side, 1) / 512)) + 1))


def hierarchy_method(voxel_size: list[float]) -> str:
    """Return how BossDB is to halve a volume.

    BossDB downsamples anisotropic experiments only if voxels are square in the plane.
    """
    x, y, z = voxel_size
    return "anisotropic" if x == y != z else "isotropic"
