"""The embedded BossDB service as the unmodified client library sees it."""

import numpy as np
import pytest
import requests
import tensorstore
from bossdb_client import running
from intern.convenience.array import _BossDBVolumeProvider, array
from intern.remote.boss import BossRemote
from intern.resource.boss.resource import (
    ChannelResource,
    CollectionResource,
    CoordinateFrameResource,
    ExperimentResource,
)


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with running(tmp_path / "store") as client:
        yield client


@pytest.fixture
def remote(client):
    return BossRemote(client.config)


def resources():
    return {
        "collection": CollectionResource("col", "a collection"),
        "frame": CoordinateFrameResource(
            "frame", "a frame", 0, 600, 0, 530, 0, 20, 43.5, 43.5, 50, "micrometers"
        ),
        "experiment": ExperimentResource("exp", "col", "frame", "an experiment", 3),
        "image": ChannelResource("image", "col", "exp", "image", "slices", 0, "uint16"),
        "labels": ChannelResource(
            "labels", "col", "exp", "annotation", "masks", 0, "uint64", sources=["image"]
        ),
    }


@pytest.fixture
def made(remote):
    return {name: remote.create_project(item) for name, item in resources().items()}


def test_creates_and_gets_every_resource(remote, made):
    for name, item in resources().items():
        got = remote.get_project(item)
        assert got.description == item.description, name
    assert remote.get_project(resources()["labels"]).sources == ["image"]
    assert remote.list_collections() == ["col"]
    assert remote.list_experiments("col") == ["exp"]
    assert remote.list_channels("col", "exp") == ["image", "labels"]
    assert remote.list_coordinate_frames() == ["frame"]
    frame = remote.get_project(resources()["frame"])
    assert (frame.x_stop, frame.x_voxel_size, frame.voxel_unit) == (600, 43.5, "micrometers")


def test_updates_and_deletes(remote, made):
    changed = CollectionResource("col", "other words")
    assert remote.update_project("col", changed).description == "other words"
    experiment = ExperimentResource("exp", "col", "frame", "more", 5, "isotropic")
    assert remote.update_project("exp", experiment).num_hierarchy_levels == 5
    renamed = remote.update_project("image", ChannelResource("raw", "col", "exp", "image", "x"))
    assert renamed.name == "raw"
    with pytest.raises(requests.HTTPError) as refused:
        remote.delete_project(made["experiment"])
    assert refused.value.response.json()["code"] == 4003
    remote.delete_project(made["labels"])
    with pytest.raises(requests.HTTPError) as gone:
        remote.get_project(made["labels"])
    assert gone.value.response.json()["code"] == 4005


def test_cutouts_come_back_equal(remote, made):
    random = np.random.default_rng(1)
    box = [5, 597], [0, 530], [3, 20]
    for name in ("image", "labels"):
        voxels = random.integers(0, 9, (17, 530, 592)).astype(made[name].datatype)
        remote.create_cutout(made[name], 0, *box, voxels)
        assert np.array_equal(remote.get_cutout(made[name], 0, *box), voxels)
    ids = remote.get_cutout(made["labels"], 0, *box, id_list=[3, 4])
    assert np.array_equal(ids, np.where((voxels == 3) | (voxels == 4), voxels, 0))
    remote.create_cutout_to_black(made["labels"], 0, [5, 100], [0, 530], [3, 20])
    assert not remote.get_cutout(made["labels"], 0, [5, 100], [0, 530], [3, 20]).any()
    assert np.array_equal(
        remote.get_cutout(made["labels"], 0, [100, 597], [0, 530], [3, 20]), voxels[:, :, 95:]
    )


def test_arrays_read_and_write(remote, made):
    cube = array("bossdb://col/exp/image", volume_provider=_BossDBVolumeProvider(remote))
    assert cube.shape == (20, 530, 600)
    assert cube.dtype == "uint16"
    voxels = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6)
    cube[2:6, 10:15, 20:26] = voxels
    assert np.array_equal(cube[2:6, 10:15, 20:26], voxels)


