import threading
from dataclasses import dataclass, field

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from brainpublish.local.both import both_services
from brainpublish.local.fault_control import Controlled
from brainpublish.local.faults import (
    KINDS,
    Answer,
    Delay,
    Drop,
    Faults,
    RefuseToken,
    Slow,
    as_values,
    fault_from,
)
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore

BODY = b"x" * 300_000


@dataclass
class Setting:
    """A served app that tells what reached it."""

    url: str
    faults: Faults
    reached: list = field(default_factory=list)

    def post(self, path="/data", **kwargs):
        return requests.post(self.url + path, data=kwargs.pop("data", BODY), timeout=60, **kwargs)


@pytest.fixture
def setting():
    reached = []

    async def echo(request: Request):
        body = await request.body()
        reached.append((request.url.path, len(body)))
        token = request.headers.get("authorization", "none")
        return PlainTextResponse(f"{token} {len(body)}" if request.method == "POST" else BODY)

    app = Starlette(
        routes=[Route("/{rest:path}", echo, methods=["GET", "POST"])],
    )
    faults = Faults(app)
    with serving(faults) as port:
        yield Setting(f"http://127.0.0.1:{port}", faults, reached)


def test_without_faults_all_passes_and_is_kept_in_the_book(setting):
    assert setting.post("/data?x=1").text == f"none {len(BODY)}"
    assert requests.get(setting.url + "/other", timeout=10).content == BODY
    first, second = setting.faults.requests
    assert (first.method, first.path, first.query) == ("POST", "/data", "x=1")
    assert (first.status, first.bytes_in, first.faults) == (200, len(BODY), ())
    assert (second.method, second.status, second.bytes_out) == ("GET", 200, len(BODY))
    counts = setting.faults.counts
    assert (counts.requests, counts.in_flight, counts.by_status) == (2, 0, {200: 2})
    assert (counts.bytes_in, counts.bytes_out) == (len(BODY), len(BODY) + len(f"none {len(BODY)}"))
    setting.faults.forget()
    assert setting.faults.requests == []
    assert setting.faults.counts.requests == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_the_next_matching_requests_are_answered_with_a_status(setting, status):
    setting.faults.add(Answer(status=status, method="POST", path="/data", times=2, skip=1))
    assert setting.post("/other").status_code == 200
    assert requests.get(setting.url + "/data", timeout=10).status_code == 200
    assert [setting.post("/data/a").status_code for _ in range(4)] == [200, status, status, 200]
    assert setting.faults.active() == []
    # The body was taken although the app was not asked.
    assert len(setting.reached) == 4
    assert all(r.bytes_in == len(BODY) for r in setting.faults.requests if r.method == "POST")


def test_of_two_faults_that_decide_the_first_comes_first(setting):
    setting.faults.add(Answer(status=500, times=1), Answer(status=503, times=1))
    assert [setting.post().status_code for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("when", "reached", "taken"),
    [("before_body", 0, 0), ("after_body", 0, len(BODY)), ("reply", 1, len(BODY))],
)
def test_a_dropped_connection(setting, when, reached, taken):
    setting.faults.add(Drop(when=when, times=1))
    with pytest.raises(requests.ConnectionError):
        setting.post()
    assert len(setting.reached) == reached
    assert setting.post().status_code == 200
    dropped = setting.faults.requests[0]
    assert (dropped.status, dropped.bytes_in, dropped.bytes_out) == (0, taken, 0)
    assert dropped.faults == ("drop",)


def test_a_server_that_hangs_until_the_client_gives_up(setting):
    setting.faults.add(Delay(seconds=3600, times=1))
    with pytest.raises(requests.ReadTimeout):
        requests.post(setting.url + "/data", data=BODY, timeout=0.3)
    assert setting.post().status_code == 200
    assert len(setting.reached) == 1


def test_a_delayed_request_is_served(setting, monkeypatch):
    setting.faults.add(Delay(seconds=0.05))
    assert setting.post().text == f"none {len(BODY)}"
    assert setting.faults.requests[0].faults == ("delay",)


