"""A bucket on a service that behaves: what is published, kept, changed and taken away."""

import json
from pathlib import Path

import numpy as np
import pytest
from buckets import IDS, TREE, features, new_home, outcomes, prepared, run, running, section
from iblbrainviewer import api as official

from brainpublish.atlas.bucket import ledger_path
from brainpublish.atlas.client import AtlasClient
from brainpublish.atlas.steps import publish_bucket
from brainpublish.atlas.tokens import client_file, find_token, global_key
from brainpublish.destination import open_atlas, open_bossdb
from brainpublish.files import json_text, read_json, write_json
from brainpublish.local.faults import Drop


@pytest.fixture
def home(tmp_path, monkeypatch):
    return new_home(tmp_path, monkeypatch)


@pytest.fixture
def service(home, monkeypatch):
    with running(home / "store", monkeypatch) as service:
        yield service


def test_a_new_bucket_holds_all_and_the_receipt_says_so(service):
    receipt = run(service)
    assert outcomes(receipt) == ["created", "created"]
    assert receipt["tree"] == {"outcome": "created"}
    assert receipt["verified"] == {"features": 2, "read_back": 2, "mismatches": 0}
    assert receipt["url"] == "https://atlas.example/?buckets=b&bucket=b"
    assert receipt["features"]["phase"]["unit"] == "rad"
    listing = service.listing()
    assert listing["metadata"]["tree"] == TREE
    assert listing["metadata"]["short_desc"] == "About b"
    assert listing["features"]["rate"] == {"short_desc": "a feature", "unit": "Hz"}
    token = find_token(service.endpoint, "b").value
    kept = json_text(receipt) + ledger_path("ledger", service.endpoint, "b").read_text()
    assert token not in kept
    assert str(Path.home()) not in kept


def test_the_official_client_reads_what_was_published(service, monkeypatch):
    run(service)
    monkeypatch.setattr(official, "FEATURES_API_BASE_URL", service.endpoint.api)
    client = official.FeatureUploader("b")
    assert sorted(client.list_features()) == ["phase", "rate"]
    ids = np.array(IDS)
    values = np.array([1.2, 3.4, 0.0, 0.1])
    theirs = json.loads(
        json.dumps(official.make_features_payload("rate", official.make_features(ids, values)))
    )["feature_data"]["mappings"]
    ours = client.get_features("rate")["feature_data"]["mappings"]
    for name in ("allen", "beryl", "cosmos"):
        assert ours[name]["data"] == {
            row: {"mean": pytest.approx(value["mean"], abs=1e-12)}
            for row, value in theirs[name]["data"].items()
        }


def test_no_change_writes_nothing_and_reads_no_feature(service):
    run(service)
    service.writes()
    receipt = run(service)
    assert outcomes(receipt) == ["kept", "kept"]
    assert receipt["tree"] == {"outcome": "kept"}
    assert {each["verified"] for each in receipt["features"].values()} == {"ledger"}
    assert set(service.reads()) == {"/api/buckets/b"}
    assert service.writes() == []


def test_76_one_changed_value_or_text_sends_one_feature(service, caplog):
    caplog.set_level("INFO", "brainpublish.atlas.bucket")
    run(service)
    service.writes()
    assert outcomes(run(service, wanted=features(1))) == ["updated", "kept"]
    assert service.writes() == [("PATCH", "/api/buckets/b/rate")]
    assert caplog.messages[-2:] == ["1 of 2 features are new or changed", "updated rate"]
    changed = features(1)
    changed["phase"] = prepared([-0.4, 0.3, 1.0, -1.2], "")
    assert outcomes(run(service, wanted=changed)) == ["kept", "updated"]
    assert service.listing()["features"]["phase"]["unit"] == ""


def test_a_text_that_someone_else_changed_is_set_right(service):
    run(service)
    token = find_token(service.endpoint, "b").value
    data = features()["rate"]["payload"]["feature_data"]
    service.ask("PATCH", "buckets/b/rate", token, json={"feature_data": data, "unit": "kHz"})
    assert outcomes(run(service)) == ["updated", "kept"]
    assert service.listing()["features"]["rate"]["unit"] == "Hz"


def test_a_lost_ledger_costs_one_read_of_each_feature(service):
    run(service)
    ledger_path("ledger", service.endpoint, "b").unlink()
    service.writes()
    receipt = run(service, wanted=features(1))
    assert outcomes(receipt) == ["updated", "kept"]
    assert {each["verified"] for each in receipt["features"].values()} == {"read back"}
    assert service.reads().count("/api/buckets/b/phase") == 1
    assert service.writes() == [("PATCH", "/api/buckets/b/rate")]


