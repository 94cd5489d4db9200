"""Any request, however strange, gets an answer that the API knows."""

import json
import logging

import blosc
import numpy as np
import pytest
from bossdb_client import FRAME, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainpublish.local.bossdb.app import ENDPOINTS
from brainpublish.local.bossdb.errors import Code
from brainpublish.local.bossdb.openapi import PARAMETER

KNOWN = {int(code) for code in Code}
VALUES = {
    "collection": ["c", "d", "to_black", "x.y", "ä", " "],
    "experiment": ["e", "f"],
    "channel": ["i", "a", "a", "a8", "u32", "new"],
    "frame": ["e", "new", "a b"],
    "group": ["public", "lab", "new"],
    "user": ["user", "manager", "nobody"],
    "resolution": ["0", "1", "2", "9", "10"],
    "x": [
        "0:4",
        "510:515",
        "0:0",
        "5:2",
        "0:1101",
        "-1:3",
        f"0:{2**70}",
        "0:" + "9" * 4000,
        "0:" + "9" * 5000,
    ],
    "y": ["0:3", "598:600", "0:601"],
    "z": ["0:2", "15:17", "39:41"],
    "time": ["0:1", "0:2", "1:1", "2:1", f"{2**65}:{2**65 + 1}"],
    "count": ["0", "1", "10", str(2**62), str(2**70)],
    "id": ["1", "0", str(2**64), "-1", "x", "1" * 40],
}


def mostly_first(values):
    return st.sampled_from([values[0]] * 3 * len(values) + values)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
FIELDS = [
    *FRAME,
    *("description", "public", "coord_frame", "num_hierarchy_levels", "hierarchy_method"),
    *("num_time_samples", "time_step", "time_step_unit", "type", "datatype", "base_resolution"),
    *("default_time_sample", "sources", "related", "downsample_status", "storage_type", "bucket"),
    *("permissions", "group", "collection", "experiment", "channel"),
]
good = st.sampled_from(
    [
        FRAME,
        {"coord_frame": "e"},
        {"type": "annotation", "datatype": "uint64"},
        {"group": "public", "permissions": ["read"], "collection": "c", "experiment": "e"},
    ]
)
bodies = st.one_of(
    st.builds(
        lambda base, more: base | more, good, st.dictionaries(st.sampled_from(FIELDS), anything)
    ),
    anything,
)
packed = st.builds(
    lambda shape, dtype: blosc.compress(np.ones(shape, dtype).tobytes(), typesize=1),
    st.sampled_from([(2, 3, 4), (2, 3, 4), (2, 2, 3, 4), (2, 3, 5), (1,)]),
    st.sampled_from(["uint16", "uint8", "uint16", "uint64"]),
)


@st.composite
def damaged(draw):
    body = bytearray(draw(packed))
    for _ in range(draw(st.integers(0, 3))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body)


queries = st.just({}) | st.dictionaries(
    st.sampled_from(
        ["key", "value", "iso", "filter", "access-mode", "no-cache", "group", "collection", "type",
         "experiment", "channel", "owner"]
    ),
    st.sampled_from(["", "k", "true", "1,2", "-1", "9" * 30, "raw", "c", "e", "i", "public"]),
    max_size=3,
)  # fmt: skip
types = mostly_first(
    ["application/blosc", "application/json", "application/npygz", "application/blosc-python",
     "image/jpeg", "text/plain", "*/*", ""]
)  # fmt: skip


@st.composite
def calls(draw):
    """Return a method and a path; what the other calls need is not deleted."""
    endpoint = draw(st.sampled_from(ENDPOINTS))
    method = draw(st.sampled_from([*endpoint.handlers] * 3 + ["PUT", "PATCH", "HEAD", "OPTIONS"]))
    values = VALUES | ({"channel": ["new", "x.y"]} if method == "DELETE" else {})
    return method, PARAMETER.sub(lambda found: draw(mostly_first(values[found[1]])), endpoint.path)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running(tmp_path_factory.mktemp("fuzz") / "store") as client:
        client.make_experiment(num_hierarchy_levels=2, num_time_samples=2)
        client.make_channel("i")
        client.make_channel("a", "annotation", "uint64")
        client.make_channel("a8", "annotation", "uint8", public=True)
        client.make_channel("u32", dtype="uint32")
        client.make("/groups/lab")
        yield client


class Errors(logging.Handler):
    """Collects what the service logs as an error: requests that failed unexpectedly."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.found = []

    def emit(self, record):
        self.found.append(logging.Formatter().format(record))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    call=calls(),
    who=mostly_first(["manager", "user", "public", "wrong", None]),
    query=queries,
    document=st.one_of(good, bodies),
    voxels=st.one_of(packed, packed, damaged(), st.binary(max_size=40)),
    content_type=types,
    accept=mostly_first(["*/*", "application/json", "image/jpeg", "application/npygz", "a/b"]),
)
def test_every_answer_is_one_that_the_api_knows(
    client, call, who, query, document, voxels, content_type, accept
):
    method, path = call
    errors = Errors()
    logger = logging.getLogger("brainpublish.local.bossdb")
    logger.addHandler(errors)
    headers = {"Accept": accept}
    if path.startswith("/cutout"):
        content, headers["Content-Type"] = voxels, content_type
    else:
        content, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
    try:
        answer = client.call(method, path, who, headers=headers, params=query, data=content)
    finally:
        logger.removeHandler(errors)
    assert errors.found == []
    if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
        body = answer.json() if answer.content else {"detail": "a HEAD has no body"}
        assert set(body) == {"detail"} or body["code"] in KNOWN
