"""Help for the tests of uploads: a service with faults, and a small channel on its way to it."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainpublish.bossdb.channels import ChannelPlan, require_channel
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.cuboids import Box, cuboids_of
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.ledger import SlabLedger
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.bossdb.upload import Counts, SlabUpload, Verification
from brainpublish.local.bossdb import Conditions, create_app
from brainpublish.local.exchange import Record
from brainpublish.local.faults import Faults
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore

FULL, NONE = Verification("full"), Verification("none")
EXTENT = (20, 520, 530)
WRITING = ("POST", "PUT", "DELETE", "PATCH")


def channel_settings(name="lab/fish/image", kind="image", dtype="uint16", **more) -> dict:
    """Return a channel's settings as the config gives them to jobs."""
    collection, experiment, channel = name.split("/")
    return {
        "name": name,
        "collection": collection,
        "experiment": experiment,
        "channel": channel,
        "frame": f"CF_{collection}_{experiment}",
        "type": kind,
        "dtype": dtype,
        "voxel_size": [2.0, 2.0, 5.0],
        "voxel_unit": "micrometers",
        "source": None,
        "adopt": False,
        **more,
    }


@dataclass
class Service:
    """An embedded service, its book of requests, and a client of it."""

    client: BossdbClient
    faults: Faults
    conditions: Conditions
    folder: Path

    def ledgers(self, name: str) -> Path:
        return self.folder / "ledger" / name

    def plan(self, settings: dict | None = None, extent=EXTENT) -> ChannelPlan:
        return ChannelPlan(settings or channel_settings(), extent)

    def ensure(self, *plans: ChannelPlan) -> dict[str, str]:
        return ensure_resources(self.client, list(plans), self.ledgers)

    def upload(
        self, plan: ChannelPlan, stack, verify=FULL, z: range | None = None, **options
    ) -> Counts:
        """Bring slices of a stack to a channel, as the job of a slab does."""
        folder = self.ledgers(plan.name)
        marker = require_channel(self.client, plan, folder)
        boxes = list(cuboids_of(plan.extent, z or range(plan.extent[0])))
        with SlabLedger(folder, boxes, marker) as ledger:
            upload = SlabUpload(
                client=self.client,
                channel=plan.name,
                dtype=plan.channel["dtype"],
                stack=stack,
                ledger=ledger,
                **{"workers": 2, "patience": 2, **options},
            )
            return upload.run(boxes, verify)

    def read(self, plan: ChannelPlan) -> np.ndarray:
        """Return all voxels of a channel, z, y, x."""
        box = Box((0, 0, 0), plan.extent)
        body = self.client.get_body(plan.name, box)
        return self.client.unpacked(body, box, plan.channel["dtype"])

    @property
    def requests(self) -> list[Record]:
        """All requests so far; one is entered in the book a moment after it was answered."""
        while self.faults.counts.in_flight:
            time.sleep(0.001)
        return self.faults.requests

    def writes(self) -> list[tuple[str, str]]:
        """Return method and path of all requests so far that write."""
        return [(r.method, r.path) for r in self.requests if r.method in WRITING]


@contextlib.contextmanager
def service_over(folder: Path):
    """Run a service over a folder, with faults at hand, and yield it."""
    store, conditions = LocalStore(folder / "store").open(), Conditions()
    faults = Faults(create_app(store, conditions))
    with serving(faults) as port:
        endpoint = Endpoint(
            "local", "http", f"127.0.0.1:{port}", "here", store.secrets["bossdb_manager"]
        )
        with BossdbClient(endpoint, 3) as client:
            yield Service(client, faults, conditions, folder)
