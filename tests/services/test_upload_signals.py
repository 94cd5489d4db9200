"""Jobs that are told to end while a server hangs do so within seconds, whatever they wait for."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

JOB = """
import sys
from pathlib import Path

from brainpublish.bossdb.channels import ChannelPlan, require_channel
from brainpublish.bossdb.connect import connected
from brainpublish.bossdb.resources import ensure_resources
from brainpublish.joblog import job_log
from uploads import EXTENT, channel_settings

host, what = sys.argv[1:]
plan = ChannelPlan(channel_settings(), EXTENT)
destination = {"kind": "remote", "protocol": "http", "host": host}
with job_log("job.log"), connected(destination, 2) as client:
    print("at work", file=sys.__stdout__, flush=True)
    if what == "look":
        require_channel(client, plan, Path("ledger"))
    elif what == "make":
        ensure_resources(client, [plan], Path)
    else:
        client.check_token()
"""


@pytest.fixture
def silent():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("what", ["look", "make", "ask"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_job_that_waits_for_a_silent_server_ends_soon(tmp_path, silent, what, number):
    paths = [path for path in sys.path if path.endswith(("scripts", "services", "tests"))]
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, silent, what],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(paths), "BOSSDB_TOKEN": "t"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout.readline() == "at work\n"
    # The requests are on their way.
    time.sleep(0.5)
    job.send_signal(number)
    _, said = job.communicate(timeout=30)
    assert job.returncode == 1
    assert f"Stopped by {number.name}" in said
    assert "Traceback" not in said
