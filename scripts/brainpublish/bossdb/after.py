"""What follows once a channel is verified: downsampling, visibility, links, the receipt."""

import logging
import time
from urllib.parse import quote

from brainpublish.bossdb.client import BossdbClient, BossdbRefusal, error_of
from brainpublish.files import json_text

log = logging.getLogger(__name__)

UNDER_WAY = ("QUEUED", "IN_PROGRESS")


def start_downsample(client: BossdbClient, channel: str, written: bool) -> dict:
    """Start the server's downsampling unless its result is there already.

    Args:
        client: the server.
        channel: collection/experiment/channel.
        written: whether this run wrote to the channel: a downsampling that was under way
            meanwhile has mixed old and new data, and is begun anew.

    Returns:
        The server's status, and the reason where it refuses.
    """
    path = f"downsample/{channel}/"
    status = client.get_json(path)["status"]
    if status in UNDER_WAY and written:
        client.request("DELETE", path, (204, 409))
        status = client.get_json(path)["status"]
    if status in (*UNDER_WAY, "DOWNSAMPLED"):
        return {"status": status}
    reply = client.request("POST", path, (201, 400, 403, 409, 500), json={})
    if reply.status_code != 201:
        _, message = error_of(reply)
        reason = f"{reply.status_code}: {message}"
        log.warning("%s is not downsampled: %s", channel, reason)
        return {"status": status, "refused": reason}
    return {"status": client.get_json(path)["status"]}


def wait_for_downsample(client: BossdbClient, channel: str, seconds: float) -> dict:
    """Wait until a downsampling ended, but no longer than some seconds; return its status."""
    deadline = time.monotonic() + seconds
    while True:
        status = client.get_json(f"downsample/{channel}/")["status"]
        if status not in UNDER_WAY or time.monotonic() > deadline:
            return {"status": status}
        time.sleep(0.2)


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
