"""What is stored: the rule for zeros, erasing, edges, time samples, formats, conditions."""

import io
import threading
import uuid
import zlib

import blosc
import numpy as np
import pytest
from bossdb_client import box_path, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image


@pytest.fixture
def client(tmp_path):
    with running(tmp_path / "store") as client:
        client.make_experiment(num_hierarchy_levels=2)
        yield client


KINDS = [
    ("image", "uint8"),
    ("image", "uint16"),
    ("annotation", "uint64"),
    ("annotation", "uint8"),
    ("annotation", "uint16"),
]


@pytest.mark.parametrize(("kind", "dtype"), KINDS)
def test_a_zero_keeps_the_stored_voxel_and_only_erasing_clears_it(client, kind, dtype):
    client.make_channel("v", kind, dtype)
    corner = (500, 505, 10)
    seven = np.full((12, 14, 30), 7, dtype)
    half = seven.copy()
    half[:, :, :15], half[:, :, 15:] = 9, 0
    assert client.post("v", corner, seven).status_code == 201
    assert client.post("v", corner, half).status_code == 201
    assert client.post("v", corner, np.zeros_like(seven)).status_code == 201
    expected = np.where(half == 0, 7, half)
    assert np.array_equal(client.get("v", corner, seven.shape, dtype), expected)
    part = box_path("v", (505, 500, 12), (2, 8, 9), prefix="/cutout/to_black")
    assert client.call("PUT", part).status_code == 200
    expected[2:4, :3, 5:14] = 0
    assert np.array_equal(client.get("v", corner, seven.shape, dtype), expected)


def test_what_was_never_written_is_zero(client):
    client.make_channel("v")
    assert not client.get("v", (0, 0, 0), (40, 600, 1100), "uint16").any()
    assert client.post("v", (0, 0, 0), np.ones((1, 1, 1), np.uint16)).status_code == 201
    assert client.get("v", (0, 0, 0), (40, 600, 1100), "uint16").sum() == 1
    assert not client.get("v", (0, 0, 0), (40, 600, 1100), "uint16", level=1).any()


boxes = st.tuples(*(st.tuples(st.integers(0, top - 1), st.integers(1, 40)) for top in (90, 60, 35)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(boxes, st.integers(0, 2**32 - 1), st.booleans()), max_size=6))
def test_any_sequence_of_writes_follows_the_rule(client, steps):
    """Boxes around the corner of eight chunks, in a frame that starts off the cuboid grid."""
    name = uuid.uuid4().hex
    client.make_experiment(name, frame={"x_start": 3, "y_start": 5, "z_start": 2})
    client.make_channel("v", experiment=name)
    origin = np.array([470, 490, 5])
    model = np.zeros((35, 60, 90), np.uint16)
    for box, seed, erase in steps:
        starts = np.array([start for start, _ in box])
        stops = np.minimum(starts + [length for _, length in box], (90, 60, 35))
        shape = tuple((stops - starts)[::-1].tolist())
        z, y, x = (slice(*ends) for ends in reversed(list(zip(starts, stops, strict=True))))
        corner = tuple((origin + starts).tolist())
        if erase:
            path = box_path("v", corner, shape, experiment=name, prefix="/cutout/to_black")
            assert client.call("PUT", path).status_code == 200
            model[z, y, x] = 0
        else:
            voxels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint16)
            assert client.post("v", corner, voxels, experiment=name).status_code == 201
            np.copyto(model[z, y, x], voxels, where=voxels != 0)
    got = client.get("v", tuple(origin.tolist()), model.shape, "uint16", experiment=name)
    assert np.array_equal(got, model)


def test_time_samples_are_kept_apart(client):
    client.make_experiment("t", num_time_samples=3)
    client.make_channel("v", experiment="t", default_time_sample=1)
    path = box_path("v", (3, 4, 5), (2, 3, 4), experiment="t")
    voxels = np.arange(1, 49, dtype=np.uint16).reshape(2, 2, 3, 4)
    headers = {"Content-Type": "application/blosc"}
    body = blosc.compress(voxels.tobytes(), typesize=2)
    assert client.call("POST", f"{path}/1:3", data=body, headers=headers).status_code == 201
    answer = client.call("GET", f"{path}/0:3")
    got = np.frombuffer(blosc.decompress(answer.content), np.uint16).reshape(3, 2, 3, 4)
    assert not got[0].any()
    assert np.array_equal(got[1:], voxels)
    # Without a time range the channel's default sample is meant.
    assert np.array_equal(client.get("v", (3, 4, 5), (2, 3, 4), "uint16", 0, "t"), voxels[0])
    # Of exactly two samples only the first is erased.
    black = box_path("v", (3, 4, 5), (2, 3, 4), experiment="t", prefix="/cutout/to_black")
    assert client.call("PUT", f"{black}/1:3").status_code == 200
    answer = client.call("GET", f"{path}/0:3")
    got = np.frombuffer(blosc.decompress(answer.content), np.uint16).reshape(3, 2, 3, 4)
    assert not got[:2].any()
    assert np.array_equal(got[2], voxels[1])


