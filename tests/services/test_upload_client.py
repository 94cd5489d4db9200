"""What is tried again and what stops at once, with which text."""

import functools
import threading
import time

import numpy as np
import pytest
from uploads import service_over

from brainpublish.bossdb import client as client_module
from brainpublish.bossdb import wire
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.crew import Stopped
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.findings import Refusal
from brainpublish.halts import Halts
from brainpublish.local.faults import Answer, Delay, Drop, RefuseToken
from brainpublish.packing import IMAGE

BOX = Box((0, 0, 0), (1, 2, 3))
BODY = IMAGE.strong.pack(np.ones((1, 2, 3), np.uint16))
CUTOUT = "/v1/cutout/lab"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    with service_over(tmp_path_factory.mktemp("service")) as running:
        running.ensure(running.plan())
        yield running


@pytest.fixture
def service(prepared, no_pauses):
    yield prepared
    prepared.faults.clear()
    prepared.faults.forget()


def post(service):
    service.client.post_body("lab/fish/image", BOX, BODY)


def tries(service) -> int:
    return sum("cutout" in request.path for request in service.requests)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_faults_that_can_pass_are_tried_again(service, status):
    service.faults.add(Answer(path=CUTOUT, status=status, times=6))
    post(service)
    assert tries(service) == 7
    assert sum(r.path == "/v1/collection/" for r in service.requests) == (6 if status == 500 else 0)


@pytest.mark.parametrize("when", ["before_body", "after_body", "reply"])
def test_broken_connections_are_tried_again(service, when):
    service.faults.add(Drop(path=CUTOUT, when=when, times=3))
    post(service)
    assert tries(service) == 4


def test_pause_that_the_server_asks_for_is_kept(service):
    service.faults.add(Answer(path=CUTOUT, status=503, retry_after="3", times=1))
    begun = time.monotonic()
    post(service)
    assert time.monotonic() - begun >= 3
    assert tries(service) == 2


def test_pause_that_is_too_long_is_told_instead(service):
    service.faults.add(Answer(path=CUTOUT, status=503, retry_after="3600"))
    with pytest.raises(BossdbRefusal, match=r"in 1 try; .*503.*, and asks to wait 3600 s\."):
        post(service)
    assert tries(service) == 1


def test_after_all_tries_the_text_says_what_happened(service):
    service.faults.add(Answer(path=CUTOUT, status=503))
    with pytest.raises(BossdbRefusal, match="in 7 tries; the last one ended with: answer 503"):
        post(service)
    assert tries(service) == 7


def test_a_fault_that_lasts_too_long_is_not_tried_again(service, monkeypatch):
    monkeypatch.setattr(client_module, "TRYING_SECONDS", 0)
    service.faults.add(Answer(path=CUTOUT, status=503))
    with pytest.raises(BossdbRefusal, match="in 1 try; the last one ended with: answer 503"):
        post(service)
    assert tries(service) == 1


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "refused POST /v1/cutout/lab/fish/image/0/0:3/0:2/0:1/: answer 400"),
        (401, r"does not accept the BossDB token .* at http://127\.0\.0\.1:\d+/v1/mgmt/token "),
        (403, "has no right to do this"),
        (404, r"answer 404 [\w ]+\. It, or what it is a part of, is gone"),
        (413, "takes no blocks as large"),
        (429, "a quota is reached"),
        (501, "answer 501"),
    ],
)
def test_what_cannot_pass_stops_at_once_with_its_cause(service, status, text):
    service.faults.add(Answer(path=CUTOUT, status=status))
    with pytest.raises(BossdbRefusal, match=text) as refusal:
        post(service)
    assert refusal.value.status == status
    assert tries(service) == 1
    assert service.client.endpoint.token not in str(refusal.value)


def test_token_that_is_refused_later_stops_cutouts_that_answer_500(service):
    service.faults.add(RefuseToken())
    with pytest.raises(BossdbRefusal, match="does not accept the BossDB token"):
        post(service)
    assert tries(service) == 1


def test_write_lock_stops_at_once(service):
    service.conditions.write_locked = True
    try:
        with pytest.raises(BossdbRefusal, match=r"400/9001.*lock.*write to them"):
            post(service)
    finally:
        service.conditions.write_locked = False
    assert tries(service) == 1


