"""Channels as they are on a server: looked at, compared with the config, claimed.

Facts are read by plain requests, because intern fails on experiments without a time unit and
on uint32 channels.
"""

import contextlib
import logging
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from brainpublish.bossdb.client import BossdbClient, BossdbRefusal, error_of
from brainpublish.bossdb.ledger import (
    DOUBT,
    ChannelRecord,
    begin_ledger,
    forget_downsample,
    new_marker,
)
from brainpublish.findings import Refusal
from brainpublish.runs import run_id

log = logging.getLogger(__name__)

MARKER_KEY = "brainpublish"
WRITER_KEY = "brainpublish-writer"
"""The run that wrote to the channel last."""
SETTLED = " settled"
"""What follows the run there once all that it wrote was read back."""


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
    with ThreadPoolExecutor(5) as pool:
        asked = [
            pool.submit(there, client, plan.experiment),
            pool.submit(there, client, f"coord/{expected}"),
            pool.submit(there, client, plan.path, orphan=True),
            pool.submit(read_mark, client, plan.name, MARKER_KEY),
            pool.submit(read_mark, client, plan.name, WRITER_KEY),
        ]
        experiment, frame, channel, marker, writer = (each.result() for each in asked)
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
    if plan.frame["z_stop"] != (facts.frame or plan.frame)["z_stop"]:
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
    facts = look_at(client, plan)
    if facts.channel is None:
        raise Refusal(
            f"{plan.name} is not on {client.endpoint.host} any more. Run again with "
            "`--forcerun create_resources upload_slab` to publish it anew."
        )
    refuse_differences(client, differences(plan, facts))
    return claim(client, plan, facts, folder)


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
    if record.trusts(facts.marker, facts.writer):
        return record.lineage
    with _alone(client, folder):
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
            log.warning("someone else wrote to %s: nothing is known of it", plan.name)
            lineage = _new_lineage(plan, folder, writer)
            record.write(marker, finished=True, lineage=lineage, writers=[writer])
            _become_last_writer(client, plan.name, record, writer, run_id())
        return record.lineage


def _new_lineage(plan: ChannelPlan, folder: Path, writer: str | None) -> str:
    lineage = new_marker()
    if writer is not None and not writer.endswith(SETTLED):
        log.warning("the last writer to %s was not done: all of it is in doubt", plan.name)
        begin_ledger(folder, lineage, plan.extent[0], DOUBT)
    return lineage


def settle(client: BossdbClient, channel: str, folder: Path) -> None:
    """Let a channel say that all that was written to it was read back, and is what it should be."""
    with _alone(client, folder):
        record = ChannelRecord(folder)
        if len(record.writers) == 1 and (record.writers[0] or SETTLED).endswith(SETTLED):
            return
        writer = read_mark(client, channel, WRITER_KEY)
        if writer in record.writers and writer is not None:
            run = writer.removesuffix(SETTLED)
            _become_last_writer(client, channel, record, writer, f"{run}{SETTLED}")


def announce(client: BossdbClient, channel: str, folder: Path) -> None:
    """Make this run the last writer of a channel, before it writes, and see that it still is.

    Raises:
        Refusal: if someone else became it since the channel was claimed.
    """
    forget_downsample(folder)
    with _alone(client, folder):
        record = ChannelRecord(folder)
        writer = read_mark(client, channel, WRITER_KEY)
        if writer not in record.writers:
            raise Refusal(
                f"Something else began to write to {channel} a moment ago. Let only one folder "
                "publish to a channel at a time; then run the same command again."
            )
        if record.writers == [run_id()]:
            return
        _become_last_writer(client, channel, record, writer, run_id())


def _become_last_writer(
    client: BossdbClient, channel: str, record: ChannelRecord, former: str | None, mine: str
) -> None:
    # Killed in between, it does not know which of both the server has.
    record.write_writers(dict.fromkeys([*record.writers, mine]))
    if former != mine:
        write_mark(client, channel, WRITER_KEY, mine, former)
    record.write_writers([mine])


@contextlib.contextmanager
def _alone(client: BossdbClient, folder: Path) -> Iterator[None]:
    """Do what only one job at a time may do with a channel."""
    folder.mkdir(parents=True, exist_ok=True)
    # The connection comes first, as for a thread that announces itself while it has one.
    with client.slot(), FileLock(folder / "channel.lock"):
        yield


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


def read_mark(client: BossdbClient, channel: str, key: str) -> str | None:
    """Return what a channel on the server carries under a key of ours, or None."""
    params = {"key": key}
    answer = client.get_json(f"meta/{channel}/", missing=(400, 403, 404), params=params)
    return None if answer is None else answer.get("value")


def write_mark(
    client: BossdbClient, channel: str, key: str, value: str, former: str | None = None
) -> None:
    """Let a channel carry a value under a key of ours, in the place of what it carried there."""
    params = {"key": key, "value": value}
    method, done = ("POST", 201) if former is None else ("PUT", 200)
    reply = client.request(method, f"meta/{channel}/", (done, 400), params=params)
    if reply.status_code == 400 and read_mark(client, channel, key) != value:
        # A first try, whose answer was lost, may have written it.
        raise BossdbRefusal(
            f"{client.endpoint.host} does not take the mark of {channel} in its metadata: "
            f"{error_of(reply)[1]}",
            400,
        )