def test_the_formats_agree(client):
    client.make_channel("v", dtype="uint8")
    gradient = np.add.outer(np.add.outer([0, 40], np.arange(40)), 2 * np.arange(60))
    voxels = (gradient + 1).astype(np.uint8)
    assert client.post("v", (0, 0, 0), voxels).status_code == 201
    path = box_path("v", (0, 0, 0), voxels.shape)

    def body(accept):
        return client.call("GET", path, headers={"Accept": accept}).content

    packed = blosc.decompress(body("application/blosc"))
    assert np.array_equal(np.frombuffer(packed, np.uint8).reshape(voxels.shape), voxels)
    npy = np.load(io.BytesIO(zlib.decompress(body("application/npygz"))), allow_pickle=False)
    assert np.array_equal(npy, voxels)
    assert np.array_equal(blosc.unpack_array(body("application/blosc-python")), voxels)
    jpeg = np.asarray(Image.open(io.BytesIO(body("image/jpeg"))))
    assert np.abs(jpeg.reshape(voxels.shape).astype(int) - voxels).max() < 12


def test_a_renamed_channel_keeps_its_voxels_and_frees_its_name(client):
    ones = np.ones((2, 2, 2), np.uint16)
    path = "/collection/c/experiment/e/channel"
    client.make_channel("v")
    assert client.post("v", (0, 0, 0), ones).status_code == 201
    assert client.call("PUT", f"{path}/v", json={"name": "w"}).status_code == 200
    client.make_channel("v")
    assert client.post("v", (0, 0, 0), 5 * ones).status_code == 201
    assert np.array_equal(client.get("w", (0, 0, 0), ones.shape, "uint16"), ones)
    assert client.call("DELETE", f"{path}/w").status_code == 204
    assert np.array_equal(client.get("v", (0, 0, 0), ones.shape, "uint16"), 5 * ones)


def test_queued_writes_show_late_to_raw_reads_and_hold_up_the_others(client):
    client.make_channel("v")
    ones = np.ones((2, 2, 2), np.uint16)
    raw = box_path("v", (0, 0, 0), ones.shape) + "?access-mode=raw"
    client.conditions.flush_delay = 3600
    client.conditions.flush_wait = 0.05
    assert client.post("v", (0, 0, 0), ones).status_code == 201
    assert not np.any(np.frombuffer(blosc.decompress(client.call("GET", raw).content), "uint16"))
    assert client.call("GET", box_path("v", (0, 0, 0), ones.shape)).status_code == 500
    assert not client.get("v", (900, 0, 0), ones.shape, "uint16").any()
    client.conditions.flush_delay, client.conditions.flush_wait = 0, 60
    assert client.get("v", (0, 0, 0), ones.shape, "uint16").all()


def test_queued_writes_are_stored_in_order(client):
    client.make_channel("v")
    ones = np.ones((2, 2, 2), np.uint16)
    client.conditions.flush_delay = 0.2
    black = box_path("v", (0, 0, 0), (2, 2, 1), prefix="/cutout/to_black")
    assert client.post("v", (0, 0, 0), 5 * ones).status_code == 201
    assert client.call("PUT", black).status_code == 200
    assert client.post("v", (0, 0, 0), ones[:1]).status_code == 201
    got = client.get("v", (0, 0, 0), ones.shape, "uint16")
    assert np.array_equal(got, np.array([[[1, 1], [1, 1]], [[0, 5], [0, 5]]]))


def test_a_service_that_ends_stores_what_is_queued(tmp_path):
    ones = np.ones((2, 2, 2), np.uint16)
    with running(tmp_path / "ending") as client:
        client.make_experiment()
        client.make_channel("v")
        client.conditions.flush_delay = 3600
        assert client.post("v", (0, 0, 0), ones).status_code == 201
    with running(tmp_path / "ending") as client:
        assert np.array_equal(client.get("v", (0, 0, 0), ones.shape, "uint16"), ones)


def test_erasing_is_not_waited_for(client):
    client.make_channel("v")
    ones = np.ones((2, 2, 2), np.uint16)
    assert client.post("v", (0, 0, 0), ones).status_code == 201
    client.conditions.flush_delay = 3600
    assert client.call("PUT", box_path("v", (0, 0, 0), (2, 2, 2), prefix="/cutout/to_black")).ok
    assert np.array_equal(client.get("v", (0, 0, 0), ones.shape, "uint16"), ones)


def test_write_lock_and_quota(client):
    client.make_channel("v")
    ones = np.ones((2, 2, 2), np.uint16)
    client.conditions.write_locked = True
    refused = client.post("v", (0, 0, 0), ones)
    assert (refused.status_code, refused.json()["code"]) == (400, 9001)
    assert "lock" in refused.json()["message"]
    client.conditions.write_locked = False
    client.conditions.quota = {"ingress": 20}
    answers = [client.post("v", (0, 0, 0), ones).status_code for _ in range(4)]
    assert answers == [201, 201, 429, 429]
    assert client.post("v", (0, 0, 0), ones).json()["code"] == 3004
    assert "Retry-After" not in client.post("v", (0, 0, 0), ones).headers
    assert client.get("v", (0, 0, 0), ones.shape, "uint16").any()
    client.conditions.quota = {"egress": 1}
    path = box_path("v", (0, 0, 0), ones.shape)
    assert [client.call("GET", path).status_code for _ in range(2)] == [200, 429]


def test_many_threads_lose_nothing(client):
    """Each thread owns a column of voxels in the same cuboids."""
    client.make_channel("v")
    columns = range(500, 524)

    def write(x):
        voxels = np.full((20, 4, 1), x, np.uint16)
        for z in (0, 12):
            assert client.post("v", (x, 510, z), voxels).status_code == 201

    threads = [threading.Thread(target=write, args=(x,)) for x in columns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = client.get("v", (500, 510, 0), (32, 4, 24), "uint16")
    assert np.array_equal(got, np.broadcast_to(np.array(columns, np.uint16), got.shape))
