"""Help for the tests of the embedded BossDB service: a running one, and calls to it."""

import time
from contextlib import contextmanager
from pathlib import Path

import blosc
import numpy as np
import requests

from brainpublish.local.bossdb import Conditions, create_app
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore

FRAME = {
    "x_start": 0,
    "x_stop": 1100,
    "y_start": 0,
    "y_stop": 600,
    "z_start": 0,
    "z_stop": 40,
    "x_voxel_size": 4,
    "y_voxel_size": 4,
    "z_voxel_size": 40,
    "voxel_unit": "nanometers",
}


class Client:
    """Calls to one service. Paths are those below /v1."""

    def __init__(self, store: LocalStore, port: int, conditions: Conditions):
        self.store, self.port, self.conditions = store, port, conditions
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def config(self) -> dict:
        """What intern's BossRemote takes."""
        return {
            "protocol": "http",
            "host": f"127.0.0.1:{self.port}",
            "token": self.store.secrets["bossdb_manager"],
        }

    def token(self, who: str | None) -> str | None:
        names = {"manager": "bossdb_manager", "user": "bossdb_user"}
        return self.store.secrets[names[who]] if who in names else who

    def call(self, method, path, who="manager", headers=None, root="/v1", **options):
        """Send a request as manager, user, with another literal token, or (None) anonymously."""
        headers = dict(headers or {})
        if who is not None:
            headers["Authorization"] = f"Token {self.token(who)}"
        url = f"http://127.0.0.1:{self.port}{root}{path}"
        return self.session.request(method, url, headers=headers, timeout=60, **options)

    def make(self, path: str, **body) -> None:
        """Create a resource, which must succeed."""
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text

    def make_experiment(self, name: str = "e", frame: dict | None = None, **fields) -> None:
        """Create collection c if need be, a frame of the experiment's name, and the experiment."""
        self.call("POST", "/collection/c", json={})
        self.make(f"/coord/{name}", **(FRAME | (frame or {})))
        self.make(f"/collection/c/experiment/{name}", **({"coord_frame": name} | fields))

    def make_channel(self, name: str, kind="image", dtype="uint16", experiment="e", **fields):
        path = f"/collection/c/experiment/{experiment}/channel/{name}"
        self.make(path, type=kind, datatype=dtype, **fields)

    def post(
        self, channel: str, corner: tuple, voxels: np.ndarray, level=0, experiment="e", **more
    ):
        """POST voxels (z, y, x) at a corner (x, y, z); returns the answer."""
        path = box_path(channel, corner, voxels.shape[-3:], level, experiment)
        body = blosc.compress(np.ascontiguousarray(voxels), typesize=voxels.itemsize, cname="lz4")
        headers = {"Content-Type": "application/blosc"}
        return self.call("POST", path, data=body, headers=headers, **more)

    def get(self, channel, corner, shape, dtype, level=0, experiment="e", **more) -> np.ndarray:
        """GET voxels of a shape (z, y, x) at a corner (x, y, z), which must succeed."""
        answer = self.call("GET", box_path(channel, corner, shape, level, experiment), **more)
        assert answer.status_code == 200, answer.text
        return np.frombuffer(blosc.decompress(answer.content), dtype).reshape(shape)

    def downsample(self, channel: str, experiment: str = "e") -> str:
        """Have a pyramid built and return the state that the channel ends in."""
        path = f"/downsample/c/{experiment}/{channel}"
        answer = self.call("POST", path, json={})
        assert answer.status_code == 201, answer.text
        return self.wait_for_downsampling(channel, experiment)

    def wait_for_downsampling(self, channel: str, experiment: str = "e") -> str:
        path = f"/downsample/c/{experiment}/{channel}"
        while (state := self.call("GET", path).json()["status"]) in ("QUEUED", "IN_PROGRESS"):
            time.sleep(0.02)
        return state


def box_path(channel, corner, shape, level=0, experiment="e", prefix="/cutout") -> str:
    """Return the path of a box of a shape (z, y, x) at a corner (x, y, z)."""
    spans = zip(corner, reversed(shape), strict=True)
    ranges = "/".join(f"{start}:{start + length}" for start, length in spans)
    return f"{prefix}/c/{experiment}/{channel}/{level}/{ranges}"


@contextmanager
def running(folder: Path):
    """Run a service over a store folder and yield a client of it."""
    store, conditions = LocalStore(folder).open(), Conditions()
    with serving(create_app(store, conditions)) as port:
        yield Client(store, port, conditions)
