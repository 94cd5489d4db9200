"""Killed at random moments, job or service, an upload ends as an undisturbed one does.

KILL_MOMENTS in the environment sets how many moments are tried.
"""

import collections
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from upload_job import CONNECTIONS, EXTENT, run_length_of, stack_of
from uploads import channel_settings, service_over

from brainpublish.bossdb.channels import ChannelPlan
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.ledger import DOUBT, SlabLedger
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.local.faults import Delay
from brainpublish.local.store import LocalStore

MOMENTS = int(os.environ.get("KILL_MOMENTS", "5"))
HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
BOXES = list(cuboids_of(EXTENT, range(EXTENT[0])))


def started(host: str, token: str, folder: Path, version: int) -> subprocess.Popen:
    """Begin an upload in a process of its own; it has opened its ledger on return."""
    paths = os.pathsep.join([str(ROOT / "scripts"), str(HERE)])
    job = subprocess.Popen(
        [sys.executable, str(HERE / "upload_job.py"), host, token, str(folder), str(version)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout.readline() == "begun\n", job.communicate()[1]
    return job


def ended_well(job: subprocess.Popen) -> None:
    _, told = job.communicate(timeout=120)
    assert job.returncode == 0, told


def in_doubt(service, folder) -> int:
    marker = service.client.get_json("meta/lab/fish/image/", params={"key": "brainpublish"})
    with SlabLedger(folder, BOXES, marker["value"]) as ledger:
        entries = [ledger.entry_of(box) for box in BOXES]
    return sum(entry is not None and entry.digest == DOUBT for entry in entries)


def cuboids_in(path: str) -> list[tuple[str, int]]:
    """Return which cuboids a request wrote: column of the grid, and first slice."""
    *_, x, y, z, _ = path.split("/")
    first, end = map(int, z.split(":"))
    return [(f"{x}/{y}", start) for start in range(first, end, 16)]


def test_job_killed_at_random_moments_sends_again_only_what_was_in_flight(tmp_path):
    dice = random.Random(1)
    with service_over(tmp_path) as service:
        plan = service.plan(extent=EXTENT)
        service.ensure(plan)
        folder = service.ledgers(plan.name)
        service.faults.add(Delay(path="/v1/cutout", seconds=0.03))
        arguments = (service.client.endpoint.host, service.client.endpoint.token, folder)
        for version in range(MOMENTS):
            service.faults.forget()
            job = started(*arguments, version)
            time.sleep(dice.uniform(0, 0.8))
            job.kill()
            job.communicate()
            in_flight = CONNECTIONS * run_length_of(version)
            assert in_doubt(service, folder) <= in_flight
            ended_well(started(*arguments, version))
            assert np.array_equal(service.read(plan), stack_of(version))
            posts = collections.Counter(
                cuboid
                for method, path in service.writes()
                if method == "POST"
                for cuboid in cuboids_in(path)
            )
            assert sum(posts.values()) - len(posts) <= in_flight


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_job_that_is_told_to_end_does_so_within_seconds(tmp_path, number):
    with service_over(tmp_path) as service:
        plan = service.plan(extent=EXTENT)
        service.ensure(plan)
        folder = service.ledgers(plan.name)
        # A server that hangs: requests under way never end.
        service.faults.add(Delay(path="/v1/cutout", seconds=600, skip=4))
        arguments = (service.client.endpoint.host, service.client.endpoint.token, folder)
        job = started(*arguments, 0)
        time.sleep(1)
        begun = time.monotonic()
        job.send_signal(number)
        _, told = job.communicate(timeout=60)
        assert time.monotonic() - begun < 15
        assert job.returncode != 0
        assert f"Stopped by {number.name}" in told
        service.faults.clear()
        assert in_doubt(service, folder) <= CONNECTIONS
        ended_well(started(*arguments, 0))
        assert np.array_equal(service.read(plan), stack_of(0))


@contextlib.contextmanager
def serving_process(store: Path, port: int):
    """Run the embedded services in a process of their own, which may be killed."""
    command = [sys.executable, "-m", "brainpublish.cli", "serve", "--store", str(store)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout:
            if line.startswith("Ready"):
                break
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_service_killed_at_random_moments_is_waited_for(tmp_path):
    dice, port = random.Random(2), free_port()
    store = tmp_path / "store"
    token = LocalStore(store).open().secrets["bossdb_manager"]
    endpoint = Endpoint("remote", "http", f"127.0.0.1:{port}", "here", token)
    folder = tmp_path / "ledger"
    with serving_process(store, port), BossdbClient(endpoint) as client:
        plan = ChannelPlan(channel_settings(), EXTENT)
        ensure_resources(client, [plan], lambda name: folder)
    for version in range(max(2, MOMENTS // 2)):
        stack = stack_of(version)
        with serving_process(store, port) as service:
            job = started(endpoint.host, token, folder, version)
            time.sleep(dice.uniform(0, 0.5))
            service.kill()
            service.wait()
        with serving_process(store, port), BossdbClient(endpoint) as client:
            ended_well(job)
            for box in BOXES:
                there = client.unpacked(client.get_body(plan.name, box), box, "uint16")
                assert np.array_equal(there, stack[box.slices])
