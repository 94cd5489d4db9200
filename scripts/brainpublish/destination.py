"""The one place where a destination is opened: the embedded services, or remote ones."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from brainpublish.atlas.endpoint import LOCAL, REMOTE, AtlasEndpoint
from brainpublish.atlas.tokens import CLIENT_FILE, remote_atlas
from brainpublish.bossdb.endpoint import Endpoint, remote_endpoint
from brainpublish.findings import Refusal

if TYPE_CHECKING:
    from brainpublish.local.store import LocalStore


@contextlib.contextmanager
def open_bossdb(destination: dict) -> Iterator[Endpoint]:
    """Yield the BossDB of a destination.

    Args:
        destination: {kind: local, store}: an embedded service over that store runs for as
            long as the block; or {kind: remote, protocol, host}.

    Raises:
        Refusal: if a remote one has no token.
    """
    if destination["kind"] == "remote":
        yield remote_endpoint(destination["protocol"], destination["host"])
        return
    from brainpublish.local.bossdb import create_app
    from brainpublish.local.serve import serving
    from brainpublish.local.store import LocalStore

    store = LocalStore(destination["store"]).open()
    with serving(create_app(store)) as port:
        yield Endpoint(
            "local",
            "http",
            f"127.0.0.1:{port}",
            _name_of(store),
            store.secrets["bossdb_manager"],
        )


@contextlib.contextmanager
def open_atlas(destination: dict) -> Iterator[AtlasEndpoint]:
    """Yield the atlas features service of a destination.

    Args:
        destination: {kind: local, store}: an embedded service over that store runs for as
            long as the block, with a token file inside the store; or {kind: remote, api,
            website}, with the official client's token file.
    """
    if destination["kind"] == REMOTE:
        yield remote_atlas(destination["api"], destination["website"])
        return
    from brainpublish.local.atlas import create_app
    from brainpublish.local.serve import serving
    from brainpublish.local.store import LocalStore

    store = LocalStore(destination["store"]).open()
    with serving(create_app(store)) as port:
        yield _embedded_atlas(store, f"http://127.0.0.1:{port}/api/")


def stored_atlas(path: str | Path) -> AtlasEndpoint:
    """Return the embedded atlas service of a store, which is not started: for its tokens.

    Raises:
        Refusal: if there is no store.
    """
    from brainpublish.local.store import LocalStore

    store = LocalStore(path)
    if not store.exists:
        raise Refusal(f"There is no local store at {path}. Name the `store` of the config.")
    return _embedded_atlas(store.open(), "")


def _embedded_atlas(store: "LocalStore", api: str) -> AtlasEndpoint:
    name, tokens = _name_of(store), store.path / "atlas-client" / CLIENT_FILE.name
    return AtlasEndpoint(
        LOCAL, api, "", name, name, tokens, lambda: store.secrets["atlas_global_key"]
    )


def _name_of(store: "LocalStore") -> str:
    """Return what names a store's services in ledgers and receipts: their port does not last."""
    return f"local-{store.id[:12]}"
