"""Many clients and several processes over one store: nothing is lost, nothing is half."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from atlas_service import MAPPINGS, atlas_service

from brainpublish.local.atlas import descriptions
from brainpublish.local.atlas.workspace import Workspace


def statuses(call, count, threads=16):
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(count)))


def test_sixteen_clients_and_two_servers_lose_nothing(tmp_path):
    with atlas_service(tmp_path) as one, atlas_service(tmp_path) as two:
        one.make_bucket("mine")

        def work(i):
            service = (one, two)[i % 2]
            with requests.Session() as service_session:
                service = type(service)(service.url, service.key, service.folder, service_session)
                return [
                    service.make_feature("mine", f"f{i}", unit=str(i)).status_code,
                    service.ask("GET", f"buckets/mine/f{i}").status_code,
                    service.ask(
                        "PATCH", "buckets/mine", "abc", json={"metadata": {f"key{i}": i}}
                    ).status_code,
                    service.ask(
                        "PATCH", f"buckets/mine/f{i}", "abc", json={"feature_data": MAPPINGS}
                    ).status_code,
                    service.ask("GET", "buckets/mine").status_code,
                ]

        replies = statuses(work, 64)
        listing = two.ask("GET", "buckets/mine").json()
    assert replies == [[200] * 5] * 64
    assert {f: d["unit"] for f, d in listing["features"].items()} == {
        f"f{i}": str(i) for i in range(64)
    }
    assert {k: v for k, v in listing["metadata"].items() if k.startswith("key")} == {
        f"key{i}": i for i in range(64)
    }


@pytest.mark.parametrize("what", ["bucket", "feature"])
def test_of_eight_equal_creations_one_wins(tmp_path, what):
    with atlas_service(tmp_path) as one, atlas_service(tmp_path) as two:
        one.make_bucket("known")

        def create(i):
            service = (one, two)[i % 2]
            if what == "bucket":
                return service.make_bucket("mine", token=str(i)).status_code
            return service.make_feature("known", "rate", unit=str(i)).status_code

        assert sorted(statuses(create, 8, threads=8)) == [200] + [409] * 7


def test_readers_see_whole_features_while_they_are_replaced_and_deleted(tmp_path):
    with atlas_service(tmp_path) as atlas:
        atlas.make_bucket("mine")

        def turn(i):
            if i % 4 == 0:
                atlas.make_feature("mine", "big", unit="x" * i * 1000)
            elif i % 4 == 1:
                atlas.ask("DELETE", "buckets/mine/big", "abc")
            reply = atlas.ask("GET", ("buckets/mine/big", "buckets/mine")[i % 2])
            if reply.status_code == 200:
                json.loads(reply.text)
            return reply.status_code

        assert set(statuses(turn, 120)) <= {200, 404}


def test_a_server_killed_at_work_leaves_whole_files_and_no_lock(tmp_path):
    program = """
import sys, time
from pathlib import Path
from brainpublish.local.atlas import create_app
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
with serving(create_app(LocalStore(sys.argv[1]).open())) as port:
    print(port, flush=True)
    time.sleep(600)
"""
    with atlas_service(tmp_path) as atlas:
        atlas.make_bucket("mine")
        for _ in range(3):
            with subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            ) as server:
                url = f"http://127.0.0.1:{int(server.stdout.readline())}/api/"
                doomed = type(atlas)(url, atlas.key, atlas.folder, requests.Session())
                accepted = feed_until_killed(doomed, server)
            listed = atlas.ask("GET", "buckets/mine").json()["features"]
            assert accepted <= set(listed)
            for fname in listed:
                assert atlas.ask("GET", f"buckets/mine/{fname}").json()["feature_data"] == MAPPINGS
                assert atlas.ask("DELETE", f"buckets/mine/{fname}", "abc").status_code == 200
        assert not list((tmp_path / "atlas-service" / "scratch").iterdir())


def feed_until_killed(atlas, server):
    """Send features from eight clients, kill the server after some, return the accepted ones."""
    accepted = set()

    def send(i):
        try:
            if atlas.make_feature("mine", f"f{i}", unit="y" * 100_000).status_code == 200:
                accepted.add(f"f{i}")
        except requests.RequestException:
            # Refused, reset, or a reply without its end.
            return
        if i == 20:
            server.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(60)))
    assert accepted
    return accepted


def test_what_a_killed_writer_left_is_removed_before_the_next_write(tmp_path):
    workspace = Workspace(tmp_path / "service")
    left = tmp_path / "service" / "scratch"
    (left / "half").write_bytes(b"x")
    (left / "folder").mkdir()
    (left / "folder" / "_bucket.json").write_bytes(b"{}")
    with workspace.writing():
        assert not list(left.iterdir())
        workspace.put_file(tmp_path / "whole", b"data")
    assert (tmp_path / "whole").read_bytes() == b"data"


def test_a_listing_parses_only_what_changed(tmp_path, monkeypatch):
    parsed = []
    real = descriptions._described
    monkeypatch.setattr(
        descriptions, "_described", lambda feature: parsed.append(feature) or real(feature)
    )
    with atlas_service(tmp_path) as atlas:
        atlas.make_bucket("mine")
        for i in range(5):
            atlas.make_feature("mine", f"f{i}", unit="a")
        assert len(atlas.ask("GET", "buckets/mine").json()["features"]) == 5
        atlas.ask("GET", "buckets/mine")
        atlas.ask("PATCH", "buckets/mine/f3", "abc", json={"feature_data": MAPPINGS, "unit": "b"})
        atlas.ask("DELETE", "buckets/mine/f0", "abc")
        features = atlas.ask("GET", "buckets/mine").json()["features"]
        assert {fname: d["unit"] for fname, d in features.items()} == {
            "f1": "a",
            "f2": "a",
            "f3": "b",
            "f4": "a",
        }
        # What the process wrote itself it need not parse, what another one wrote it must.
        assert not parsed
        by_another = {"feature_data": MAPPINGS, "short_desc": None, "unit": "c"}
        (atlas.folder / "mine" / "f1.json").write_text(json.dumps(by_another))
        features = atlas.ask("GET", "buckets/mine").json()["features"]
        assert features["f1"]["unit"] == "c"
        assert len(parsed) == 1
    # A damaged index is no harm, and another process finds the index of the first one.
    (index,) = (tmp_path / "atlas-service" / "index").iterdir()
    with atlas_service(tmp_path) as atlas:
        atlas.ask("GET", "buckets/mine")
        assert len(parsed) == 1
        index.write_bytes(b"[half")
        assert atlas.ask("GET", "buckets/mine").json()["features"] == features
        assert len(parsed) == 5
