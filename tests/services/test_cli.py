"""The command `brainpublish serve`, as a process of its own."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from brainpublish.files import read_json

SCRIPTS = Path(__file__).parents[2] / "scripts"


@contextlib.contextmanager
def served(folder, *options):
    """Run the command in `folder`; yields the process and what it printed until it was ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "brainpublish.cli", "serve", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ready"):
                break
        yield process, "".join(lines)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def port_in(text):
    return int(re.search(r"http://127\.0\.0\.1:(\d+)/v1/", text).group(1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_both_services_and_stops_cleanly(tmp_path, number):
    with served(tmp_path, "--store", "store", "--port", "0") as (process, text):
        port, secrets = port_in(text), read_json(tmp_path / "store" / "secrets.json")
        url = f"http://127.0.0.1:{port}"
        manager = {"Authorization": f"Token {secrets['bossdb_manager']}"}
        assert requests.get(f"{url}/v1/collection/", headers=manager, timeout=30).json() == {
            "collections": []
        }
        bucket = {"uuid": "mine", "metadata": {"token": "abc"}}
        key = {"Authorization": f"Bearer {secrets['atlas_global_key']}"}
        for address in ("api/buckets", "buckets"):
            status = requests.post(
                f"{url}/{address}", json=bucket, headers=key, timeout=30
            ).status_code
            assert status == (200 if address == "api/buckets" else 409)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
        assert (process.returncode, rest, errors) == (0, "Stopped.\n", "")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_prints_what_other_tools_need_and_keeps_it_private(tmp_path):
    with served(tmp_path, "--port", "0") as (_, text):
        port, store = port_in(text), tmp_path / "local-store"
        secrets = read_json(store / "secrets.json")
        config = store / "home" / ".intern" / "intern.cfg"
        assert config.read_text() == (
            "[Default]\nprotocol = http\n"
            f"host = 127.0.0.1:{port}\ntoken = {secrets['bossdb_manager']}\n"
        )
        assert config.read_text() in text
        assert str(config) in text
        assert str(store / "secrets.json") in text
        assert f"export BOSSDB_TOKEN={secrets['bossdb_manager']}\n" in text
        assert f"export ATLAS_GLOBAL_KEY={secrets['atlas_global_key']}\n" in text
        parameters = store / "home" / ".ibl" / "custom_features.json"
        for private in (config, parameters, store / "secrets.json"):
            assert stat.S_IMODE(private.stat().st_mode) == 0o600
    # The client keeps bucket tokens here.
    parameters.write_text('{"buckets": {"b": {"token": "t"}}, "global_key": "k"}')
    with served(tmp_path, "--port", "0"):
        assert read_json(parameters)["buckets"] == {"b": {"token": "t"}}


def test_only_this_machine_can_reach_it_unless_that_is_asked_for(tmp_path):
    # 127.0.0.2 is this machine too, but not the address that is listened on.
    with served(tmp_path, "--port", "0") as (_, text):
        assert "network" not in text
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port_in(text)), timeout=10)
    with served(tmp_path, "--port", "0", "--open-to-network") as (_, text):
        assert "anybody who can reach this machine" in text
        socket.create_connection(("127.0.0.2", port_in(text)), timeout=10).close()


def test_faults_need_the_option_and_the_manager(tmp_path):
    with served(tmp_path, "--port", "0") as (_, text):
        url = f"http://127.0.0.1:{port_in(text)}"
        assert requests.get(f"{url}/_faults", timeout=30).status_code == 404
    with served(tmp_path, "--port", "0", "--faults") as (_, text):
        url = f"http://127.0.0.1:{port_in(text)}"
        token = read_json(tmp_path / "local-store" / "secrets.json")["bossdb_manager"]
        manager = {"Authorization": f"Token {token}"}
        assert requests.get(f"{url}/_faults", timeout=30).status_code == 401
        fault = {"kind": "answer", "status": 429, "times": 1, "path": "/v1/collection"}
        requests.post(f"{url}/_faults", json=fault, headers=manager, timeout=30)
        statuses = [
            requests.get(f"{url}/v1/collection/", headers=manager, timeout=30).status_code
            for _ in range(2)
        ]
        assert statuses == [429, 200]
        reply = requests.post(
            f"{url}/_conditions", json={"flush_delay": 0.5}, headers=manager, timeout=30
        )
        assert reply.json()["flush_delay"] == 0.5


@pytest.mark.parametrize("case", ["port taken", "store is a file"])
def test_what_cannot_be_served_is_said_in_a_sentence(tmp_path, case):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1]) if case == "port taken" else "0"
        if case == "store is a file":
            (tmp_path / "local-store").write_text("")
        process = subprocess.run(
            [sys.executable, "-m", "brainpublish.cli", "serve", "--port", port],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert process.returncode == 1
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    assert ("Choose another port" if case == "port taken" else "as a store") in process.stderr
