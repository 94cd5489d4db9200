"""The job that ends a channel's publication on BossDB, from files to files."""

from collections.abc import Iterable

from brainpublish.bossdb.after import (
    links_of,
    make_public,
    start_downsample,
    wait_for_downsample,
)
from brainpublish.bossdb.channels import ChannelPlan, require_channel
from brainpublish.bossdb.connect import connected
from brainpublish.bossdb.ledger import ledger_folder
from brainpublish.bossdb.receipt import channel_receipt
from brainpublish.bossdb.upload import Counts
from brainpublish.files import digest_of_file, read_json, write_json
from brainpublish.findings import Refusal
from brainpublish.settled import made_from
from brainpublish.slices.plan import read_plan

LOCAL_DOWNSAMPLE_SECONDS = 3600


def publish_channel(
    settings: dict,
    connections: int,
    plan: str,
    manifest: str,
    uploads: Iterable[str],
    output: str,
) -> None:
    """Downsample, set visibility and, last of all, write the receipt.

    Args:
        settings: the channel's own settings, the destination, how much was read back, and
            what follows, under channel, destination, verify and after.
        connections: requests in flight, over all jobs of the run.
        plan: path of the channel's plan.
        manifest: path of the channel's manifest.
        uploads: paths of what its slabs' uploads did.
        output: path of the receipt.

    Raises:
        Refusal: if the channel is not the one that all slabs were sent to.
    """
    stack_plan, _ = read_plan(plan)
    records = [read_json(path) for path in uploads]
    counts = sum((Counts(**record["counts"]) for record in records), Counts())
    channel, after = settings["channel"], settings["after"]
    with connected(settings["destination"], connections) as client:
        name, endpoint = channel["name"], client.endpoint
        folder = ledger_folder(endpoint.id, name)
        marker = require_channel(client, ChannelPlan(channel, stack_plan.extent), folder)
        _require_same(name, marker, records)
        downsample = {"status": "not asked for"}
        if after["downsample"]:
            downsample = start_downsample(client, name, counts.sent + counts.erased > 0)
            if endpoint.kind == "local":
                # The embedded service ends with this job, so its work is waited for.
                downsample = wait_for_downsample(client, name, downsample, LOCAL_DOWNSAMPLE_SECONDS)
        if after["public"]:
            make_public(client, channel["collection"], channel["experiment"], channel["channel"])
        receipt = channel_receipt(
            endpoint,
            channel,
            stack_plan.extent,
            {
                "slices": stack_plan.extent[0],
                "manifest_sha256": digest_of_file(manifest),
                "decisions": read_json(plan)["decisions"],
            },
            counts,
            records[0]["verify"],
            {
                "downsample": downsample,
                "public": after["public"],
                "links": links_of(client, channel),
            },
        )
    write_json(output, {**receipt, **made_from(settings)})


def _require_same(name: str, marker: str, records: list[dict]) -> None:
    others = sum(record["marker"] != marker for record in records)
    if others:
        raise Refusal(
            f"{name} was made anew since {others} of its {len(records)} slabs were sent. Run "
            "again with `--forcerun upload_slab`: what is there already is not sent twice."
        )
