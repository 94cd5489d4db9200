"""Pyramids: the values of the coarser levels, the states of the work, and its survival."""

import numpy as np
import pytest
import tensorstore
from bossdb_client import running
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.geometry import Box
from brainpublish.local.bossdb.reduction import halve, mean_of_four, mode_of_four, shrunk


@pytest.fixture
def client(tmp_path):
    with running(tmp_path / "store") as client:
        yield client


planes = st.sampled_from([(2, 2), (4, 6), (8, 2)])


@given(arrays.arrays(np.uint8, planes, elements=st.integers(0, 255)))
def test_the_mean_is_that_of_the_four_rounded(plane):
    quads = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).astype(int)
    assert np.array_equal(mean_of_four(plane), (quads.sum(axis=(1, 3)) + 2) // 4)


@given(arrays.arrays(np.uint64, planes, elements=st.integers(0, 3)))
def test_the_mode_is_a_most_frequent_label_and_no_zero_if_it_can_be(plane):
    result = mode_of_four(plane)
    for (y, x), label in np.ndenumerate(result):
        quad = plane[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel().tolist()
        most = max(quad.count(value) for value in quad)
        assert quad.count(label) == most
        assert label != 0 or all(quad.count(value) < most for value in quad if value)


@given(
    start=st.tuples(*[st.integers(0, 5)] * 3),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    by=st.sampled_from([(1, 1, 0), (1, 1, 1)]),
)
def test_halving_lies_on_the_coarse_grid(start, shape, by):
    """Coarse voxel X shows fine voxels 2X and 2X + 1, wherever the volume starts."""
    box = Box(start, tuple(a + n for a, n in zip(start, reversed(shape), strict=True)))
    z, y, x = np.meshgrid(
        *(np.arange(box.start[axis], box.stop[axis]) for axis in (2, 1, 0)), indexing="ij"
    )
    coarse_box = shrunk(box, by)
    for places, axis in ((x, 0), (y, 1), (z, 2)):
        coarse = halve(places.astype(np.uint16), box, coarse_box, by, lambda p: p[::2, ::2])
        wanted = np.arange(coarse_box.start[axis], coarse_box.stop[axis]) << by[axis]
        wanted = np.clip(wanted, box.start[axis], box.stop[axis] - 1)
        assert np.array_equal(np.unique(coarse), wanted)


def test_an_anisotropic_pyramid(client):
    """Voxels of 4 x 4 x 10: z stays, but for the isotropic branch beyond level 1."""
    frame = {"x_stop": 1030, "y_stop": 37, "z_stop": 21, "z_voxel_size": 10}
    client.make_experiment("p", frame=frame, num_hierarchy_levels=4)
    client.make_channel("i", experiment="p")
    client.make_channel("a", "annotation", "uint64", experiment="p")
    random = np.random.default_rng(2)
    image = random.integers(0, 60_000, (21, 37, 1030)).astype(np.uint16)
    labels = random.integers(0, 3, image.shape).astype(np.uint64)
    assert client.post("i", (0, 0, 0), image, experiment="p").status_code == 201
    assert client.post("a", (0, 0, 0), labels, experiment="p").status_code == 201
    assert client.downsample("i", "p") == "DOWNSAMPLED"
    assert client.downsample("a", "p") == "DOWNSAMPLED"
    state = client.call("GET", "/downsample/c/p/i?iso=true").json()
    assert state["extent"]["3"] == [129, 5, 6]
    assert state["voxel_size"]["3"] == [32, 32, 40]
    state = client.call("GET", "/downsample/c/p/i").json()
    assert state["extent"] == {
        "0": [1030, 37, 21], "1": [515, 19, 21], "2": [258, 10, 21], "3": [129, 5, 21],
    }  # fmt: skip
    for name, finest, reduce in (("i", image, mean_of_four), ("a", labels, mode_of_four)):
        plain = isotropic = finest
        for level in (1, 2, 3):
            plain, before = _halved(plain, reduce), isotropic
            isotropic = _halved(before[::2] if level > 1 else before, reduce)
            got = client.get(name, (0, 0, 0), plain.shape, finest.dtype, level, "p")
            assert np.array_equal(got, plain), (name, level)
            got = client.get(
                name, (0, 0, 0), isotropic.shape, finest.dtype, level, "p", params={"iso": "true"}
            )
            assert np.array_equal(got, isotropic), (name, level)
    folder = client.store.bossdb_folder / "volumes" / "c" / "p" / "a"
    spec = {"driver": "neuroglancer_precomputed", "kvstore": f"file://{folder}/"}
    volume = tensorstore.open(spec | {"scale_index": 3}, open=True).result()
    assert volume.domain.shape == (129, 5, 21, 1)
    again = client.post("a", (0, 0, 0), labels[:1], experiment="p")
    assert again.status_code == 201
    assert client.call("GET", "/downsample/c/p/a").json()["status"] == "NOT_DOWNSAMPLED"


def _halved(voxels: np.ndarray, reduce) -> np.ndarray:
    edges = [(0, 0), *((0, length % 2) for length in voxels.shape[1:])]
    padded = np.pad(voxels, edges, mode="edge")
    return np.stack([reduce(plane) for plane in padded])


def test_a_new_pyramid_forgets_what_was_erased(client):
    client.make_experiment("p", num_hierarchy_levels=2)
    client.make_channel("i", experiment="p")
    ones = np.ones((2, 8, 8), np.uint16)
    assert client.post("i", (600, 0, 0), ones, experiment="p").status_code == 201
    assert client.downsample("i", "p") == "DOWNSAMPLED"
    assert client.get("i", (300, 0, 0), (2, 4, 4), "uint16", 1, "p").all()
    path = "/cutout/to_black/c/p/i/0/600:608/0:8/0:2"
    assert client.call("PUT", path).status_code == 200
    assert client.downsample("i", "p") == "DOWNSAMPLED"
    assert not client.get("i", (300, 0, 0), (2, 4, 4), "uint16", 1, "p").any()


@pytest.mark.parametrize(("kind", "dtype"), [("annotation", "uint8"), ("image", "uint64")])
def test_what_cannot_be_downsampled_fails(client, kind, dtype):
    client.make_experiment("p", num_hierarchy_levels=2)
    client.make_channel("v", kind, dtype, experiment="p")
    assert client.downsample("v", "p") == "FAILED"


def test_work_that_another_service_left_is_finished_by_the_next(tmp_path):
    with running(tmp_path / "store") as client:
        client.make_experiment("p", num_hierarchy_levels=3)
        client.make_channel("i", experiment="p")
        ones = np.ones((2, 8, 8), np.uint16)
        assert client.post("i", (0, 0, 0), ones, experiment="p").status_code == 201
    # What a service that was killed leaves: the first of two levels built, the job in progress.
    database = Database(tmp_path / "store" / "bossdb" / "bossdb.sqlite")
    database.insert("downsample_job", {"channel": 1, "levels_done": 0})
    database.update("channel", 1, {"downsample_status": "IN_PROGRESS"})
    with running(tmp_path / "store") as client:
        assert client.wait_for_downsampling("i", "p") == "DOWNSAMPLED"
        assert client.get("i", (0, 0, 0), (2, 2, 2), "uint16", 2, "p").all()


def test_a_cancelled_job_is_not_done(tmp_path):
    with running(tmp_path / "store") as client:
        client.make_experiment("p", num_hierarchy_levels=2)
        client.make_channel("i", downsample_status="QUEUED", experiment="p")
        assert client.call("DELETE", "/downsample/c/p/i").status_code == 204
        assert client.wait_for_downsampling("i", "p") == "NOT_DOWNSAMPLED"
        assert client.call("POST", "/downsample/c/p/i", json={}).status_code == 201
        assert client.wait_for_downsampling("i", "p") == "DOWNSAMPLED"
