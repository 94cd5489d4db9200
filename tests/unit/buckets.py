"""Help for the tests of buckets: an atlas service with faults, and two features for it."""

from contextlib import contextmanager

import requests

from brainpublish.atlas.bucket import publish
from brainpublish.atlas.client import AtlasClient
from brainpublish.atlas.endpoint import REMOTE, AtlasEndpoint
from brainpublish.atlas.tokens import client_file, global_key
from brainpublish.files import digest_of_json
from brainpublish.local.atlas import create_app
from brainpublish.local.faults import Faults
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
from brainpublish.regions.mapping import build_operator
from brainpublish.regions.payload import feature_payload

TREE = {"Spike": {"2 rate (Hz)": "rate"}, "1 phase": "phase"}
IDS = [-320, -767, -23, -211]


class Service:
    """An atlas service that counts and fails on demand, and an endpoint to it."""

    def __init__(self, store: LocalStore, faults: Faults, port: int):
        self.faults = faults
        self.folder = store.atlas_folder
        self.endpoint = AtlasEndpoint(
            REMOTE,
            f"http://127.0.0.1:{port}/api/",
            "https://atlas.example/",
            f"127.0.0.1:{port}",
            "service",
            client_file(),
            global_key,
        )

    def writes(self):
        """Return method and path of the requests that write, and start counting anew."""
        found = [(r.method, r.path) for r in self.faults.requests if r.method != "GET"]
        self.faults.forget()
        return found

    def reads(self):
        """Return the paths of the requests that read."""
        return [r.path for r in self.faults.requests if r.method == "GET"]

    def listing(self, name="b"):
        with AtlasClient(self.endpoint.api) as client:
            return client.bucket(name)

    def ask(self, method, path, token, **kwargs):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(
            method, self.endpoint.api + path, headers=headers, timeout=60, **kwargs
        )
        assert answer.status_code == 200, answer.text


def new_home(tmp_path, monkeypatch):
    """Move to a folder with an empty home and no secret, and let clients try again at once."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATLAS_BUCKET_TOKEN", raising=False)
    monkeypatch.setattr(AtlasClient.__init__, "__defaults__", (0.001,))
    return tmp_path


@contextmanager
def running(path, monkeypatch):
    """Yield an atlas service whose store is at a path, with its global key in the environment."""
    store = LocalStore(path).open()
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", store.secrets["atlas_global_key"])
    faults = Faults(create_app(store))
    with serving(faults) as port:
        yield Service(store, faults, port)


def section(**more):
    """Return the section of a bucket in the config."""
    return {"name": "b", "short_desc": "About b", "tree": TREE, **more}


OPERATOR = build_operator(IDS)


def prepared(values, unit="Hz"):
    """Return a feature as `map_features` leaves it, of a value for each of `IDS`."""
    payload = feature_payload({"mean": OPERATOR.apply(values)}, values, unit, "a feature")
    return {"regions": 4, "digest": digest_of_json(payload), "payload": payload}


def features(shift=0.0):
    """Return two features; `shift` changes one value of one of them."""
    return {
        "rate": prepared([1.2 + shift, 3.4, 0.0, 0.1]),
        "phase": prepared([-0.4, 0.3, 1.0, -1.2], "rad"),
    }


def run(service, bucket=None, wanted=None):
    """Publish and return the receipt."""
    return publish(service.endpoint, bucket or section(), wanted or features(), "ledger")


def outcomes(receipt):
    """Return what became of each feature."""
    return [feature["outcome"] for feature in receipt["features"].values()]
