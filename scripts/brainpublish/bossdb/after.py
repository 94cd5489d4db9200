"""What follows once a channel is verified: downsampling, visibility, links, the receipt."""

import logging
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import requests

from brainpublish.bossdb.client import BossdbClient, BossdbRefusal, error_of
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.ledger import is_downsample_noted, note_downsample
from brainpublish.files import json_text
from brainpublish.packing import IMAGE

log = logging.getLogger(__name__)

UNDER_WAY = ("QUEUED", "IN_PROGRESS")
DOWNSAMPLED = "DOWNSAMPLED"
REFUSALS = (400, 403, 500)
PAUSES = (1, 4, 0)
"""Seconds to wait after each answer 500 to the same request."""


def downsample_once(
    client: BossdbClient, channel: str, dtype: str, folder: str | Path, lineage: str
) -> dict:
    """Have the server downsample what a channel holds, unless it took that on already.

    Args:
        client: the server.
        channel: collection/experiment/channel.
        dtype: of the channel.
        folder: the channel's folder of ledgers, where it is noted.
        lineage: what its ledger stands under.

    Returns:
        See `start_downsample`.
    """
    state = start_downsample(client, channel, dtype, not is_downsample_noted(folder, lineage))
    if state["status"] in (*UNDER_WAY, DOWNSAMPLED) and "refused" not in state:
        note_downsample(folder, lineage)
    return state


def start_downsample(client: BossdbClient, channel: str, dtype: str, written: bool) -> dict:
    """Start the server's downsampling unless its result is there already.

    Args:
        client: the server.
        channel: collection/experiment/channel.
        dtype: of the channel.
        written: whether the channel was written to since a downsampling was asked for: one
            that was under way meanwhile, or ended then, has mixed old and new data, and is
            begun anew.

    Returns:
        The server's status, and the reason where it refuses.
    """
    path = f"downsample/{channel}/"
    state = _state(client, path)
    if state["status"] in UNDER_WAY and written:
        client.request("DELETE", path, (204, 409))
        state = _state(client, path)
    elif state["status"] == DOWNSAMPLED and written:
        _write_nothing(client, channel, dtype)
        state = _state(client, path)
    if "refused" not in state and state["status"] not in (*UNDER_WAY, DOWNSAMPLED):
        reply = _asked_to_begin(client, path)
        state = _state(client, path)
        # A first try, whose answer was lost, may have started it.
        if reply.status_code != 201 and state["status"] not in UNDER_WAY:
            state |= _refused(reply)
    if "refused" in state:
        log.warning("%s is not downsampled: %s", channel, state["refused"])
    return state


def stop_downsample(client: BossdbClient, channel: str) -> None:
    """Stop a downsampling that is under way, before voxels change beneath it.

    Where the server does not let us, its result is taken for mixed: see `start_downsample`.
    """
    path = f"downsample/{channel}/"
    reply = client.request("GET", path, (200, *REFUSALS, 404, 405))
    if reply.status_code == 200 and client.json_of(reply, path).get("status") in UNDER_WAY:
        client.request("DELETE", path, (204, 409, *REFUSALS))


def wait_for_downsample(client: BossdbClient, channel: str, state: dict, seconds: float) -> dict:
    """Wait until a downsampling ended, but no longer than some seconds; return its new state."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while state["status"] in UNDER_WAY and time.monotonic() < deadline:
        # A small volume is done in no time.
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
        state = _state(client, f"downsample/{channel}/")
    return state


def _asked_to_begin(client: BossdbClient, path: str) -> requests.Response:
    """Ask a server to begin; its answer 500 may be that of a service behind it that is away."""
    for pause in PAUSES:
        reply = client.request("POST", path, (201, *REFUSALS, 409), json={})
        if reply.status_code != 500:
            break
        client.stopping.wait(pause)
    return reply


def _write_nothing(client: BossdbClient, channel: str, dtype: str) -> None:
    """Post a zero, which leaves the voxel as it is, and takes the state DOWNSAMPLED away."""
    body = IMAGE.fast.pack(np.zeros((1, 1, 1), dtype))
    client.post_body(channel, Box((0, 0, 0), (1, 1, 1)), body)


def _state(client: BossdbClient, path: str) -> dict:
    # BossDB answers 400 where voxels of an anisotropic experiment are not square in the plane.
    reply = client.request("GET", path, (200, *REFUSALS))
    if reply.status_code != 200:
        return {"status": "unknown", **_refused(reply)}
    return {"status": client.json_of(reply, path)["status"]}


def _refused(reply: requests.Response) -> dict:
    _, message = error_of(reply)
    return {"refused": f"{reply.status_code}: {message}"}


def make_public(client: BossdbClient, collection: str, experiment: str, channel: str) -> None:
    """Let everybody read a channel. Visibility is per resource, so all three are set.

    A channel's sources and related channels are sent again: the server clears what a
    request leaves out.
    """
    collection_path = f"collection/{collection}"
    experiment_path = f"{collection_path}/experiment/{experiment}"
    channel_path = f"{experiment_path}/channel/{channel}"
    facts = client.get_json(channel_path)
    kept = {"sources": facts["sources"], "related": facts["related"]}
    for path, body in (
        (collection_path, {}),
        (experiment_path, {}),
        (channel_path, kept),
    ):
        client.request("PUT", path, (200,), json={**body, "public": True})
        if not client.get_json(path).get("public"):
            raise BossdbRefusal(f"{path} was set to public, but the server does not say so.", 200)


def links_of(client: BossdbClient, channel: dict) -> dict[str, str]:
    """Return where a channel can be looked at: for intern, and in Neuroglancer.

    The embedded service has no address that lasts, so its volumes are named by their folder
    below the store, which Neuroglancer, CloudVolume and tensorstore open.
    """
    name = channel["name"]
    links = {"intern": f"bossdb://{name}"}
    endpoint = client.endpoint
    if endpoint.kind == "local":
        return {**links, "precomputed": f"bossdb/volumes/{name}"}
    kind = "segmentation" if channel["type"] == "annotation" else "image"
    source = f"boss://{endpoint.url}/{name}"
    state = {"layers": [{"type": kind, "name": channel["channel"], "source": source}]}
    packed = quote("".join(line.strip() for line in json_text(state).splitlines()), safe="")
    return {**links, "neuroglancer": f"https://neuroglancer.bossdb.io/#!{packed}"}
