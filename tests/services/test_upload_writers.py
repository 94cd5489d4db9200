"""Two copies of one working folder publish to one channel: each notices what the other one did."""

import dataclasses
import shutil
import threading
import time

import numpy as np
import pytest
from uploads import EXTENT, FULL, NONE, channel_settings, service_over

from brainpublish.bossdb import client as client_module
from brainpublish.bossdb import writers
from brainpublish.bossdb.after import downsample_once, wait_for_downsample
from brainpublish.bossdb.channels import require_channel
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.ledger import forget_downsample
from brainpublish.bossdb.writers import SETTLED, WRITER_KEY, announce, read_mark, settle
from brainpublish.findings import Refusal
from brainpublish.local.bossdb.pending import LOOK_SECONDS
from brainpublish.local.bossdb.pyramid import Pyramids
from brainpublish.local.faults import Answer
from brainpublish.runs import VARIABLE

ONES = np.ones(EXTENT, np.uint8)
TWOS = 2 * ONES
PLAN = channel_settings()


@pytest.fixture
def publish(monkeypatch):
    """Bring a stack to the channel as a run of that id does."""

    def publish(service, run: str, stack):
        monkeypatch.setenv(VARIABLE, run)
        plan = service.plan()
        service.ensure(plan)
        service.client.before_writing(
            lambda: announce(service.client, plan.name, service.ledgers(plan.name))
        )
        counts = service.upload(plan, stack)
        settle(service.client, plan.name, service.ledgers(plan.name))
        return counts

    return publish


