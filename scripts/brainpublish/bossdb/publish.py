"""The job that ends a channel's publication on BossDB, from files to files."""

from collections.abc import Iterable
from pathlib import Path

from brainpublish.bossdb.after import (
    downsample_once,
    links_of,
    make_public,
    wait_for_downsample,
)
from brainpublish.bossdb.channels import ChannelPlan, claim, found_channel
from brainpublish.bossdb.connect import connected
from brainpublish.bossdb.progress import to_console
from brainpublish.bossdb.receipt import channel_receipt
from brainpublish.bossdb.record import ChannelRecord, ledger_folder
from brainpublish.bossdb.upload import Counts
from brainpublish.bossdb.writers import settle
from brainpublish.files import digest_of_file, read_json, read_json_object, write_json
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
        Refusal: if the channel is not the one that all slabs were sent to, or someone else
            wrote to it; what says that those slabs were sent is removed then.
    """
    stack_plan, _ = read_plan(plan)
    records = {path: read_json_object(path) for path in uploads}
    channel, after = settings["channel"], settings["after"]
    with connected(settings["destination"], connections) as client:
        name, endpoint = channel["name"], client.endpoint
        folder = ledger_folder(endpoint.id, name)
        described = ChannelPlan(channel, stack_plan.extent)
        facts = found_channel(client, described, folder)
        lineage = claim(client, described, facts, folder)
        _require_same(name, ChannelRecord(folder).state, records)
        counts = sum((Counts(**record["counts"]) for record in records.values()), Counts())
        if all(record["verify"]["mode"] == "full" for record in records.values()):
            settle(client, name, folder)
        downsample = {"status": "not asked for"}
        if after["downsample"]:
            downsample = downsample_once(client, name, channel["dtype"], folder, lineage)
            if endpoint.kind == "local":
                # The embedded service ends with this job, so its work is waited for.
                downsample = wait_for_downsample(client, name, downsample, LOCAL_DOWNSAMPLE_SECONDS)
        is_public = bool(facts.channel.get("public"))
        if after["public"]:
            make_public(client, channel["collection"], channel["experiment"], channel["channel"])
        elif is_public:
            to_console(f"{name} is public, and `bossdb.public: false` does not take that back.")
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
            next(iter(records.values()))["verify"],
            {
                "downsample": downsample,
                "public": after["public"] or is_public,
                "links": links_of(client, channel),
            },
        )
    write_json(output, {**receipt, **made_from(settings)})


def _require_same(name: str, state: str | None, records: dict[str, dict]) -> None:
    others = [path for path, held in records.items() if not held or held.get("state") != state]
    for path in others:
        # Without them, these slabs are compared with what is there by the next run.
        Path(path).unlink()
    if others:
        raise Refusal(
            f"{name} was made anew, or written to from elsewhere, since {len(others)} of its "
            f"{len(records)} slabs were sent; or what is written down of them was lost. Run the "
            "same command again: it compares them with what is there, and sends what differs. Let "
            "only one folder publish to a channel."
        )
