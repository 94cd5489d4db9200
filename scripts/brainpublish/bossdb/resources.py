"""Collection, coordinate frame, experiment and channels: made if absent, compared if present.

What cannot be changed once made (a frame's extent, voxel size and unit; an experiment's
frame; a channel's type and dtype) is compared first, for all channels, before anything is
made. Resources are made through intern. Far from a server, each answer takes its time: what
does not build on another's answer is asked at the same time.
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
    error_of,
    fault_of,
    passing,
    refusal_for,
)
from brainpublish.bossdb.channels import (
    ChannelPlan,
    Facts,
    claim,
    description,
    differences,
    foreign_text,
    is_foreign,
    look_at,
    refuse_differences,
    there,
)
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.crew import for_each
from brainpublish.bossdb.ledger import BLANK, begin_ledger
from brainpublish.bossdb.record import ChannelRecord, new_marker
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
    found = _compared(client, plans)
    foreign = [
        plan.name for plan, facts in found if is_foreign(plan, facts, ledger_folder(plan.name))
    ]
    if foreign:
        raise Refusal(foreign_text(client, foreign))
    remote = _intern(client)
    outcomes: dict[str, str] = {}
    for plan, facts in found:
        _ensure_experiment(client, remote, plan, facts, outcomes)

    def ensure(pair: tuple[ChannelPlan, Facts]) -> None:
        plan, facts = pair
        outcomes[plan.path] = _ensure_channel(client, remote, plan, facts, ledger_folder(plan.name))

    # An annotation names the image that it is of, which has to be there before it.
    _each(client, ensure, [pair for pair in found if not pair[0].channel.get("source")])
    _each(client, ensure, [pair for pair in found if pair[0].channel.get("source")])
    # Another run may have made one of them meanwhile, and not as this one would.
    found = _compared(client, plans)
    _each(client, lambda pair: claim(client, *pair, ledger_folder(pair[0].name)), found)
    return outcomes


def _each(client: BossdbClient, task: Callable, items: list) -> list:
    return for_each(task, items, client.connections, client.stopping)


def _compared(client: BossdbClient, plans: list[ChannelPlan]) -> list[tuple[ChannelPlan, Facts]]:
    facts = _each(client, lambda plan: look_at(client, plan), plans)
    found = list(zip(plans, facts, strict=True))
    refuse_differences(client, [text for pair in found for text in differences(*pair)])
    return found


def _intern(client: BossdbClient) -> BossRemote:
    endpoint = client.endpoint
    # intern makes an INI text of these values, in which a percent sign must be doubled.
    token = endpoint.token.replace("%", "%%")
    remote = BossRemote({"protocol": endpoint.protocol, "host": endpoint.host, "token": token})
    service = remote.project_service
    client.equip(service.session)
    # intern would have it that there is no proxy.
    options = {key: value for key, value in service.session_send_opts.items() if key != "proxies"}
    service.session_send_opts = {**options, "allow_redirects": False}
    return remote


def _ensure_experiment(client, remote, plan: ChannelPlan, facts: Facts, outcomes: dict) -> None:
    """Make the experiment of a channel, with its collection and its frame, unless it is there."""
    settings = plan.channel
    collection = f"collection/{settings['collection']}"
    if plan.experiment in outcomes:
        return
    if facts.experiment is not None:
        outcomes |= {collection: PRESENT, plan.experiment: PRESENT}
        return
    if collection not in outcomes:
        resource = CollectionResource(settings["collection"], "Published with brainpublish")
        is_there = there(client, collection) is not None
        outcomes[collection] = PRESENT if is_there else _create(client, remote, resource)
    z, y, x = plan.extent
    frame = CoordinateFrameResource(
        settings["frame"],
        f"Frame of {settings['collection']}/{settings['experiment']}",
        *(0, x, 0, y, 0, z),
        *settings["voxel_size"],
        voxel_unit=settings["voxel_unit"],
    )
    path = f"coord/{settings['frame']}"
    if path not in outcomes:
        is_there = facts.frame is not None
        outcomes[path] = PRESENT if is_there else _create(client, remote, frame)
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
    outcomes[plan.experiment] = _create(client, remote, experiment)


def _ensure_channel(client, remote, plan: ChannelPlan, facts: Facts, folder: Path) -> str:
    if facts.channel is not None:
        return PRESENT
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


def _create(client: BossdbClient, remote: BossRemote, resource) -> str:
    def once() -> str:
        try:
            remote.create_project(resource)
        except requests.HTTPError as error:
            return _outcome_of(error.response, client.endpoint.host)
        except OSError as error:
            raise fault_of(error, client.endpoint.host) from None
        except (LookupError, TypeError, ValueError, RecursionError):
            # It was made, as its status says; what the answer says of it, intern cannot read.
            log.info("the answer to the making of %s cannot be read", resource.name)
        log.info("made %s %s", type(resource).__name__, resource.name)
        return CREATED

    # A repeated one, whose first answer was lost, is present: what it is, is compared later.
    return client.retried(once, f"the making of {resource.name}")


def _outcome_of(reply: requests.Response, host: str) -> str:
    _, message = error_of(reply)
    if reply.status_code == 400 and "unique" in message:
        return PRESENT
    if reply.status_code in PASSING:
        raise passing(reply)
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