@pytest.fixture
def folder(tmp_path, publish):
    """A folder that published ones."""
    with service_over(tmp_path / "one") as service:
        publish(service, "first", ONES)
        yield service


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of that folder, for the same service."""
    shutil.copytree(folder.folder / "ledger", tmp_path / "two" / "ledger")
    return dataclasses.replace(folder, folder=tmp_path / "two")


def test_what_a_copy_wrote_is_noticed_and_sent_again(folder, copy, publish):
    assert publish(copy, "second", TWOS).sent == 8
    assert publish(folder, "third", ONES).sent == 8
    assert np.array_equal(folder.read(folder.plan()), ONES)
    # Nobody else wrote since: the ledger is believed, and nothing is written.
    folder.faults.forget()
    assert publish(folder, "fourth", ONES).kept == 8
    assert folder.writes() == []
    assert not [r for r in folder.requests if "/cutout/" in r.path]


def test_copy_that_finds_all_as_it_should_be_is_noticed_all_the_same(folder, copy, publish):
    publish(copy, "second", TWOS)
    assert publish(folder, "third", TWOS).kept == 8
    # The copy does not know that the other one only looked.
    assert publish(copy, "fourth", TWOS).kept == 8
    assert publish(copy, "fifth", ONES).sent == 8
    assert np.array_equal(folder.read(folder.plan()), ONES)


def test_writer_that_comes_between_is_not_written_over(folder, copy, publish, monkeypatch):
    plan = folder.plan()
    monkeypatch.setenv(VARIABLE, "second")
    require_channel(folder.client, plan, folder.ledgers(plan.name))
    publish(copy, "third", TWOS)
    monkeypatch.setenv(VARIABLE, "second")
    with pytest.raises(Refusal, match="Something else began to write to lab/fish/image"):
        announce(folder.client, plan.name, folder.ledgers(plan.name))
    assert read_mark(folder.client, plan.name, WRITER_KEY) == f"third 1{SETTLED}"


def test_channel_does_not_say_that_all_was_read_back_while_it_is_written_to(
    folder, publish, monkeypatch
):
    post, said = BossdbClient.post_body, set()

    def watched(*arguments):
        post(*arguments)
        said.add(read_mark(folder.client, folder.plan().name, WRITER_KEY))

    monkeypatch.setattr(BossdbClient, "post_body", watched)
    for stack in (TWOS, ONES):
        publish(folder, "second", stack)
    assert said == {"second 1", "second 2"}
    assert read_mark(folder.client, folder.plan().name, WRITER_KEY) == f"second 2{SETTLED}"


def test_downsampling_under_way_is_begun_anew_only_once_something_was_written(
    folder, publish, monkeypatch
):
    monkeypatch.setattr(Pyramids, "_work", lambda pyramids: None)
    plan = folder.plan()
    ledgers = folder.ledgers(plan.name)

    def written() -> list[str]:
        return [method for method, path in folder.writes() if "downsample" in path]

    def asked() -> list[str]:
        folder.faults.forget()
        lineage = require_channel(folder.client, plan, ledgers)
        state = downsample_once(folder.client, plan.name, "uint16", ledgers, lineage)
        assert state == {"status": "QUEUED"}
        return written()

    assert asked() == ["POST"]
    assert asked() == []
    assert publish(folder, "second", ONES).kept == 8
    assert asked() == []
    publish(folder, "third", TWOS)
    # It ended before voxels changed beneath it.
    assert written() == ["DELETE"]
    assert asked() == ["POST"]
    forget_downsample(ledgers)
    assert asked() == ["DELETE", "POST"]


@pytest.mark.parametrize("may_stop", [True, False])
def test_no_downsampling_of_mixed_voxels_is_taken_for_that_of_the_last(
    folder, publish, monkeypatch, may_stop
):
    plan = folder.plan()
    ledgers = folder.ledgers(plan.name)
    state = f"downsample/{plan.name}/"
    build, begun, go_on = Pyramids._build, threading.Event(), threading.Event()

    def slow(pyramids, job, target, done):
        build(pyramids, job, target, done)
        begun.set()
        assert go_on.wait(20)

    def downsampled() -> dict:
        lineage = require_channel(folder.client, plan, ledgers)
        return downsample_once(folder.client, plan.name, "uint16", ledgers, lineage)

    monkeypatch.setattr(Pyramids, "_build", slow)
    downsampled()
    assert begun.wait(20)
    if not may_stop:
        folder.faults.add(Answer(method="DELETE", path=f"/v1/{state}", status=403))
    publish(folder, "second", TWOS)
    begun.clear()
    go_on.set()
    if not may_stop:
        # It goes on beneath the writes, and ends before it is asked for anew.
        started = {"status": "IN_PROGRESS"}
        ended = wait_for_downsample(folder.client, plan.name, started, 20)
        assert ended == {"status": "DOWNSAMPLED"}
    folder.faults.clear()
    ended = wait_for_downsample(folder.client, plan.name, downsampled(), 20)
    assert ended == {"status": "DOWNSAMPLED"}
    assert begun.is_set()
    assert np.array_equal(folder.read(plan), TWOS)
    folder.faults.forget()
    assert downsampled() == ended
    assert folder.writes() == []


@pytest.mark.parametrize("verify", [FULL, NONE])
@pytest.mark.parametrize("corrected", [True, False])
def test_copy_of_a_folder_that_went_on_is_seen_to_be_old(
    folder, copy, monkeypatch, corrected, verify
):
    monkeypatch.setattr(client_module, "ANNOUNCE_SECONDS", 0)
    monkeypatch.setattr(writers, "ANNOUNCE_SECONDS", 0)
    plan = folder.plan()

    def upload(service, run, stack, z=None):
        monkeypatch.setenv(VARIABLE, run)
        service.ensure(plan)
        ledgers = service.ledgers(plan.name)
        service.client.before_writing(lambda: announce(service.client, plan.name, ledgers))
        return service.upload(plan, stack, verify, z=z)

    upload(folder, "second", TWOS, z=range(16))
    shutil.rmtree(copy.folder)
    shutil.copytree(folder.folder / "ledger", copy.folder / "ledger")
    upload(folder, "second", TWOS, z=range(16, 20))
    last = TWOS.copy()
    if corrected:
        last[16:] = ONES[16:]
    else:
        last[17:19, 100:300, 100:300] = 0
    upload(copy, "third", last)
    assert np.array_equal(folder.read(plan), last)


def test_lost_part_of_a_ledger_does_not_hide_a_black_that_is_not_stored_yet(
    folder, publish, monkeypatch
):
    plan = folder.plan()
    folder.conditions.flush_delay = 60
    holed = ONES.copy()
    holed[2:9, 5:30, 5:30] = 0
    with monkeypatch.context() as patch:
        patch.setattr(BossdbClient, "post_body", _killed)
        with pytest.raises(KeyboardInterrupt):
            publish(folder, "second", holed)
    assert any("to_black" in path for _, path in folder.writes())
    folder.client.stopping.clear()
    (folder.ledgers(plan.name) / "z000000.jsonl").unlink()
    post = BossdbClient.post_body

    def stored_from_now_on(*arguments):
        post(*arguments)
        folder.conditions.flush_delay = 0

    monkeypatch.setattr(BossdbClient, "post_body", stored_from_now_on)
    publish(folder, "third", ONES)
    time.sleep(3 * LOOK_SECONDS)
    assert np.array_equal(folder.read(plan), ONES)


def test_folder_that_writes_sees_that_another_one_began_to(folder, publish, monkeypatch):
    monkeypatch.setattr(client_module, "ANNOUNCE_SECONDS", 0)
    post, posts = BossdbClient.post_body, []

    def overtaken(*arguments):
        post(*arguments)
        posts.append(arguments)
        writers.write_mark(folder.client, folder.plan().name, WRITER_KEY, "third", "second")

    monkeypatch.setattr(BossdbClient, "post_body", overtaken)
    with pytest.raises(Refusal, match="Something else began to write to lab/fish/image"):
        publish(folder, "second", TWOS)
    # Those that were under way when the other one came.
    assert len(posts) <= folder.client.connections


@pytest.mark.parametrize("written", [False, True])
def test_killed_while_becoming_the_last_writer(folder, publish, monkeypatch, written):
    write_mark = writers.write_mark

    def killed(*arguments):
        if written:
            write_mark(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(writers, "write_mark", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(folder, "second", TWOS)
    monkeypatch.setattr(writers, "write_mark", write_mark)
    folder.client.stopping.clear()
    folder.faults.forget()
    publish(folder, "third", TWOS)
    # Its own ledger is still believed: nothing is read before it is written.
    first = next(r for r in folder.requests if "/cutout/" in r.path)
    assert first.method == "POST" or "to_black" in first.path
    assert np.array_equal(folder.read(folder.plan()), TWOS)


def test_server_that_was_set_back_to_an_older_state_is_noticed(folder, publish):
    name = folder.plan().name
    publish(folder, "second", TWOS)
    params = {"key": WRITER_KEY, "value": f"first{SETTLED}"}
    folder.client.request("PUT", f"meta/{name}/", (200,), params=params)
    folder.faults.forget()
    assert publish(folder, "third", TWOS).kept == 8
    assert sum(r.method == "GET" and "/cutout/" in r.path for r in folder.requests) == 8


@pytest.mark.parametrize("ledger", ["of another folder", "lost"])
def test_black_that_is_not_stored_yet_when_it_is_read_is_no_proof(
    folder, copy, publish, monkeypatch, ledger
):
    folder.conditions.flush_delay = 60
    holed = ONES.copy()
    holed[:, 5:30, 5:30] = 0
    with monkeypatch.context() as patch:
        patch.setattr(BossdbClient, "post_body", _killed)
        with pytest.raises(KeyboardInterrupt):
            publish(copy, "second", holed)
    assert any("to_black" in path for _, path in folder.writes())
    folder.client.stopping.clear()
    if ledger == "lost":
        shutil.rmtree(copy.folder)
    again = copy if ledger == "lost" else folder
    post = BossdbClient.post_body

    def stored_from_now_on(*arguments):
        folder.conditions.flush_delay = 0
        post(*arguments)

    monkeypatch.setattr(BossdbClient, "post_body", stored_from_now_on)
    publish(again, "third", ONES)
    folder.conditions.flush_delay = 0
    time.sleep(2 * LOOK_SECONDS)
    assert np.array_equal(folder.read(folder.plan()), ONES)


def _killed(*_):
    raise KeyboardInterrupt
