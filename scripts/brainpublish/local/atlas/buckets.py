"""Buckets and features on disk, each change atomic and none lost.

They are kept as the real service keeps them: one folder per bucket, with a metadata file and one
JSON file per feature.
"""

import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from brainpublish.local.atlas.descriptions import Descriptions
from brainpublish.local.atlas.failures import (
    Failure,
    no_such_bucket,
    no_such_feature,
    server_error,
    unauthorized,
)
from brainpublish.local.atlas.feature import Feature
from brainpublish.local.atlas.names import (
    METADATA_NAME,
    SUFFIX,
    bucket_name_problem,
    feature_name_problem,
    is_feature_name,
    listed_features,
    meant_bucket,
)
from brainpublish.local.atlas.workspace import Workspace

METADATA_FILE = METADATA_NAME + SUFFIX
# The metadata file holds the bucket's token.
PRIVATE = 0o600
USE_STANDS = timedelta(seconds=5)


class Buckets:
    """All buckets of a store. Methods raise `Failure` with the service's own answer.

    `folder` holds the buckets, `service_folder` what the service itself needs: lock, scratch
    files, index. Several objects, also in several processes, may use one pair of folders.
    """

    def __init__(self, folder: str | Path, service_folder: str | Path, global_key: str):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._workspace = Workspace(service_folder)
        self._descriptions = Descriptions(Path(service_folder) / "index")
        self._global_key = normalised(global_key)

    def check_key(self, key: str) -> None:
        """Raise unless `key` is the global key, which is needed to create a bucket."""
        if not _same_secret(key, self._global_key):
            raise unauthorized()

    def check_token(self, bucket: str, token: str | None) -> Path:
        """Return the bucket's folder; raise unless `token` is the bucket's.

        A missing token is wrong, whether the bucket exists or not.
        """
        if token is None:
            raise unauthorized()
        folder = self._find(bucket)
        metadata = {} if folder is None else _metadata_in(folder)
        if folder is None or not metadata.get("token"):
            raise Failure(404, "Bucket does not exist.")
        if not _same_secret(token, metadata["token"]):
            raise unauthorized()
        return folder

    def create_bucket(self, bucket: Any, metadata: Any) -> str:
        """Make a bucket. `metadata` is kept as it is; it must hold a token that is not empty."""
        if problem := bucket_name_problem(bucket):
            raise server_error(problem)
        if not isinstance(metadata, dict) or not metadata.get("token"):
            raise server_error("the metadata must be an object that holds a token.")
        with self._workspace.writing():
            if self._find(bucket) is not None:
                raise Failure(409, f"Bucket {bucket} already exists.")
            files = {METADATA_FILE: _readable_json(metadata)}
            self._workspace.put_folder(self._folder / bucket, files, PRIVATE)
        return f"Bucket {bucket} successfully created."

    def describe_bucket(self, bucket: str) -> dict[str, Any]:
        """Return the features with description and unit, and the metadata without the token."""
        folder = self._existing(bucket)
        try:
            fnames = listed_features(file.name for file in folder.iterdir())
            features = self._descriptions.of(folder, fnames)
        except FileNotFoundError:
            # Deleted since it was found.
            raise no_such_bucket(bucket) from None
        metadata = _metadata_in(folder)
        metadata.pop("token", None)
        return {"features": features, "metadata": metadata}

    def patch_bucket(self, bucket: str, token: str | None, changes: Any) -> str:
        """Replace the given keys of the metadata; the others stay."""
        if not isinstance(changes, dict | None):
            raise server_error("the metadata must be an object.")
        with self._workspace.writing():
            self._update_metadata(self.check_token(bucket, token), changes or {})
        return f"Bucket {bucket} successfully patched."

    def delete_bucket(self, bucket: str, token: str | None) -> str:
        """Remove a bucket with all its features."""
        with self._workspace.writing():
            self._workspace.drop_folder(self.check_token(bucket, token))
        return f"Bucket {bucket} successfully deleted."

    def create_feature(self, bucket: str, token: str | None, fname: Any, feature: Feature) -> str:
        """Store a new feature."""
        if problem := feature_name_problem(fname):
            raise server_error(problem)
        with self._workspace.writing():
            target = self.check_token(bucket, token) / f"{fname}{SUFFIX}"
            if target.exists():
                text = f"Features {fname} already exist, use a PATCH request instead."
                raise Failure(409, text)
            self._put_feature(target, feature)
        return f"Features {fname} successfully created in bucket {bucket}."

    def read_feature(self, bucket: str, fname: str) -> bytes:
        """Return a feature's stored JSON, and note in the metadata that the bucket was used.

        The real service notes every use; here one note stands for a few seconds.
        """
        folder = self._existing(bucket)
        if not _was_just_used(_metadata_in(folder)):
            with self._workspace.writing():
                folder = self._existing(bucket)
                self._update_metadata(folder, {})
        try:
            return _feature_file(folder, bucket, fname).read_bytes()
        except FileNotFoundError:
            # Deleted since it was found.
            raise no_such_feature(bucket, fname) from None

    def patch_feature(self, bucket: str, token: str | None, fname: str, feature: Feature) -> str:
        """Replace a feature. Its description and unit stay where the new ones are None."""
        with self._workspace.writing():
            folder = self.check_token(bucket, token)
            target = _feature_file(folder, bucket, fname)
            if feature.short_desc is None or feature.unit is None:
                feature = feature.with_kept_texts(_read(target))
            self._put_feature(target, feature)
        return f"Features {fname} successfully patched in bucket {bucket}."

    def delete_feature(self, bucket: str, token: str | None, fname: str) -> str:
        """Remove a feature."""
        with self._workspace.writing():
            folder = self.check_token(bucket, token)
            self._workspace.drop_file(_feature_file(folder, bucket, fname))
        return f"Successfully deleted {fname}{SUFFIX}"

    def _find(self, bucket: str) -> Path | None:
        # Only names that are in the folder are ever joined to it: none can lead out of it.
        meant = meant_bucket(bucket, (path.name for path in self._folder.iterdir()))
        if meant is None or not (self._folder / meant / METADATA_FILE).exists():
            return None
        return self._folder / meant

    def _existing(self, bucket: str) -> Path:
        folder = self._find(bucket)
        if folder is None:
            raise no_such_bucket(bucket)
        return folder

    def _put_feature(self, target: Path, feature: Feature) -> None:
        self._workspace.put_file(target, feature.stored())
        self._descriptions.remember(target, feature.short_desc, feature.unit)

    def _update_metadata(self, folder: Path, changes: dict) -> None:
        metadata = _metadata_in(folder) | changes
        metadata["last_access_date"] = datetime.now().isoformat()
        self._workspace.put_file(folder / METADATA_FILE, _readable_json(metadata), PRIVATE)


def normalised(secret: str) -> str:
    """Return a received key or token as it is compared: trimmed, in lower case."""
    return secret.strip().lower()


def _same_secret(received: str, stored: Any) -> bool:
    # The stored one is taken as it is: one with capitals can never match, as on the real service.
    expected = stored if isinstance(stored, str) else ""
    return hmac.compare_digest(
        normalised(received).encode(errors="surrogatepass"),
        expected.encode(errors="surrogatepass"),
    )


def _feature_file(folder: Path, bucket: str, fname: str) -> Path:
    path = folder / f"{fname}{SUFFIX}"
    if not is_feature_name(fname) or not path.exists():
        raise no_such_feature(bucket, fname)
    return path


def _was_just_used(metadata: dict) -> bool:
    try:
        ago = datetime.now() - datetime.fromisoformat(metadata["last_access_date"])
    except (KeyError, TypeError, ValueError):
        return False
    return timedelta(0) <= ago < USE_STANDS


def _metadata_in(folder: Path) -> dict[str, Any]:
    try:
        return _read(folder / METADATA_FILE)
    except FileNotFoundError:
        # The bucket was deleted since it was found.
        return {}


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


# The callers' JSON is stored as it came, NaN and infinity included, as the real service does.


def _readable_json(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()
