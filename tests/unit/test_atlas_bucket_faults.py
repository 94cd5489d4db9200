"""A bucket on a service that fails, or is someone else's: always true in the end."""

from dataclasses import replace
from pathlib import Path

import pytest
from buckets import TREE, features, new_home, outcomes, run, running, section

from brainpublish.atlas import bucket as bucket_module
from brainpublish.atlas.bucket import publish
from brainpublish.atlas.client import AtlasClient
from brainpublish.atlas.steps import publish_bucket
from brainpublish.atlas.tokens import find_token, global_key
from brainpublish.files import write_json
from brainpublish.findings import Refusal
from brainpublish.local.faults import Answer, Drop, RefuseToken
from brainpublish.local.serve import serving


@pytest.fixture
def home(tmp_path, monkeypatch):
    return new_home(tmp_path, monkeypatch)


@pytest.fixture
def service(home, monkeypatch):
    with running(home / "store", monkeypatch) as service:
        yield service


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


def test_no_receipt_is_left_by_a_failed_step(home, monkeypatch):
    write_json("payloads.json", features())
    monkeypatch.setattr(bucket_module, "_check_listing", fail)
    settings = {"bucket": section(), "destination": {"kind": "local", "store": "s"}}
    with pytest.raises(Refusal):
        publish_bucket(settings, "payloads.json", "receipt.json")
    assert not Path("receipt.json").exists()


def fail(*args):
    raise Refusal("for the test")
