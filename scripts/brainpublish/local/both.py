"""Both embedded services on one port."""

from starlette.types import ASGIApp, Receive, Scope, Send

from brainpublish.local import atlas, bossdb
from brainpublish.local.fault_control import Controlled
from brainpublish.local.faults import Faults
from brainpublish.local.store import LocalStore

ATLAS_PATHS = ("/api/", "/buckets")


def both_services(store: LocalStore, with_faults: bool = False) -> ASGIApp:
    """Return one app over an open store: the atlas service at /api/, BossDB at /v1/ and beside.

    With faults, they can be added over HTTP by whoever has the manager's token (`fault_control`).
    """
    conditions = bossdb.Conditions()
    app: ASGIApp = _Both(bossdb.create_app(store, conditions), atlas.create_app(store))
    if not with_faults:
        return app
    return Controlled(Faults(app), store.secrets["bossdb_manager"], conditions)


class _Both:
    """Chooses the service by the request's path."""

    def __init__(self, bossdb_app: ASGIApp, atlas_app: ASGIApp):
        self._bossdb = bossdb_app
        self._atlas = atlas_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Start and stop (`lifespan`) matter to the volume service alone: it builds pyramids.
        for_atlas = scope["type"] == "http" and scope["path"].startswith(ATLAS_PATHS)
        await (self._atlas if for_atlas else self._bossdb)(scope, receive, send)
