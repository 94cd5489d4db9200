"""Collection, coordinate frame, experiment and channels: made if absent, compared if present.

What cannot be changed once made (a frame's extent, voxel size and unit; an experiment's
frame; a channel's type and dtype) is compared first, for all channels, before anything is
made. Facts are read by plain requests, because intern fails on experiments without a time
unit and on uint32 channels; resources are made through intern.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from intern.remote.boss import BossRemote
from intern.resource.boss.resource import (
    ChannelResource,
    CollectionResource,
    CoordinateFrameResource,
    ExperimentResource,
)

from brainpublish.bossdb.client import (
    BossdbClient,
    BossdbRefusal,
    TimeoutAdapter,
    error_of,
    refusal_for,
)
from brainpublish.bossdb.ledger import ChannelRecord, new_marker
from brainpublish.findings import Refusal

log = logging.getLogger(__name__)

MARKER_KEY = "brainpublish"
CREATED, PRESENT = "created", "present"


@dataclass(frozen=True)
class ChannelPlan:
    """A channel as it should be on the server: `channel` holds its plain settings.

    `extent` is z, y, x in voxels; the settings name collection, experiment, channel, frame,
    type, dtype, voxel_size (x, y, z), voxel_unit and, for annotations, the source channel.
    """

    channel: dict
    extent: tuple[int, int, int]

    @property
    def name(self) -> str:
        """collection/experiment/channel."""
        return self.channel["name"]

    @property
    def experiment(self) -> str:
        """Path of the experiment below /v1."""
        return f"collection/{self.channel['collection']}/experiment/{self.channel['experiment']}"

    @property
    def path(self) -> str:
        """Path of the channel below /v1."""
        return f"{self.experiment}/channel/{self.channel['channel']}"

    @property
    def frame(self) -> dict:
        """The fields of the coordinate frame that matter, by BossDB's names."""
        z, y, x = self.extent
        sizes = map(float, self.channel["voxel_size"])
        fields = dict(zip(("x_voxel_size", "y_voxel_size", "z_voxel_size"), sizes, strict=True))
        return {
            "x_start": 0,
            "x_stop": x,
            "y_start": 0,
            "y_stop": y,
            "z_start": 0,
            "z_stop": z,
            **fields,
            "voxel_unit": self.channel["voxel_unit"],
        }


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
        Refusal: with every difference found, both values shown, before anything is made.
    """
    _refuse_differences(client, [text for plan in plans for text in compare(client, plan)])
    remote = _intern(client)
    outcomes: dict[str, str] = {}
    for plan in plans:
        _ensure(client, remote, plan, ledger_folder(plan.name), outcomes)
    return outcomes


def compare(client: BossdbClient, plan: ChannelPlan) -> list[str]:
    """Compare a channel, its experiment and its frame with what the server has.

    What the server does not have is no difference.

    Returns:
        One text per difference, with both values.
    """
    experiment = _there(client, plan.experiment)
    frame_name = experiment["coord_frame"] if experiment else plan.channel["frame"]
    frame = _there(client, f"coord/{frame_name}")
    texts = _differences(f"coordinate frame {frame_name}", plan.frame, frame)
    expected = {"type": plan.channel["type"], "datatype": plan.channel["dtype"]}
    found = _there(client, plan.path) if experiment else None
    return texts + _differences(f"channel {plan.name}", expected, found)


def require_channel(client: BossdbClient, plan: ChannelPlan) -> None:
    """Stop unless a channel is on the server, and is what it should be.

    Raises:
        Refusal: if it is not there, or with both values of everything that differs.
    """
    if _there(client, plan.experiment) is None or _there(client, plan.path) is None:
        raise Refusal(
            f"{plan.name} is not on {client.endpoint.host} any more. Run again with "
            "`--forcerun create_resources` to make it anew."
        )
    _refuse_differences(client, compare(client, plan))


def _refuse_differences(client: BossdbClient, differences: list[str]) -> None:
    if differences:
        shown = "\n".join(f"  {text}" for text in dict.fromkeys(differences))
        raise Refusal(
            f"What is on {client.endpoint.host} differs from the config, and cannot be "
            f"changed there:\n{shown}\n"
            "Correct the config, or choose another name for the experiment."
        )


def _differences(what: str, expected: dict, found: dict | None) -> list[str]:
    if found is None:
        return []
    return [
        f"{what}: {key} is {found.get(key)!r} there, {value!r} here"
        for key, value in expected.items()
        if not _same(value, found.get(key))
    ]


def _same(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b


def _there(client: BossdbClient, path: str) -> dict | None:
    reply = client.request("GET", path, (200, 404))
    if reply.status_code == 200:
        return reply.json()
    code, _ = error_of(reply)
    if code == 4005:
        raise BossdbRefusal(
            f"{path} on {client.endpoint.host} is marked for deletion, and its name stays "
            "taken until the server removes it. Choose another name, or wait.",
            404,
            code,
        )
    if code is None:
        raise BossdbRefusal(
            f"{client.endpoint.host} does not answer as a BossDB does (404 for /v1/{path}). "
            "Check `bossdb.host` and `bossdb.protocol` in the config.",
            404,
        )
    return None


def _intern(client: BossdbClient) -> BossRemote:
    endpoint = client.endpoint
    # intern makes an INI text of these values, in which a percent sign must be doubled.
    token = endpoint.token.replace("%", "%%")
    remote = BossRemote({"protocol": endpoint.protocol, "host": endpoint.host, "token": token})
    for scheme in ("http://", "https://"):
        remote.project_service.session.mount(scheme, TimeoutAdapter())
    return remote


def _ensure(client, remote, plan: ChannelPlan, folder: Path, outcomes: dict) -> None:
    settings = plan.channel
    collection = settings["collection"]
    path = f"collection/{collection}"
    resource = CollectionResource(collection, "Published with brainpublish")
    outcomes.setdefault(path, _make_if_absent(client, remote, path, resource))
    if _there(client, plan.experiment) is None:
        _ensure_experiment(client, remote, plan, outcomes)
    outcomes.setdefault(plan.experiment, PRESENT)
    if _there(client, plan.path) is None:
        _make_channel(client, remote, plan, folder)
        outcomes[plan.path] = CREATED
    elif _finish_marking(client, plan, folder):
        outcomes[plan.path] = CREATED
    outcomes.setdefault(plan.path, PRESENT)
    # Another run may have made one of them meanwhile, and not as this one would.
    _refuse_differences(client, compare(client, plan))


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


def _make_channel(client, remote, plan: ChannelPlan, folder: Path) -> None:
    settings = plan.channel
    record = ChannelRecord(folder)
    marker = new_marker()
    record.write(marker)
    channel = ChannelResource(
        settings["channel"],
        settings["collection"],
        settings["experiment"],
        settings["type"],
        _description(marker),
        datatype=settings["dtype"],
        sources=[settings["source"]] if settings.get("source") else [],
    )
    if _create(remote, channel, client.endpoint.host) == CREATED:
        _write_marker(client, plan.name, marker)


def _description(marker: str) -> str:
    return f"Published with brainpublish ({marker})"


def _finish_marking(client, plan: ChannelPlan, folder: Path) -> bool:
    """Mark a channel that a killed run made but did not mark yet; say whether there was one.

    Its description, which is set in the moment it is made, tells that it is that one.
    """
    marker = ChannelRecord(folder).marker
    if marker is None or read_marker(client, plan.name) is not None:
        return False
    if _there(client, plan.path)["description"] != _description(marker):
        return False
    _write_marker(client, plan.name, marker)
    return True


def _make_if_absent(client, remote, path: str, resource) -> str:
    if _there(client, path) is not None:
        return PRESENT
    return _create(remote, resource, client.endpoint.host)


def _create(remote: BossRemote, resource, host: str) -> str:
    try:
        remote.create_project(resource)
    except requests.HTTPError as error:
        _, message = error_of(error.response)
        if error.response.status_code == 400 and "unique" in message:
            return PRESENT
        raise refusal_for(error.response, host) from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Refusal(
            f"{host} did not answer while {resource.name} was being made "
            f"({type(error).__name__}). Run the same command again."
        ) from None
    log.info("made %s %s", type(resource).__name__, resource.name)
    return CREATED


def read_marker(client: BossdbClient, channel: str) -> str | None:
    """Return the marker that a channel on the server carries, or None."""
    params = {"key": MARKER_KEY}
    answer = client.get_json(f"meta/{channel}/", missing=(400, 403, 404), params=params)
    return None if answer is None else answer.get("value")


def _write_marker(client: BossdbClient, channel: str, marker: str) -> None:
    params = {"key": MARKER_KEY, "value": marker}
    client.request("POST", f"meta/{channel}/", (201,), params=params)


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
