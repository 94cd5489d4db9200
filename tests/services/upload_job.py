"""One upload as a process of its own, to be killed: version N of a small stack to a service.

Arguments: host, token, folder of the ledgers, version.
"""

import sys
from pathlib import Path

import numpy as np
from uploads import channel_settings

from brainpublish.bossdb.channels import ChannelPlan, require_channel
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.crew import interruptible
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.bossdb.upload import SlabUpload, Verification

EXTENT = (40, 530, 1030)
CONNECTIONS = 3


def run_length_of(version: int) -> int:
    """Return how many cuboids are brought together: every other version joins some."""
    return 4 if version % 2 else 1


def stack_of(version: int) -> np.ndarray:
    """Return a version of the stack; each has other voxels and other zeros than the last."""
    rng = np.random.default_rng(version)
    values = rng.integers(1, 9, EXTENT, np.uint16)
    for _ in range(4):
        z, y, x = (rng.integers(0, size) for size in EXTENT)
        values[z : z + 20, y : y + 300, x : x + 600] = 0
    return values


def main(host: str, token: str, folder: str, version: str) -> None:
    """Upload a version of the stack, as the job of a slab does."""
    plan = ChannelPlan(channel_settings(), EXTENT)
    endpoint = Endpoint("remote", "http", host, "here", token)
    boxes = list(cuboids_of(EXTENT, range(EXTENT[0])))
    with interruptible(), BossdbClient(endpoint, CONNECTIONS) as client:
        marker = require_channel(client, plan, Path(folder))
        with SlabLedger(folder, boxes, marker) as ledger:
            stack = stack_of(int(version))
            length = run_length_of(int(version))
            print("begun", flush=True)
            upload = SlabUpload(
                client, plan.name, "uint16", stack, ledger, workers=2, run_length=length
            )
            upload.run(boxes, Verification("full"))


if __name__ == "__main__":
    main(*sys.argv[1:])
