"""What is kept of one feature."""

import json
from typing import Any, NamedTuple

from brainpublish.local.atlas.bodies import Value
from brainpublish.local.atlas.failures import server_error

TEXTS = ("short_desc", "unit")


class Feature(NamedTuple):
    """A feature as it is stored: the JSON of its `feature_data` as it came, and two texts."""

    data: str
    short_desc: Any
    unit: Any

    def stored(self) -> bytes:
        """Return the JSON of the whole."""
        texts = f'"short_desc": {json.dumps(self.short_desc)}, "unit": {json.dumps(self.unit)}'
        return f'{{"feature_data": {self.data}, {texts}}}'.encode()

    def with_kept_texts(self, old: dict) -> "Feature":
        """Return the feature with the old texts where it has none."""
        kept = {key: old.get(key) for key in TEXTS if getattr(self, key) is None}
        return self._replace(**kept)


def feature_of(body: dict[str, Value]) -> Feature:
    """Return what is stored of a request's body.

    Raises `Failure` if `feature_data` holds neither `mappings` nor `volume`. Like the real
    service, it looks at nothing inside them.
    """
    data, _ = given = body.get("feature_data", Value(None, "null"))
    if not isinstance(data, dict) or not ("mappings" in data or "volume" in data):
        raise server_error("feature_data must be an object that holds mappings or volume.")
    texts = (body[key].value if key in body else None for key in TEXTS)
    return Feature(given.ascii_text(), *texts)
