"""The jobs that bring a volume to BossDB, from files to files."""

import logging
from collections.abc import Iterable
from pathlib import Path

from brainpublish.bossdb.after import (
    links_of,
    make_public,
    start_downsample,
    wait_for_downsample,
)
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.bossdb.receipt import channel_receipt
from brainpublish.bossdb.resources import (
    ChannelPlan,
    ensure_resources,
    read_marker,
    require_channel,
)
from brainpublish.bossdb.upload import Counts, SlabUpload
from brainpublish.destination import open_bossdb
from brainpublish.files import digest_of_file, read_json, write_json
from brainpublish.findings import Refusal, as_text, errors_in
from brainpublish.settled import made_from
from brainpublish.slices.manifest import StackPlan
from brainpublish.slices.masks import BINARY
from brainpublish.slices.slab import SlabReport
from brainpublish.slices.slabs import slab_range
from brainpublish.slices.stack import open_stack
from brainpublish.slices.steps import read_plan

log = logging.getLogger(__name__)

LEDGERS = Path("results", "ledger", "bossdb")
LOCAL_DOWNSAMPLE_SECONDS = 3600


def ledger_folder(endpoint_id: str, channel: str) -> Path:
    """Return the folder of a channel's ledgers for a destination."""
    return LEDGERS / endpoint_id / channel


def create_volume(settings: dict, plans: list[str], output: str) -> None:
    """Make a volume's resources or compare them, and write down which were made.

    Args:
        settings: settings of the channels, the image first, and the destination.
        plans: paths of the channels' plans, in the same order.
        output: path to write.
    """
    planned = [
        ChannelPlan(channel, read_plan(path)[0].extent)
        for channel, path in zip(settings["channels"], plans, strict=True)
    ]
    with open_bossdb(settings["destination"]) as endpoint, BossdbClient(endpoint) as client:
        client.check_token()
        outcomes = ensure_resources(client, planned, lambda name: ledger_folder(endpoint.id, name))
    write_json(output, {"destination": endpoint.id, "resources": outcomes, **made_from(settings)})


def upload_slab(
    settings: dict,
    slab: int,
    connections: int,
    plan: str,
    report: str,
    stack: str | Path,
    output: str,
) -> None:
    """Bring one slab to its channel, read it back, and write down what was done.

    Args:
        settings: the channel's own settings, the destination, and how much is read back,
            under channel, destination and verify.
        slab: the slab's number.
        connections: requests in flight.
        plan: path of the channel's plan.
        report: path of the slab's report: a slab with errors is not sent.
        stack: folder of the stack, `stack.zarr`.
        output: path to write.
    """
    stack_plan, _ = read_plan(plan)
    _require_sound(SlabReport.from_dict(read_json(report)), stack_plan)
    z = slab_range(slab, stack_plan.depth, stack_plan.extent[0])
    channel, verify = settings["channel"], settings["verify"]
    with (
        open_bossdb(settings["destination"]) as endpoint,
        BossdbClient(endpoint, connections) as client,
    ):
        require_channel(client, ChannelPlan(channel, stack_plan.extent))
        folder = ledger_folder(endpoint.id, channel["name"])
        upload = SlabUpload(
            client=client,
            channel=channel["name"],
            dtype=channel["dtype"],
            stack=_Reading(open_stack(stack)),
            ledger=SlabLedger(folder, slab, read_marker(client, channel["name"])),
            connections=connections,
            label=_label_of(channel, stack_plan),
        )
        boxes = list(cuboids_of(stack_plan.extent, z))
        counts = upload.run(boxes, verify["verify"], verify["sample_share"])
    log.info("%s", counts)
    write_json(output, {"counts": counts.as_dict(), **made_from(settings)})


def _label_of(channel: dict, plan: StackPlan) -> int:
    is_binary = plan.mask is not None and plan.mask.kind == BINARY
    return channel["label"] if is_binary else 1


class _Reading:
    """An array that is read when it is indexed, as the upload engine expects."""

    def __init__(self, store):
        self._store = store

    def __getitem__(self, index):
        return self._store[index].read().result()


def _require_sound(report: SlabReport, plan: StackPlan) -> None:
    errors = errors_in(report.findings)
    if errors:
        raise Refusal(f"This slab is not sent:\n{as_text(errors)}")
    if report.plan != plan.digest:
        raise Refusal(
            "This slab is not sent: it was made under another plan of the stack. "
            "Run the same command again."
        )


def publish_channel(
    settings: dict,
    plan: str,
    manifest: str,
    uploads: Iterable[str],
    output: str,
) -> None:
    """Downsample, set visibility and, last of all, write the receipt.

    Args:
        settings: the channel's own settings, the destination, how much was read back, and
            what follows, under channel, destination, verify and after.
        plan: path of the channel's plan.
        manifest: path of the channel's manifest.
        uploads: paths of what its slabs' uploads did.
        output: path of the receipt.
    """
    stack_plan, _ = read_plan(plan)
    counts = sum((Counts(**read_json(path)["counts"]) for path in uploads), Counts())
    channel, after = settings["channel"], settings["after"]
    with open_bossdb(settings["destination"]) as endpoint, BossdbClient(endpoint) as client:
        require_channel(client, ChannelPlan(channel, stack_plan.extent))
        name = channel["name"]
        downsample = {"status": "not asked for"}
        if after["downsample"]:
            downsample = start_downsample(client, name, counts.sent + counts.erased > 0)
            if endpoint.kind == "local":
                # The embedded service ends with this job, so its work is waited for.
                downsample |= wait_for_downsample(client, name, LOCAL_DOWNSAMPLE_SECONDS)
        if after["public"]:
            make_public(client, channel["collection"], channel["experiment"], channel["channel"])
        receipt = channel_receipt(
            endpoint,
            channel,
            stack_plan.extent,
            {"slices": stack_plan.extent[0], "manifest_sha256": digest_of_file(manifest)},
            counts,
            _verify_claim(settings["verify"]),
            {
                "downsample": downsample,
                "public": after["public"],
                "links": links_of(client, channel),
            },
        )
    write_json(output, {**receipt, **made_from(settings)})


def _verify_claim(verify: dict) -> dict:
    claim = {"mode": verify["verify"]}
    if verify["verify"] == "sample":
        claim["share"] = verify["sample_share"]
    return claim
