"""Two copies of one working folder publish to one channel: each notices what the other one did."""

import dataclasses
import shutil
import time

import numpy as np
import pytest
from uploads import EXTENT, channel_settings, service_over

from brainpublish.bossdb import channels
from brainpublish.bossdb import client as client_module
from brainpublish.bossdb.after import downsample_once
from brainpublish.bossdb.channels import (
    SETTLED,
    WRITER_KEY,
    announce,
    read_mark,
    require_channel,
    settle,
)
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.ledger import forget_downsample
from brainpublish.findings import Refusal
from brainpublish.local.bossdb.pending import LOOK_SECONDS
from brainpublish.local.bossdb.pyramid import Pyramids
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
    assert read_mark(folder.client, plan.name, WRITER_KEY) == f"third{SETTLED}"


def test_downsampling_under_way_is_begun_anew_only_once_something_was_written(
    folder, publish, monkeypatch
):
    monkeypatch.setattr(Pyramids, "_work", lambda pyramids: None)
    plan = folder.plan()
    ledgers = folder.ledgers(plan.name)

    def asked() -> list[str]:
        folder.faults.forget()
        lineage = require_channel(folder.client, plan, ledgers)
        state = downsample_once(folder.client, plan.name, ledgers, lineage)
        assert state == {"status": "QUEUED"}
        return [method for method, path in folder.writes() if "downsample" in path]

    assert asked() == ["POST"]
    assert asked() == []
    assert publish(folder, "second", ONES).kept == 8
    assert asked() == []
    publish(folder, "third", TWOS)
    assert asked() == ["DELETE", "POST"]
    forget_downsample(ledgers)
    assert asked() == ["DELETE", "POST"]


def test_folder_that_writes_sees_that_another_one_began_to(folder, publish, monkeypatch):
    monkeypatch.setattr(client_module, "ANNOUNCE_SECONDS", 0)
    post, posts = BossdbClient.post_body, []

    def overtaken(*arguments):
        post(*arguments)
        posts.append(arguments)
        channels.write_mark(folder.client, folder.plan().name, WRITER_KEY, "third", "second")

    monkeypatch.setattr(BossdbClient, "post_body", overtaken)
    with pytest.raises(Refusal, match="Something else began to write to lab/fish/image"):
        publish(folder, "second", TWOS)
    # Those that were under way when the other one came.
    assert len(posts) <= folder.client.connections


@pytest.mark.parametrize("written", [False, True])
def test_killed_while_becoming_the_last_writer(folder, publish, monkeypatch, written):
    write_mark = channels.write_mark

    def killed(*arguments):
        if written:
            write_mark(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(channels, "write_mark", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(folder, "second", TWOS)
    monkeypatch.setattr(channels, "write_mark", write_mark)
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
