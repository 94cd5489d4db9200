"""Channels as they are on a server: looked at, compared with the config, claimed.

Facts are read by plain requests, because intern fails on experiments without a time unit and
on uint32 channels.
"""

import functools
import logging
import math
from dataclasses import dataclass
from pathlib import Path

from brainpublish.bossdb.client import BossdbClient, BossdbRefusal, error_of
from brainpublish.bossdb.crew import for_each
from brainpublish.bossdb.ledger import DOUBT, UNKNOWN, begin_ledger
from brainpublish.bossdb.record import ChannelRecord, new_marker
from brainpublish.bossdb.writers import (
    MARKER_KEY,
    SETTLED,
    WRITER_KEY,
    alone,
    become_last_writer,
    read_mark,
    write_mark,
)
from brainpublish.findings import Refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChannelPlan:
    """A channel as it should be on the server: `channel` holds its plain settings.

    `extent` is z, y, x in voxels; the settings name collection, experiment, channel, frame,
    type, dtype, voxel_size (x, y, z), voxel_unit, adopt and, for annotations, the source channel.
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


@dataclass(frozen=True)
class Facts:
    """What a server has of a channel: each part None where there is none.

    `frame_name` is that of the experiment's frame or, without an experiment, of the plan's.
    """

    experiment: dict | None
    frame_name: str
    frame: dict | None
    channel: dict | None
    marker: str | None
    writer: str | None = None


def look_at(client: BossdbClient, plan: ChannelPlan) -> Facts:
    """Ask the server for all that it has of a channel, at the same time."""
    expected = plan.channel["frame"]
    questions = [
        functools.partial(there, client, plan.experiment),
        functools.partial(there, client, f"coord/{expected}"),
        functools.partial(there, client, plan.path, orphan=True),
        functools.partial(read_mark, client, plan.name, MARKER_KEY),
        functools.partial(read_mark, client, plan.name, WRITER_KEY),
    ]
    experiment, frame, channel, marker, writer = for_each(
        lambda question: question(), questions, len(questions), client.stopping
    )
    if experiment is None:
        return Facts(None, expected, frame, None, None)
    name = experiment["coord_frame"]
    if name != expected:
        frame = there(client, f"coord/{name}")
    return Facts(experiment, name, frame, channel, marker, writer)


def differences(plan: ChannelPlan, facts: Facts) -> list[str]:
    """Compare a channel, its experiment and its frame with what the server has.

    What the server does not have is no difference.

    Returns:
        One text per difference, with both values.
    """
    frame = _differing(f"coordinate frame {facts.frame_name}", plan.frame, facts.frame)
    is_own = facts.frame_name == plan.channel["frame"]
    if is_own and plan.frame["z_stop"] != (facts.frame or plan.frame)["z_stop"]:
        frame.append(
            f"coordinate frame {facts.frame_name}: the number of slices changed, and a frame "
            "cannot grow or shrink: publish under the name of a new experiment"
        )
    expected = {"type": plan.channel["type"], "datatype": plan.channel["dtype"]}
    return frame + _differing(f"channel {plan.name}", expected, facts.channel)


def refuse_differences(client: BossdbClient, texts: list[str]) -> None:
    """Stop if there are differences, with all of them."""
    if texts:
        shown = "\n".join(f"  {text}" for text in dict.fromkeys(texts))
        raise Refusal(
            f"What is on {client.endpoint.host} differs from the config, and cannot be "
            f"changed there:\n{shown}\n"
            "Correct the config, or choose another name for the experiment."
        )


def _differing(what: str, expected: dict, found: dict | None) -> list[str]:
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


def require_channel(client: BossdbClient, plan: ChannelPlan, folder: Path) -> str:
    """Stop unless a channel is on the server, is what it should be, and may be written to.

    Args:
        client: the server.
        plan: the channel as it should be.
        folder: the channel's folder of ledgers.

    Returns:
        What its ledger stands under: see `claim`.

    Raises:
        Refusal: if it is not there, is someone else's, or differs.
    """
    return claim(client, plan, found_channel(client, plan, folder), folder)


def found_channel(client: BossdbClient, plan: ChannelPlan, folder: Path) -> Facts:
    """Return what a server has of a channel.

    Raises:
        Refusal: if it differs; or is not there, which its record says then, so that the next
            run makes it anew.
    """
    facts = look_at(client, plan)
    if facts.channel is None:
        with alone(client, folder):
            ChannelRecord(folder).write_lost()
        raise Refusal(
            f"{plan.name} is not on {client.endpoint.host} any more. Run the same command again "
            "to make it anew and to send all of it."
        )
    refuse_differences(client, differences(plan, facts))
    return facts


def is_foreign(plan: ChannelPlan, facts: Facts, folder: Path) -> bool:
    """Say whether a channel that is there belongs to someone else, and is not to be adopted."""
    if facts.channel is None or facts.marker is not None or plan.channel["adopt"]:
        return False
    record = ChannelRecord(folder)
    return not (record.finished or _is_unmarked_own(facts, record))


def foreign_text(client: BossdbClient, names: list[str]) -> str:
    """Say that channels belong to someone else, and what to do."""
    return (
        f"On {client.endpoint.host}, and not made by this project: {', '.join(names)}. Nothing "
        "was written there. Choose another name; or, if it is yours and may be overwritten, set "
        "`adopt: true` beside its name in the config."
    )


def claim(client: BossdbClient, plan: ChannelPlan, facts: Facts, folder: Path) -> str:
    """Return what the ledger of a channel that is there stands under: its lineage.

    A channel that a killed run made but did not mark gets the marker that it was made with;
    any other without a marker gets a new one. Where someone else wrote last, or may have, the
    lineage is a new one too, under which nothing is known of what the channel holds; and this
    run becomes its last writer at once, so that the other one will notice as well. If that
    writer was not done, blocks that it blackened may still read as they were before: then all
    cuboids are in doubt, and are written anew.

    Raises:
        Refusal: if it belongs to someone else and is not to be adopted.
    """
    record = ChannelRecord(folder)
    if record.trusts(facts.marker, facts.writer) and not record.lost:
        return record.lineage
    with alone(client, folder):
        # Another job may have done it meanwhile.
        marker = read_mark(client, plan.name, MARKER_KEY)
        writer = read_mark(client, plan.name, WRITER_KEY)
        record = ChannelRecord(folder)
        if marker is None:
            if is_foreign(plan, facts, folder):
                raise Refusal(foreign_text(client, [plan.name]))
            if _is_unmarked_own(facts, record):
                marker = record.marker
            else:
                marker = _new_lineage(plan, folder, writer)
            write_mark(client, plan.name, MARKER_KEY, marker)
            record.write(marker, finished=True, writers=[writer])
            log.info("marked %s", plan.name)
        elif marker == record.marker and writer in record.writers:
            record.write(marker, True, record.lineage, record.writers)
        else:
            log.warning("nothing is known of what %s holds: no ledger, or others wrote", plan.name)
            lineage = _new_lineage(plan, folder, writer)
            record.write(marker, finished=True, lineage=lineage, writers=[writer])
            become_last_writer(client, plan.name, record, writer)
        return record.lineage


def _new_lineage(plan: ChannelPlan, folder: Path, writer: str | None) -> str:
    lineage, rest = new_marker(), UNKNOWN
    if writer is not None and not writer.endswith(SETTLED):
        log.warning("the last writer to %s was not done: all of it is in doubt", plan.name)
        rest = DOUBT
    begin_ledger(folder, lineage, plan.extent[0], rest)
    return lineage


def _is_unmarked_own(facts: Facts, record: ChannelRecord) -> bool:
    # Its description, which is set in the moment it is made, tells that it is that one. One
    # that was marked before and is not any more is another, or was meddled with.
    if record.marker is None or record.finished:
        return False
    return facts.channel["description"] == description(record.marker)


def description(marker: str) -> str:
    """Return the description that a channel is made with."""
    return f"Published with brainpublish ({marker})"


def there(client: BossdbClient, path: str, orphan: bool = False) -> dict | None:
    """Return the facts of a resource, or None if there is none.

    Args:
        client: the server.
        path: below /v1.
        orphan: take any 404 for absence: the resource may be asked for before its parents exist.

    Raises:
        BossdbRefusal: if it is marked for deletion, or the server is no BossDB.
    """
    reply = client.request("GET", path, (200, 404))
    if reply.status_code == 200:
        return client.json_of(reply, path)
    code, _ = error_of(reply)
    if code == 4005:
        raise BossdbRefusal(
            f"{path} on {client.endpoint.host} is marked for deletion, and its name stays "
            "taken until the server removes it. Choose another name, or wait.",
            404,
            code,
        )
    if code is None and not orphan:
        raise BossdbRefusal(
            f"{client.endpoint.host} does not answer as a BossDB does (404 for /v1/{path}). "
            "Check `bossdb.host` and `bossdb.protocol` in the config.",
            404,
        )
    return None
