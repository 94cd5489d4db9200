"""What was published, read by the official clients, unmodified."""

import contextlib
import json
from pathlib import Path

import iblbrainviewer.api
import numpy as np
from intern.convenience.array import _BossDBVolumeProvider, array
from intern.remote.boss import BossRemote

from brainpublish.local.atlas import create_app as create_atlas
from brainpublish.local.bossdb import create_app as create_bossdb
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore


@contextlib.contextmanager
def bossdb_over(store: Path):
    """Serve a store's volumes and yield intern's remote for them."""
    opened = LocalStore(store).open()
    with serving(create_bossdb(opened)) as port:
        yield remote_at(port, opened.secrets["bossdb_manager"])


def remote_at(port: int, token: str) -> BossRemote:
    """Return intern's remote for a service on a port of this machine."""
    return BossRemote({"protocol": "http", "host": f"127.0.0.1:{port}", "token": token})


def voxels(remote: BossRemote, channel: str) -> np.ndarray:
    """Read a whole channel, z, y, x, through intern's array."""
    published = array(f"bossdb://{channel}", volume_provider=_BossDBVolumeProvider(remote))
    z, y, x = published.shape
    return published[0:z, 0:y, 0:x]


@contextlib.contextmanager
def features_over(store: Path, bucket: str, home: Path, monkeypatch):
    """Serve a store's features and yield iblbrainviewer's uploader for a bucket."""
    opened = LocalStore(store).open()
    with serving(create_atlas(opened)) as port:
        monkeypatch.setattr(
            iblbrainviewer.api, "FEATURES_API_BASE_URL", f"http://127.0.0.1:{port}/api/"
        )
        monkeypatch.setenv("HOME", str(home))
        parameters = home / ".ibl" / "custom_features.json"
        parameters.parent.mkdir(parents=True, exist_ok=True)
        parameters.write_text(json.dumps({"buckets": {bucket: {"token": "of no use"}}}))
        yield iblbrainviewer.api.FeatureUploader(bucket)
