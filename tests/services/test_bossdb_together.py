"""Several processes over one store, and processes that are killed while they write."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from bossdb_client import Client, running

from brainpublish.local.bossdb import Conditions
from brainpublish.local.store import LocalStore

SCRIPTS = Path(__file__).parents[2] / "scripts"
SERVICE = """
import sys
from brainpublish.local.bossdb import create_app
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
with serving(create_app(LocalStore(sys.argv[1]).open())) as port:
    print(port, flush=True)
    sys.stdin.read()
"""
WRITERS = 16


@contextlib.contextmanager
def service_process(folder: Path):
    """Run a service in a process of its own; yields the process and a port."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
    )
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def client_of(folder: Path, port: int) -> Client:
    return Client(LocalStore(folder).open(), port, Conditions())


def test_two_processes_and_sixteen_writers_lose_no_voxel(tmp_path):
    """Every writer owns every sixteenth column, so that all of them change the same cuboids."""
    folder = tmp_path / "store"
    with service_process(folder) as (_, one), service_process(folder) as (_, other):
        clients = [client_of(folder, port) for port in (one, other) * (WRITERS // 2)]
        clients[0].make_experiment(frame={"x_stop": 700, "y_stop": 30, "z_stop": 20})
        clients[0].make_channel("i")
        clients[0].make_channel("a", "annotation", "uint64")
        columns = np.arange(700) % WRITERS
        for channel, dtype in (("i", np.uint16), ("a", np.uint64)):
            _write_all(clients, channel, dtype, columns)
            expected = np.broadcast_to(columns.astype(dtype) + 1, (20, 30, 700))
            for client in clients[:2]:
                got = client.get(channel, (0, 0, 0), (20, 30, 700), dtype)
                assert np.array_equal(got, expected)


def _write_all(clients, channel, dtype, columns):
    def write(number):
        voxels = np.zeros((10, 30, 700), dtype)
        voxels[:, :, columns == number] = number + 1
        for z in (0, 10):
            assert clients[number].post(channel, (0, 0, z), voxels).status_code == 201

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))


def test_two_processes_create_the_same_thing_once(tmp_path):
    folder = tmp_path / "store"
    with service_process(folder) as (_, one), service_process(folder) as (_, other):
        clients = [client_of(folder, port) for port in (one, other) * 4]

        def create(number):
            name = f"/collection/c{number // len(clients)}"
            return clients[number % len(clients)].call("POST", name, json={}).status_code

        with ThreadPoolExecutor(len(clients)) as threads:
            statuses = list(threads.map(create, range(5 * len(clients))))
    assert sorted(statuses) == [201] * 5 + [400] * (5 * len(clients) - 5)


@pytest.mark.parametrize("dtype", ["uint16", "uint64"])
def test_a_killed_process_leaves_every_cuboid_old_or_new(tmp_path, dtype):
    """Every post fills a cuboid with the next number; 12 are through when the process is killed."""
    folder = tmp_path / "store"
    corners = [(x, 0, z) for x in (0, 512) for z in (0, 16)]
    acknowledged = {corner: 0 for corner in corners}
    enough = threading.Semaphore(0)
    with service_process(folder) as (process, port):
        setup = client_of(folder, port)
        setup.make_experiment(frame={"x_stop": 1024, "y_stop": 200, "z_stop": 32})
        setup.make_channel("v", "image" if dtype == "uint16" else "annotation", dtype)

        def write(corner):
            client = client_of(folder, port)
            for number in range(1, 10_000):
                try:
                    answer = client.post("v", corner, np.full((16, 200, 512), number, dtype))
                except requests.ConnectionError:
                    return
                assert answer.status_code == 201
                acknowledged[corner] = number
                enough.release()

        with ThreadPoolExecutor(len(corners)) as threads:
            writing = [threads.submit(write, corner) for corner in corners]
            for _ in range(12):
                assert enough.acquire(timeout=60)
            os.kill(process.pid, signal.SIGKILL)
        for done in writing:
            done.result()
    with running(folder) as client:
        for corner in corners:
            found = np.unique(client.get("v", corner, (16, 200, 512), dtype)).tolist()
            allowed = ([acknowledged[corner]], [acknowledged[corner] + 1])
            assert found in allowed, corner
        ones = np.full((16, 200, 512), 60_000, dtype)
        assert client.post("v", corners[0], ones).status_code == 201
        assert np.array_equal(client.get("v", corners[0], ones.shape, dtype), ones)


def test_downsampling_outlives_a_killed_process(tmp_path):
    folder = tmp_path / "store"
    with service_process(folder) as (process, port):
        client = client_of(folder, port)
        client.make_experiment(num_hierarchy_levels=4)
        client.make_channel("v")
        ones = np.ones((32, 600, 1100), np.uint16)
        assert client.post("v", (0, 0, 0), ones).status_code == 201
        assert client.call("POST", "/downsample/c/e/v", json={}).status_code == 201
        os.kill(process.pid, signal.SIGKILL)
    with running(folder) as client:
        assert client.wait_for_downsampling("v") == "DOWNSAMPLED"
        assert client.get("v", (0, 0, 0), (32, 75, 138), "uint16", level=3).min() == 1
