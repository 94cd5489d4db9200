"""The embedded BossDB service: what it needs of the real one's API, over a local store."""

from brainpublish.local.bossdb.app import create_app
from brainpublish.local.bossdb.conditions import Conditions

__all__ = ["Conditions", "create_app"]
