"""A bucket on a service that behaves, and on one that fails: always true in the end."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import requests
from iblbrainviewer import api as official

from brainpublish.atlas import bucket as bucket_module
from brainpublish.atlas.bucket import ledger_path, publish
from brainpublish.atlas.client import AtlasClient
from brainpublish.atlas.endpoint import REMOTE, AtlasEndpoint
from brainpublish.atlas.steps import publish_bucket
from brainpublish.atlas.tokens import client_file, find_token, global_key
from brainpublish.destination import open_atlas, open_bossdb
from brainpublish.files import digest_of_json, json_text, read_json, write_json
from brainpublish.findings import Refusal
from brainpublish.local.atlas import create_app
from brainpublish.local.faults import Answer, Drop, Faults, RefuseToken
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
from brainpublish.regions.mapping import build_operator
from brainpublish.regions.payload import feature_payload

TREE = {"Spike": {"2 rate (Hz)": "rate"}, "1 phase": "phase"}
IDS = [-320, -767, -23, -211]


class Service:
    """An atlas service that counts and fails on demand, and an endpoint to it."""

    def __init__(self, store: LocalStore, faults: Faults, port: int):
        self.faults = faults
        self.folder = store.atlas_folder
        self.endpoint = AtlasEndpoint(
            REMOTE,
            f"http://127.0.0.1:{port}/api/",
            "https://atlas.example/",
            f"127.0.0.1:{port}",
            "service",
            client_file(),
            global_key,
        )

    def writes(self):
        """Return method and path of the requests that write, and start counting anew."""
        found = [(r.method, r.path) for r in self.faults.requests if r.method != "GET"]
        self.faults.forget()
        return found

    def reads(self):
        """Return the paths of the requests that read."""
        return [r.path for r in self.faults.requests if r.method == "GET"]

    def listing(self, name="b"):
        with AtlasClient(self.endpoint.api) as client:
            return client.bucket(name)

    def ask(self, method, path, token, **kwargs):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(
            method, self.endpoint.api + path, headers=headers, timeout=60, **kwargs
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATLAS_BUCKET_TOKEN", raising=False)
    monkeypatch.setattr(AtlasClient.__init__, "__defaults__", (0.001,))
    return tmp_path


@contextmanager
def running(path, monkeypatch):
    store = LocalStore(path).open()
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", store.secrets["atlas_global_key"])
    faults = Faults(create_app(store))
    with serving(faults) as port:
        yield Service(store, faults, port)


@pytest.fixture
def service(home, monkeypatch):
    with running(home / "store", monkeypatch) as service:
        yield service


def section(**more):
    return {"name": "b", "short_desc": "About b", "tree": TREE, **more}


OPERATOR = build_operator(IDS)


def prepared(values, unit="Hz"):
    payload = feature_payload({"mean": OPERATOR.apply(values)}, values, unit, "a feature")
    return {"regions": 4, "digest": digest_of_json(payload), "payload": payload}


def features(shift=0.0):
    return {
        "rate": prepared([1.2 + shift, 3.4, 0.0, 0.1]),
        "phase": prepared([-0.4, 0.3, 1.0, -1.2], "rad"),
    }


def run(service, bucket=None, wanted=None):
    return publish(service.endpoint, bucket or section(), wanted or features(), "ledger")


def outcomes(receipt):
    return [feature["outcome"] for feature in receipt["features"].values()]


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


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET"])
@pytest.mark.parametrize(
    "fault",
    [Answer(status=500, times=3), Drop(times=3), Drop(when="after_body", times=3)],
    ids=["500", "reset", "reset after the body"],
)
def test_what_passes_is_tried_again(service, method, fault):
    service.faults.add(replace(fault, method=method))
    receipt = run(service)
    assert outcomes(receipt) == ["created", "created"]
    assert service.listing()["metadata"]["tree"] == TREE


@pytest.mark.parametrize("skip", range(6))
def test_a_lost_reply_never_harms(service, skip):
    """The service did its work, the answer got lost: 409 and the like are understood."""
    service.faults.add(Drop(when="reply", skip=skip, times=1))
    assert outcomes(run(service)) == ["created", "created"]
    service.writes()
    assert outcomes(run(service)) == ["kept", "kept"]


class Killed(BaseException):
    """Stands for a process that ends on the spot."""


@pytest.mark.parametrize("at", range(14))
@pytest.mark.parametrize("after", [False, True], ids=["before the request", "after the request"])
def test_a_run_killed_at_any_request_is_continued(service, monkeypatch, at, after):
    real, count = AtlasClient._ask, 0

    def ask(*args):
        nonlocal count
        count += 1
        if count == at + 1 and not after:
            raise Killed
        answer = real(*args)
        if count == at + 1:
            raise Killed
        return answer

    monkeypatch.setattr(AtlasClient, "_ask", ask)
    try:
        run(service)
    except Killed:
        assert count == at + 1
    monkeypatch.setattr(AtlasClient, "_ask", real)
    run(service)
    held = {
        name: service_feature(service, name) == feature["payload"]
        for name, feature in features().items()
    }
    assert held == {"rate": True, "phase": True}
    assert service.listing()["metadata"]["tree"] == TREE
    assert outcomes(run(service)) == ["kept", "kept"]


def service_feature(service, name):
    with AtlasClient(service.endpoint.api) as client:
        return client.feature("b", name)


def test_75_a_service_that_stays_down_ends_with_one_paragraph(service):
    service.faults.add(Answer(status=503))
    with pytest.raises(Refusal, match="503"):
        run(service)
    assert service.faults.counts.requests == 6
    assert service.writes() == [], "no answer is not taken for an absent bucket"


def test_429_stops_with_how_far_it_got_and_the_same_command_goes_on(service):
    many = Answer(status=429, retry_after="3600", method="POST", path="/api/buckets/b", skip=1)
    service.faults.add(many)
    with pytest.raises(Refusal, match=r"asks to wait 3600 s.* 1 of 2 features were sent, 0 were"):
        run(service)
    assert [method for method, _ in service.writes()] == ["POST"] * 3
    service.faults.clear()
    assert outcomes(run(service)) == ["kept", "created"]
    assert service.listing()["metadata"]["tree"] == TREE


@pytest.mark.parametrize("status", [400, 403, 404, 415])
def test_what_cannot_pass_is_not_tried_again(service, status):
    service.faults.add(Answer(status=status, method="POST"))
    with pytest.raises(Refusal, match=str(status)):
        run(service)
    assert len(service.writes()) == 1


def test_73_a_wrong_token_is_one_plain_message_and_nothing_is_created_again(service, monkeypatch):
    run(service)
    monkeypatch.setenv("ATLAS_BUCKET_TOKEN", "sesame")
    service.writes()
    with pytest.raises(Refusal, match="ATLAS_BUCKET_TOKEN") as refusal:
        run(service, wanted=features(1))
    assert "sesame" not in str(refusal.value)
    assert service.writes() == [("PATCH", "/api/buckets/b/rate")]


def test_74_a_wrong_or_missing_global_key_is_named(service, monkeypatch):
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", "sesame")
    with pytest.raises(Refusal, match="ATLAS_GLOBAL_KEY") as refusal:
        run(service)
    assert "sesame" not in str(refusal.value)
    monkeypatch.delenv("ATLAS_GLOBAL_KEY")
    with pytest.raises(Refusal, match=r"no global key.*Set ATLAS_GLOBAL_KEY"):
        run(service)


def test_the_token_is_stored_before_the_bucket_is_made(service):
    service.faults.add(Answer(status=400, method="POST"))
    with pytest.raises(Refusal):
        run(service)
    token = find_token(service.endpoint, "b").value
    service.faults.clear()
    run(service)
    assert find_token(service.endpoint, "b").value == token


def test_a_token_that_is_refused_midway_keeps_what_was_sent(service):
    run(service)
    service.faults.add(RefuseToken(method="PATCH", times=1))
    with pytest.raises(Refusal, match="401"):
        run(service, wanted=features(1))
    assert outcomes(run(service, wanted=features(1))) == ["updated", "kept"]


def test_72_a_bucket_of_somebody_else_is_not_touched(service):
    body = {"uuid": "b", "metadata": {"token": "theirs"}}
    service.ask("POST", "buckets", global_key(), json=body)
    service.writes()
    with pytest.raises(Refusal, match=r"its token is not here.*brainpublish token import b"):
        run(service)
    assert service.writes() == []


def test_a_bucket_that_vanished_is_not_created_again(service):
    run(service)
    service.ask("DELETE", "buckets/b", find_token(service.endpoint, "b").value)
    service.writes()
    with pytest.raises(Refusal, match="not there any more"):
        run(service)
    assert service.writes() == []


@pytest.mark.parametrize("other", ["b_more", "more_b"])
def test_a_name_that_only_looks_alike_is_refused(service, other):
    run(service, section(name=other))
    service.writes()
    with pytest.raises(Refusal, match=other):
        run(service)
    assert service.writes() == []


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


def test_a_lost_tree_is_sent_again_and_a_service_that_loses_all_is_named(service, monkeypatch):
    real, lost = AtlasClient.patch_bucket, 0

    def lose_once(self, *args):
        nonlocal lost
        lost += 1
        if lost > 1:
            real(self, *args)

    monkeypatch.setattr(AtlasClient, "patch_bucket", lose_once)
    assert run(service)["tree"] == {"outcome": "created"}
    monkeypatch.setattr(AtlasClient, "patch_bucket", lambda *args: None)
    with pytest.raises(Refusal, match="tree"):
        run(service, section(tree={"x": "rate"}))


def test_a_service_that_stores_something_else_is_named_and_not_believed(service, monkeypatch):
    real = AtlasClient.create_feature

    def spoil(self, bucket, name, payload, token):
        real(self, bucket, name, {**payload, "unit": "mHz"}, token)

    monkeypatch.setattr(AtlasClient, "create_feature", spoil)
    with pytest.raises(Refusal, match="holds something else"):
        run(service)
    monkeypatch.setattr(AtlasClient, "create_feature", real)
    assert outcomes(run(service)) == ["updated", "updated"]


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


def test_what_is_no_atlas_service_is_named(service):
    wrong = replace(service.endpoint, api=service.endpoint.api.replace("/api/", "/nothing/"))
    with pytest.raises(Refusal):
        publish(wrong, section(), features(), "ledger")


def test_a_page_instead_of_an_answer_is_named(home):
    async def page(scope, receive, send):
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<html>Please log in</html>"})

    with (
        serving(page) as port,
        AtlasClient(f"http://127.0.0.1:{port}/api/") as client,
        pytest.raises(Refusal, match="login page"),
    ):
        client.bucket("b")


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


def test_no_receipt_is_left_by_a_failed_step(home, monkeypatch):
    write_json("payloads.json", features())
    monkeypatch.setattr(bucket_module, "_check_listing", fail)
    with pytest.raises(Refusal):
        publish_bucket(settings({"kind": "local", "store": "s"}), "payloads.json", "receipt.json")
    assert not Path("receipt.json").exists()


def fail(*args):
    raise Refusal("for the test")
