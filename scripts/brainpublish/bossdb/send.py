"""The job that brings one slab to BossDB, from files to files."""

import logging
from dataclasses import dataclass
from pathlib import Path

from brainpublish.bossdb.bounds import run_length
from brainpublish.bossdb.channels import ChannelPlan, require_channel
from brainpublish.bossdb.connect import connected
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.bossdb.progress import to_console
from brainpublish.bossdb.record import ledger_folder
from brainpublish.bossdb.upload import Counts, SlabUpload, Verification
from brainpublish.bossdb.writers import announce, begin_source
from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal, as_text, errors_in
from brainpublish.memory import return_freed_memory
from brainpublish.settled import made_from
from brainpublish.slices.check import is_stale
from brainpublish.slices.codecs import codecs_of
from brainpublish.slices.masks import label_of
from brainpublish.slices.plan import StackPlan, read_plan, read_rows_digests
from brainpublish.slices.slab import SlabReport
from brainpublish.slices.slabs import slab_count, slab_range
from brainpublish.slices.stored import StoredStack, refusing_damage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlabFiles:
    """What a slab is sent from: paths of its plan, its report, and the stack's folder.

    `receipt` is the path of the channel's receipt, which is removed: it says what was there
    before.
    """

    plan: str
    report: str
    stack: str | Path
    receipt: str | Path


def upload_slab(
    settings: dict, slab: int, connections: int, workers: int, files: SlabFiles, output: str
) -> None:
    """Bring one slab to its channel, read it back, and write down what was done.

    Args:
        settings: the channel's own settings, its volume's id, the slices per slab, the
            destination, and how much is read back, under channel, volume, depth, destination and
            verify; and, where an earlier record of it does not hold any more, the state of the
            channel that told so, under anew.
        slab: the slab's number.
        connections: requests in flight, over all jobs of the run.
        workers: cuboids read and compressed at once.
        files: what it is sent from; a slab whose report has errors is not sent.
        output: path to write.

    Raises:
        Refusal: if the slab may not be sent, the server refuses it, or it reads back otherwise.
    """
    return_freed_memory()
    plan, _ = read_plan(files.plan)
    report = SlabReport.from_dict(read_json(files.report))
    _require_sound(report, plan, read_rows_digests(files.plan))
    channel = settings["channel"]
    verify = Verification(**settings["verify"], seed=plan.digest)
    with connected(settings["destination"], connections) as client:
        folder = ledger_folder(client.endpoint.id, channel["name"])
        lineage = require_channel(client, ChannelPlan(channel, plan.extent), folder)
        source = {key: settings[key] for key in ("volume", "depth", "channel")}
        state = begin_source(client, folder, source)
        client.before_writing(lambda: announce(client, channel["name"], folder))
        Path(files.receipt).unlink(missing_ok=True)
        z = slab_range(slab, plan.depth, plan.extent[0])
        boxes = list(cuboids_of(plan.extent, z))
        of = slab_count(plan.extent[0], plan.depth)
        title = f"{channel['name']}, slab {slab + 1} of {of}"
        with (
            SlabLedger(folder, boxes, lineage) as ledger,
            StoredStack(files.stack, plan, report.cuboids) as stack,
            refusing_damage("This slab is not sent"),
        ):
            upload = SlabUpload(
                client=client,
                channel=channel["name"],
                dtype=channel["dtype"],
                stack=stack,
                facts=report.cuboids,
                packed=stack.packed,
                codecs=codecs_of(plan),
                ledger=ledger,
                workers=workers,
                run_length=run_length(channel["dtype"], client.endpoint.kind == "local"),
                label=label_of(channel, plan.mask),
                title=title,
            )
            counts = upload.run(boxes, verify)
    log.info("%s", counts)
    to_console(f"{title}: {_told(counts)}")
    record = {"counts": counts.as_dict(), "state": state, "verify": verify.claim()}
    write_json(output, {**record, "anew": settings["anew"], **made_from(settings)})


def _told(counts: Counts) -> str:
    kinds = ("sent", "erased", "kept", "empty")
    done = ", ".join(f"{getattr(counts, kind)} {kind}" for kind in kinds if getattr(counts, kind))
    read = f"{counts.verified} of {counts.total} verified" if counts.verified else "NOT VERIFIED"
    return f"{done}; {read}"


def _require_sound(report: SlabReport, plan: StackPlan, rows: list[str]) -> None:
    errors = errors_in(report.findings)
    if errors:
        raise Refusal(f"This slab is not sent:\n{as_text(errors)}")
    if is_stale(report, plan, rows):
        raise Refusal(
            "This slab is not sent: it was made of other files than the manifest lists, or under "
            "another plan of the stack. Run the same command again."
        )
