"""Help for the tests of points and volumes: decoded as the website does it."""

import base64
import gzip
import json
import re
from pathlib import Path

import numpy as np

from brainpublish.config import load_config
from brainpublish.regions.grid import SHAPE

SCHEMA = Path(__file__).parents[2] / "config" / "schemas" / "config.schema.json"
NEAR_BREGMA = "ml,ap,dv,v\n0.5,-1.2,-3,2\n-1,0.3,-2.5,4\n"


def decoded(text):
    """Return array and bounds of a base64 text, by the rules of the website's decoder."""
    data = gzip.decompress(base64.b64decode(text))
    assert data[1:6] == b"NUMPY"
    length = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + length].decode().lower()
    header = re.sub(r",*\),*", "]", header.replace("(", "[", 1)).replace("'", '"')
    info = json.loads(header)
    assert (10 + length) % 4 == 0
    assert len(data) % 4 == 0
    kinds = {"|u1": np.uint8, "<f4": np.float32}
    count = int(np.prod(info["shape"]))
    array = np.frombuffer(data, kinds[info["descr"]], count, 10 + length).reshape(info["shape"])
    return array, np.frombuffer(data, "<f4", 2, len(data) - 8)


def shown(payload):
    """Return the numbers that the website shows for a payload's volume."""
    levels, (low, high) = decoded(payload["feature_data"]["volumes"]["mean"]["volume"])
    assert levels.shape == SHAPE
    histogram = payload["feature_data"]["histogram"]
    assert (histogram["vmin"], histogram["vmax"]) == (low, high)
    assert payload["feature_data"]["mappings"] == {}
    return levels, low, high


def section(kind, **keys):
    base = {"path": "p.csv", "value": "v", "coordinate_unit": "mm"} if kind == "points" else {}
    raw = {"buckets": {"b": {kind: {"f": base | keys}}}}
    return load_config(raw, SCHEMA)["buckets"]["b"][kind]["f"]


def codes(findings):
    return [(finding.severity, finding.code) for finding in findings]
