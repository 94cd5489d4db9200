"""Marks in a channel's metadata: that this project made it, and which run wrote to it last.

The mark of the last writer changes while a run goes on, so that a copy of its folder that was
taken meanwhile is seen to be of an earlier state.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from brainpublish.bossdb.after import stop_downsample
from brainpublish.bossdb.client import ANNOUNCE_SECONDS, BossdbClient, BossdbRefusal, error_of
from brainpublish.bossdb.ledger import LOCK, forget_downsample
from brainpublish.bossdb.record import ChannelRecord
from brainpublish.files import digest_of_json
from brainpublish.findings import Refusal
from brainpublish.runs import run_id

MARKER_KEY = "brainpublish"
WRITER_KEY = "brainpublish-writer"
"""The run that wrote to the channel last, and how often it has said so."""
SETTLED = " settled"
"""What follows there once all that the run wrote was read back."""


def settle(client: BossdbClient, channel: str, folder: Path) -> None:
    """Let a channel say that all that was written to it was read back, and is what it should be."""
    with alone(client, folder):
        record = ChannelRecord(folder)
        if len(record.writers) == 1 and (record.writers[0] or SETTLED).endswith(SETTLED):
            return
        writer = read_mark(client, channel, WRITER_KEY)
        if writer in record.writers and writer is not None:
            _replace(client, channel, record, writer, f"{writer.removesuffix(SETTLED)}{SETTLED}")


def begin_source(client: BossdbClient, folder: Path, source: dict) -> str:
    """Begin to publish something to a channel, and return the channel's state from then on.

    Records of what was published before, from another volume of the config or in other slabs, do
    not hold any more, however settings change back: they name another state.

    Args:
        client: the server.
        folder: the channel's folder of ledgers.
        source: what is published, and how it is cut into slabs.
    """
    with alone(client, folder):
        record = ChannelRecord(folder)
        record.begin(digest_of_json(source))
        return record.state


def announce(client: BossdbClient, channel: str, folder: Path) -> None:
    """Make this run the last writer of a channel, before it writes, and see that it still is.

    What the run says changes now and then. And what the server still makes of old voxels, at the
    first time, is stopped: it would mix them with new ones.

    Raises:
        Refusal: if someone else became it since the channel was claimed.
    """
    forget_downsample(folder)
    with alone(client, folder):
        record = ChannelRecord(folder)
        writer = read_mark(client, channel, WRITER_KEY)
        if writer not in record.writers:
            raise Refusal(
                f"Something else began to write to {channel} a moment ago. Let only one folder "
                "publish to a channel at a time; then run the same command again."
            )
        is_writing = _count(writer) > 0 and not writer.endswith(SETTLED)
        if is_writing and 0 <= time.time() - record.said < ANNOUNCE_SECONDS:
            return
        if not is_writing:
            stop_downsample(client, channel)
        become_last_writer(client, channel, record, writer, _count(writer) + 1)


def become_last_writer(
    client: BossdbClient, channel: str, record: ChannelRecord, former: str | None, count: int = 0
) -> None:
    """Have the server name this run as the last writer of a channel.

    Args:
        client: the server.
        channel: collection/experiment/channel.
        record: the channel's record, which is changed as well.
        former: what the server names now.
        count: how often this run says so; 0 as long as it only looks at what is there.
    """
    _replace(client, channel, record, former, f"{run_id()} {count}")


def _count(writer: str | None) -> int:
    """Return how often this run said that it writes, 0 if another one is the last writer."""
    run, _, rest = (writer or "").removesuffix(SETTLED).partition(" ")
    return int(rest) if run == run_id() and rest.isdecimal() else 0


def _replace(
    client: BossdbClient, channel: str, record: ChannelRecord, former: str | None, mine: str
) -> None:
    # Killed in between, it does not know which of both the server has.
    record.write_writers(dict.fromkeys([*record.writers, mine]))
    if former != mine:
        write_mark(client, channel, WRITER_KEY, mine, former)
    record.write_writers([mine], said=time.time())


@contextlib.contextmanager
def alone(client: BossdbClient, folder: Path) -> Iterator[None]:
    """Do what only one job at a time may do with a channel."""
    folder.mkdir(parents=True, exist_ok=True)
    # The connection comes first, as for a thread that announces itself while it has one.
    with client.slot(), FileLock(folder / LOCK):
        yield


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