def test_bandwidth_is_spent_for_each_byte_in_both_directions(setting, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("brainpublish.local.exchange.asyncio.sleep", sleep)
    setting.faults.add(Slow(bytes_per_second=1_000_000.0, path="/slow"))
    assert setting.post("/slow").status_code == 200
    assert requests.get(setting.url + "/slow", timeout=60).content == BODY
    sent, received = setting.faults.requests
    assert (sent.bytes_in, received.bytes_out) == (len(BODY), len(BODY))
    spent = sent.bytes_in + sent.bytes_out + received.bytes_in + received.bytes_out
    assert sum(slept) * 1_000_000 >= spent * 0.999
    assert max(slept) <= 0.2


def test_the_token_is_refused_from_a_request_on(setting):
    setting.faults.add(RefuseToken(skip=2))
    headers = {"Authorization": "Token right"}
    replies = [setting.post(data=b"", headers=headers).text for _ in range(4)]
    assert replies == ["Token right 0", "Token right 0", "Token refused 0", "Token refused 0"]
    setting.faults.clear()
    assert setting.post(data=b"", headers=headers).text == "Token right 0"


def test_faults_combine(setting):
    setting.faults.add(Delay(seconds=0.01), RefuseToken(), Answer(status=503, times=1))
    assert setting.post().status_code == 503
    assert setting.faults.requests[0].faults == ("delay", "refuse_token", "answer")
    assert setting.post().status_code == 200


def test_most_requests_in_flight_are_counted():
    barrier = threading.Barrier(3)

    def meet(request):
        barrier.wait(timeout=60)
        return PlainTextResponse("met")

    faults = Faults(Starlette(routes=[Route("/", meet)]))
    with serving(faults) as port:
        url = f"http://127.0.0.1:{port}/"
        threads = [
            threading.Thread(target=requests.get, args=(url,), kwargs={"timeout": 60})
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (faults.counts.most_in_flight, faults.counts.in_flight) == (3, 0)


def test_every_kind_survives_the_way_to_json_and_back():
    for kind in KINDS:
        fault = fault_from({"kind": kind, "path": "/v1", "times": 3, "skip": 1})
        assert fault_from(as_values(fault)) == fault


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kind": "flood"},
        {"kind": []},
        {"kind": "answer", "status": 200},
        {"kind": "answer", "status": 450},
        {"kind": "answer", "status": "503"},
        {"kind": "answer", "seconds": 1},
        {"kind": "answer", "retry_after": 1},
        {"kind": "answer", "retry_after": "1\r\nX: y"},
        {"kind": "drop", "when": "later"},
        {"kind": "delay", "seconds": -1},
        {"kind": "slow", "bytes_per_second": 0},
        {"kind": "answer", "times": 1.5},
        {"kind": "answer", "skip": True},
        {"kind": "answer", "method": None},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(values):
    with pytest.raises(ValueError, match=r"kind|status|retry|when|seconds|bytes|times|skip|method"):
        fault_from(values)


@dataclass
class Weather:
    """Stands for the volume service's conditions."""

    delay: float = 0.0
    locked: bool = False


def test_control_over_http_needs_the_token_and_is_not_counted():
    weather = Weather()
    faults = Faults(Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))]))
    with serving(Controlled(faults, "secret", weather)) as port:
        url = f"http://127.0.0.1:{port}"

        def ask(method, path, token="secret", **kwargs):
            headers = {"Authorization": f"Token {token}"}
            return requests.request(method, url + path, headers=headers, timeout=10, **kwargs)

        fault = {"kind": "answer", "status": 503, "times": 1}
        for method, path in (("GET", "/_faults"), ("DELETE", "/_requests")):
            assert ask(method, path, token="wrong").status_code == 401
            assert requests.request(method, url + path, timeout=10).status_code == 401
        assert ask("POST", "/_faults", token="", json=fault).status_code == 401
        assert faults.active() == []

        assert ask("POST", "/_faults", json=fault).json() == [
            {"method": "", "path": "", "skip": 0, "retry_after": "", **fault}
        ]
        assert [requests.get(url, timeout=10).status_code for _ in range(2)] == [503, 200]
        assert ask("GET", "/_faults").json() == []
        book = ask("GET", "/_requests").json()
        assert [record["status"] for record in book["requests"]] == [503, 200]
        assert book["counts"]["by_status"] == {"503": 1, "200": 1}
        assert ask("DELETE", "/_requests").json()["requests"] == []

        ask("POST", "/_faults", json=fault)
        assert ask("DELETE", "/_faults").json() == []
        for wrong in ({"kind": "flood"}, [fault], None, {"kind": "answer", "times": "x"}):
            assert ask("POST", "/_faults", json=wrong).status_code == 400
        assert ask("POST", "/_faults", data=b"{").status_code == 400

        assert ask("POST", "/_conditions", json={"delay": 2, "locked": True}).status_code == 200
        assert (weather.delay, weather.locked) == (2, True)
        for wrong in ({"wind": 1}, {"delay": "x"}, {"locked": 1}, []):
            assert ask("POST", "/_conditions", json=wrong).status_code == 400


def test_without_control_the_control_paths_do_not_exist(setting):
    assert requests.get(setting.url + "/_faults", timeout=10).content == BODY


def test_a_fault_can_be_added_while_requests_run(setting):
    stop = threading.Event()
    seen = set()

    def send():
        with requests.Session() as session:
            while not stop.is_set():
                seen.add(session.get(setting.url + "/", timeout=60).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        setting.faults.add(Answer(status=500, times=2))
    while setting.faults.active():
        pass
    stop.set()
    for thread in threads:
        thread.join()
    assert seen <= {200, 500}
    assert setting.faults.counts.by_status[500] == 40


def test_a_lost_reply_and_a_refused_token_on_the_real_services(tmp_path):
    store = LocalStore(tmp_path).open()
    faults = Faults(both_services(store))
    with serving(faults) as port, requests.Session() as session:
        url = f"http://127.0.0.1:{port}"

        def make_bucket():
            headers = {"Authorization": f"Bearer {store.secrets['atlas_global_key']}"}
            body = {"uuid": "mine", "metadata": {"token": "abc"}}
            return session.post(f"{url}/api/buckets", json=body, headers=headers, timeout=60)

        def ask_bossdb(path):
            headers = {"Authorization": f"Token {store.secrets['bossdb_manager']}"}
            return session.get(f"{url}/v1/{path}", headers=headers, timeout=60).status_code

        faults.add(Drop(when="reply", times=1, path="/api/"))
        with pytest.raises(requests.ConnectionError):
            make_bucket()
        assert make_bucket().status_code == 409

        cutout = "cutout/a/b/c/0/0:1/0:1/0:1/"
        assert (ask_bossdb("collection/"), ask_bossdb(cutout)) == (200, 404)
        faults.add(RefuseToken(path="/v1/"))
        # The cutout view of the real service fails to say 401.
        assert (ask_bossdb("collection/"), ask_bossdb(cutout)) == (401, 500)
        assert make_bucket().status_code == 409
