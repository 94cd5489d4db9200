"""The official client, unmodified, against the embedded service."""

import json

import numpy as np
import pytest
from atlas_service import atlas_service
from official_client import api

ACRONYMS = ["MOp1", "MOs5", "AAA", "ACAd2/3"]
TREE = {"Spike": {"rate (Hz)": "rate", "amplitude": "amplitude"}, "LFP": "phase"}


@pytest.fixture
def atlas(tmp_path):
    with atlas_service(tmp_path / "store") as service:
        yield service


@pytest.fixture
def home(tmp_path, monkeypatch, atlas):
    home = tmp_path / "home"
    (home / ".ibl").mkdir(parents=True)
    parameters = {"buckets": {}, "global_key": atlas.key}
    (home / ".ibl" / "custom_features.json").write_text(json.dumps(parameters))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(api, "FEATURES_API_BASE_URL", atlas.url)
    monkeypatch.setattr(api, "FEATURES_BASE_URL", "http://127.0.0.1/")
    return home


def test_the_getting_started_steps(home, atlas):
    uploader = api.FeatureUploader("getting-started", short_desc="first", long_desc="longer")
    for scale, fname in enumerate(("rate", "amplitude", "phase"), start=1):
        assert not uploader.features_exist(fname)
        values = scale * np.array([1.2, 3.4, 0.0, 0.1])
        uploader.create_features(fname, ACRONYMS, values, hemisphere="left", short_desc=fname)
        assert uploader.features_exist(fname)
    uploader.patch_features("rate", ACRONYMS, np.array([1.2, 3.4, 0.0, 0.1]), hemisphere="left")
    uploader.patch_bucket(tree=TREE)

    listed = uploader.get_bucket_metadata()
    assert listed["features"] == {
        fname: {"short_desc": fname, "unit": ""} for fname in ("amplitude", "phase", "rate")
    }
    assert listed["metadata"]["tree"] == TREE
    assert listed["metadata"]["short_desc"] == "first"
    assert "token" not in listed["metadata"]

    mappings = uploader.get_features("rate")["feature_data"]["mappings"]
    assert mappings["allen"]["data"] == {
        "1346": {"mean": 1.2},
        "1347": {"mean": 1.2},
        "1352": {"mean": 3.4},
        "1355": {"mean": 3.4},
        "1554": {"mean": 0.1},
        "1556": {"mean": 0.1},
        "1921": {"mean": 0.0},
    }
    assert set(mappings["beryl"]["data"]) == {"1346", "1352", "1554", "1921"}
    assert mappings["cosmos"]["data"]["1333"]["mean"] == pytest.approx(4.7 / 3)
    assert mappings["cosmos"]["data"]["1898"]["mean"] == 0.0

    uploader.delete_features("phase")
    assert sorted(uploader.list_features()) == ["amplitude", "rate"]
    uploader.delete_bucket()
    with pytest.raises(RuntimeError, match="does not exist"):
        uploader.get_bucket_metadata()
    assert not list(atlas.folder.iterdir())


def test_a_second_uploader_finds_the_saved_token(home):
    api.FeatureUploader("shared", short_desc="one")
    again = api.FeatureUploader("shared", short_desc="two", tree={"a": "b"})
    metadata = again.get_bucket_metadata()["metadata"]
    assert (metadata["short_desc"], metadata["tree"]) == ("two", {"a": "b"})


def test_without_the_saved_token_a_bucket_cannot_be_taken_over(home):
    uploader = api.FeatureUploader("mine")
    (home / ".ibl" / "custom_features.json").write_text(
        json.dumps({"buckets": {}, "global_key": uploader.params["global_key"]})
    )
    with pytest.raises(RuntimeError, match="already exists"):
        api.FeatureUploader("mine")
    stranger = api.FeatureUploader("mine", token="guess")
    with pytest.raises(RuntimeError, match="Unauthorized"):
        stranger.create_features("f", ACRONYMS, np.ones(4), hemisphere="left")


def test_a_volume_arrives_as_it_was_sent(home, tmp_path):
    uploader = api.FeatureUploader("volumes")
    volume = np.zeros(api.DEFAULT_VOLUME_SHAPE, dtype=np.uint8)
    volume[100:200, 50:60, 7] = np.arange(100, dtype=np.uint8)[:, None]
    uploader.upload_volume("density", volume, short_desc="dots per voxel")
    sent = api.make_volume_payload("density", volume)["feature_data"]
    received = uploader.download_features("density", tmp_path / "density.json")
    assert (
        api.base64_decode(received["feature_data"]["volume"])[10:]
        == (api.base64_decode(sent["volume"])[10:])
    ), "the gzip streams differ behind their headers, which hold the time"
    np.testing.assert_array_equal(api.decode_array(received["feature_data"]["volume"]), volume)
    uploader.upload_volume("density", volume[:, :, ::-1], patch=True)
    again = uploader.get_features("density")
    np.testing.assert_array_equal(
        api.decode_array(again["feature_data"]["volume"]), volume[:, :, ::-1]
    )
    assert again["short_desc"] == "dots per voxel"
    uploader.delete_volume("density")
    assert uploader.list_features() == {}
