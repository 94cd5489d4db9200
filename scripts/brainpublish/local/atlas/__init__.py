"""The embedded atlas features service: buckets of features, as JSON files in a local store."""

from brainpublish.local.atlas.app import create_app

__all__ = ["create_app"]
