"""How a job comes to the client of its destination."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from brainpublish.bossdb.bounds import LOCAL_CONNECTIONS
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.crew import interruptible
from brainpublish.bossdb.endpoint import remote_endpoint
from brainpublish.destination import open_bossdb
from brainpublish.findings import Refusal
from brainpublish.halts import Halts
from brainpublish.runs import FOLDER

SHARED = Path(".snakemake", "connections")


def refusal_of_remote(protocol: str, host: str) -> Refusal | None:
    """Return why a remote BossDB will take nothing from us, by its first answer; else None.

    Args:
        protocol: http or https.
        host: host or host:port.
    """
    try:
        with BossdbClient(remote_endpoint(protocol, host)) as client:
            return client.token_refusal()
    except Refusal as missing:
        return missing


@contextlib.contextmanager
def connected(destination: dict, connections: int) -> Iterator[BossdbClient]:
    """Yield a client of a destination for as long as the block lasts.

    The block ends within seconds of a signal, or of a halt that another job of the run calls.

    Args:
        destination: see `open_bossdb`.
        connections: requests in flight, over all jobs of the working directory.

    Raises:
        Refusal: if a remote one has no token, or another job called a halt before.
        Interrupted: if this process is told to end.
    """
    halts = Halts(FOLDER)
    with interruptible(), halts.heard(), open_bossdb(destination) as endpoint:
        halts.require_none()
        if endpoint.kind == "local":
            client = BossdbClient(endpoint, min(connections, LOCAL_CONNECTIONS), halts=halts)
        else:
            client = BossdbClient(endpoint, connections, SHARED, halts)
        with client:
            yield client