def test_a_damaged_ledger_is_a_lost_one(service):
    run(service)
    ledger_path("ledger", service.endpoint, "b").write_text("{")
    assert outcomes(run(service)) == ["kept", "kept"]


def test_a_bucket_made_anew_by_someone_else_is_not_taken_for_ours(service):
    run(service)
    token = find_token(service.endpoint, "b").value
    service.ask("DELETE", "buckets/b", token)
    body = {"uuid": "b", "metadata": {"token": token}}
    service.ask("POST", "buckets", global_key(), json=body)
    other = {"feature_data": {"mappings": {}}, "short_desc": "a feature", "unit": "Hz"}
    service.ask("POST", "buckets/b", token, json={"fname": "rate", **other})
    assert outcomes(run(service)) == ["updated", "created"]


def test_a_tree_is_set_kept_changed_and_taken_away(service):
    assert run(service, section(tree=None))["tree"] == {"outcome": "none"}
    assert run(service)["tree"] == {"outcome": "created"}
    assert run(service)["tree"] == {"outcome": "kept"}
    other = section(tree={1: "rate", 2: "phase"})
    assert run(service, other)["tree"] == {"outcome": "updated"}
    assert run(service, other)["tree"] == {"outcome": "kept"}
    assert run(service, section(tree=None))["tree"] == {"outcome": "updated"}
    assert service.listing()["metadata"]["tree"] is None


def test_a_tree_of_somebody_else_stays_without_one_in_the_config(service):
    run(service, section(tree=None))
    token = find_token(service.endpoint, "b").value
    service.ask("PATCH", "buckets/b", token, json={"metadata": {"tree": {"x": "rate"}}})
    assert run(service, section(tree=None))["tree"] == {"outcome": "kept"}
    assert service.listing()["metadata"]["tree"] == {"x": "rate"}


def test_features_that_left_the_config_stay_unless_prune_is_set(service):
    run(service)
    token = find_token(service.endpoint, "b").value
    body = {"fname": "theirs", "feature_data": {"mappings": {}}}
    service.ask("POST", "buckets/b", token, json=body)
    rest = {"rate": features()["rate"]}
    tree = {"rate": "rate"}
    receipt = run(service, section(tree=tree), rest)
    assert (receipt["removed"], receipt["left"]) == ([], ["phase"])
    service.faults.add(Drop(when="reply", method="DELETE", times=1))
    assert run(service, section(tree=tree, prune=True), rest)["removed"] == ["phase"]
    assert service.listing()["features"].keys() == {"rate", "theirs"}
    assert run(service, section(tree=tree, prune=True), rest)["removed"] == []
    assert outcomes(run(service)) == ["kept", "created"]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(service, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert outcomes(run(service)) == ["created", "created"]


def test_names_are_percent_encoded_and_a_netrc_replaces_no_token(service, home):
    host = service.endpoint.host.split(":")[0]
    home.joinpath("home").mkdir(exist_ok=True)
    home.joinpath("home", ".netrc").write_text(f"machine {host} login x password y\n")
    run(service, section(name="b c"), features())
    assert service.listing("b c")["features"].keys() == {"rate", "phase"}
    with AtlasClient(service.endpoint.api) as client:
        token = find_token(service.endpoint, "b c").value
        client.create_feature("b c", "a?#%20", features()["rate"]["payload"], token)
        assert client.feature("b c", "a?#%20")["unit"] == "Hz"
        client.delete_feature("b c", "a?#%20", token)


def settings(destination):
    return {"bucket": section(), "destination": destination}


def test_the_step_for_the_embedded_service_needs_no_secret(home, monkeypatch):
    monkeypatch.setenv("ATLAS_BUCKET_TOKEN", "real")
    write_json("payloads.json", features())
    destination = {"kind": "local", "store": "my store"}
    for outcome in ("created", "kept"):
        publish_bucket(settings(destination), "payloads.json", "receipt.json")
        receipt = read_json("receipt.json")
        assert outcomes(receipt) == [outcome, outcome]
    assert receipt["url"] == "local:atlas/b"
    name = receipt["destination"]["id"]
    assert receipt["destination"] == {"kind": "local", "host": name, "id": name}
    with open_bossdb(destination) as bossdb:
        assert bossdb.id == name
    assert not client_file().exists()
    with open_atlas(destination) as endpoint:
        assert find_token(endpoint, "b").value != "real"
        assert "real" not in endpoint.tokens_file.read_text()