def test_metadata(remote, made):
    remote.create_metadata(made["image"], {"species": "fish", "note": "two words"})
    assert set(remote.list_metadata(made["image"])) == {"species", "note"}
    assert remote.get_metadata(made["image"], ["note"]) == {"note": "two words"}
    remote.update_metadata(made["image"], {"species": "paddlefish"})
    assert remote.get_metadata(made["image"], ["species"]) == {"species": "paddlefish"}
    remote.delete_metadata(made["image"], ["note"])
    assert remote.list_metadata(made["image"]) == ["species"]


def test_an_array_creates_what_is_missing(remote):
    cube = array(
        "bossdb://new/whole/image",
        extents=(20, 30, 40),
        dtype="uint8",
        voxel_size=(40, 4, 4),
        voxel_unit="nanometers",
        create_new=True,
        volume_provider=_BossDBVolumeProvider(remote),
    )
    voxels = np.arange(1, 241, dtype=np.uint8).reshape(4, 6, 10)
    cube[0:4, 0:6, 0:10] = voxels
    assert np.array_equal(cube[0:4, 0:6, 0:10], voxels)
    assert remote.list_channels("new", "whole") == ["image"]


def test_groups_and_permissions(remote, made):
    remote.create_group("lab")
    remote.add_group_member("lab", "user")
    assert remote.list_group_members("lab") == ["manager", "user"]
    assert remote.get_is_group_member("lab", "user") is True
    assert remote.get_is_group_maintainer("lab", "user") is False
    remote.add_group_maintainer("lab", "user")
    assert remote.list_group_maintainers("lab") == ["manager", "user"]
    remote.add_permissions("lab", made["image"], ["read", "read_volumetric_data"])
    assert remote.get_permissions("lab", made["image"]) == ["read", "read_volumetric_data"]
    remote.update_permissions("lab", made["image"], ["read"])
    assert remote.get_permissions("lab", made["image"]) == ["read"]
    remote.delete_permissions("lab", made["image"])
    assert remote.get_permissions("lab", made["image"]) == []
    remote.delete_group_member("lab", "user")
    remote.delete_group("lab")
    assert remote.list_groups() == ["manager-primary", "public"]


def test_objects(remote, made):
    labels = np.zeros((2, 3, 4), np.uint64)
    labels[1, 2, 3], labels[0, 0, 0] = 8, 9
    remote.create_cutout(made["labels"], 0, [10, 14], [20, 23], [5, 7], labels)
    assert remote.reserve_ids(made["labels"], 10) == 1
    assert remote.reserve_ids(made["labels"], 1) == 11
    box = [0, 100], [0, 100], [0, 10]
    assert remote.get_ids_in_region(made["labels"], 0, *box) == [8, 9]
    bounds = remote.get_bounding_box(made["labels"], 0, 8, "tight")
    assert bounds["x_range"] == [13, 14]


def test_making_data_public(client, remote, made):
    for item in ("collection", "experiment", "image"):
        remote._project.set_public_visibility(made[item], True)
    everyone = BossRemote(client.config | {"token": "public"})
    assert everyone.get_project(made["image"]).datatype == "uint16"
    assert not everyone.get_cutout(made["image"], 0, [0, 4], [0, 4], [0, 4]).any()
    with pytest.raises(requests.HTTPError) as refused:
        everyone.create_cutout(made["image"], 0, [0, 2], [0, 2], [0, 2], np.ones((2, 2, 2)))
    assert refused.value.response.status_code == 403


def test_stored_volume_opens_without_the_service(client, remote, made):
    labels = np.zeros((20, 530, 600), np.uint64)
    labels[4:9, 100:300, 50:550] = 2**40 + 7
    remote.create_cutout(made["labels"], 0, [0, 600], [0, 530], [0, 20], labels)
    assert client.call("POST", "/downsample/col/exp/labels", json={}).status_code == 201
    folder = client.store.bossdb_folder / "volumes" / "col" / "exp" / "labels"
    spec = {"driver": "neuroglancer_precomputed", "kvstore": f"file://{folder}/"}
    volume = tensorstore.open(spec, open=True).result()
    assert volume.domain.shape == (600, 530, 20, 1)
    assert [unit.multiplier for unit in volume.dimension_units[:3]] == [43500, 43500, 50000]
    assert np.array_equal(volume[..., 0].read().result().T, labels)