def test_server_that_hangs_is_not_waited_for_without_end(service, monkeypatch):
    monkeypatch.setattr(wire, "READ_SECONDS", 0.3)
    service.faults.add(Delay(path=CUTOUT, seconds=60, times=1))
    begun = time.monotonic()
    post(service)
    assert time.monotonic() - begun < 30
    assert tries(service) == 2


def test_nothing_listens(service):
    endpoint = Endpoint("remote", "http", "127.0.0.1:9", "id", "secret-token")
    with BossdbClient(endpoint) as client, pytest.raises(BossdbRefusal) as refusal:
        client.get_json("collection/")
    assert "127.0.0.1:9 did not carry out GET collection/" in str(refusal.value)
    assert "secret-token" not in str(refusal.value)


def test_plain_http_server_behind_https(service):
    endpoint = Endpoint("remote", "https", service.client.endpoint.host, "id", "secret-token")
    with BossdbClient(endpoint) as client, pytest.raises(BossdbRefusal, match=r"bossdb\.protocol"):
        client.get_json("collection/")


def test_stopping_ends_pauses_between_tries(prepared):
    prepared.faults.add(Answer(path=CUTOUT, status=503))
    with BossdbClient(prepared.client.endpoint) as client:
        timer = threading.Timer(0.3, client.stopping.set)
        timer.start()
        with pytest.raises(Stopped):
            client.post_body("lab/fish/image", BOX, BODY)
    prepared.faults.clear()
    prepared.faults.forget()


@pytest.mark.parametrize(
    ("box", "text"), [(Box((0, 0, 0), (1, 2, 4)), "6 voxels"), (BOX, "no blosc buffer")]
)
def test_answer_that_is_no_block_is_said_so(service, box, text):
    body = BODY if text == "6 voxels" else b"<html>please log in</html>"
    with pytest.raises(BossdbRefusal, match=text):
        service.client.unpacked(body, box, "uint16")


def test_proxy_of_the_environment_is_not_asked_for_this_machine(service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with BossdbClient(service.client.endpoint) as client:
        client.check_token()


def test_netrc_does_not_replace_the_token(service, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    post(service)


@pytest.mark.parametrize(("fault", "status"), [(RefuseToken(), 401), (Answer(status=503), None)])
def test_token_is_asked_about_once_and_only_a_refusal_counts(service, fault, status):
    service.faults.add(fault)
    refusal = service.client.token_refusal()
    assert (refusal and refusal.status) == status
    # What another test asked last may be noted only now.
    asked = [request.path for request in service.requests if request.method == "GET"]
    assert asked == ["/v1/collection/"]


@pytest.mark.parametrize("fault", [RefuseToken(), Answer(path=CUTOUT, status=429)])
def test_what_every_job_would_meet_halts_the_others(service, tmp_path, fault):
    service.faults.add(fault)
    with BossdbClient(service.client.endpoint, halts=Halts(tmp_path)) as client:
        with pytest.raises(BossdbRefusal):
            client.post_body("lab/fish/image", BOX, BODY)
        text = r"another job of this run met answer (401|429) of 127.0.0.1:\d+, and tells it\."
        with pytest.raises(Refusal, match=text):
            Halts(tmp_path).require_none()


@pytest.mark.parametrize("status", [400, 403, 413])
def test_what_one_channel_is_refused_halts_its_other_slabs_alone(service, tmp_path, status):
    service.faults.add(Answer(path=CUTOUT, status=status))
    endpoint = service.client.endpoint
    with BossdbClient(endpoint, halts=Halts(tmp_path)) as client, pytest.raises(BossdbRefusal):
        client.post_body("lab/fish/image", BOX, BODY)
    asked = tries(service)
    with BossdbClient(endpoint, halts=Halts(tmp_path)) as client:
        for write in (functools.partial(client.post_body, body=BODY), client.black_cutout):
            with pytest.raises(Refusal, match=f"Not sent: .* met answer {status} of"):
                write("lab/fish/image", BOX)
    assert tries(service) == asked
    Halts(tmp_path).require_none()
    Halts(tmp_path).require_none("lab/fish/bone")
