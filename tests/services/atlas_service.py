"""A running atlas service for tests: its address, its key, and short ways to ask it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from brainpublish.local.atlas import create_app
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore

MAPPINGS = {"mappings": {"allen": {"data": {"1347": {"mean": 1.2}}}}}


@dataclass
class AtlasService:
    """One service over one store."""

    url: str
    key: str
    folder: Path
    session: requests.Session

    def ask(self, method: str, path: str, token: str | None = None, **kwargs: Any):
        headers = dict(kwargs.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.session.request(method, self.url + path, headers=headers, timeout=60, **kwargs)

    def make_bucket(self, bucket: str, token: str = "abc", **metadata: Any):
        body = {"uuid": bucket, "metadata": {"token": token, **metadata}}
        return self.ask("POST", "buckets", self.key, json=body)

    def make_feature(self, bucket: str, fname: str, token: str = "abc", **more: Any):
        body = {"fname": fname, "feature_data": MAPPINGS, **more}
        return self.ask("POST", f"buckets/{bucket}", token, json=body)


@contextlib.contextmanager
def atlas_service(path: Path) -> Iterator[AtlasService]:
    store = LocalStore(path)
    store.open()
    with serving(create_app(store)) as port, requests.Session() as session:
        yield AtlasService(
            f"http://127.0.0.1:{port}/api/",
            store.secrets["atlas_global_key"],
            store.atlas_folder,
            session,
        )
