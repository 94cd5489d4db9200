"""The embedded services, started by hand and used as if they were remote."""

import contextlib
import json

import numpy as np
import pytest

from brainpublish.files import read_json
from brainpublish.local.atlas import create_app as create_atlas
from brainpublish.local.bossdb import create_app as create_bossdb
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
from readers import remote_at, voxels
from stacks import STACK, mask_as_read

MARKER = "5ec2e7a11ce"


@contextlib.contextmanager
def remote_services(project, tmp_path):
    """Serve a store on two ports, and point a project's config and environment to them."""
    store = LocalStore(tmp_path / "far away").open()
    secrets = {name: f"{MARKER}{number}" for number, name in enumerate(store.secrets)}
    (tmp_path / "far away" / "secrets.json").write_text(json.dumps(secrets))
    store = store.open()
    with serving(create_bossdb(store)) as bossdb, serving(create_atlas(store)) as atlas:
        project.config["destination"] = "remote"
        project.config["bossdb"] = {"protocol": "http", "host": f"127.0.0.1:{bossdb}"}
        project.config["atlas"] = {"api": f"http://127.0.0.1:{atlas}/api/"}
        project.environment = {
            "BOSSDB_TOKEN": secrets["bossdb_manager"],
            "ATLAS_GLOBAL_KEY": secrets["atlas_global_key"],
            "ATLAS_BUCKET_TOKEN": f"{MARKER}b",
        }
        yield bossdb


def files_with(folder, text: str) -> set[str]:
    """Return the names of all files below a folder that hold a text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if text.encode() in path.read_bytes()}


def test_remote_services_take_what_the_local_ones_take_and_no_secret_is_left(project, tmp_path):
    with remote_services(project, tmp_path) as port:
        run = project.run("--verbose", "--printshellcmds")
        remote = remote_at(port, project.environment["BOSSDB_TOKEN"])
        assert np.array_equal(voxels(remote, "lab/fish/image"), STACK)
        expected = mask_as_read(project.folder, "rock")
        assert np.array_equal(voxels(remote, "lab/fish/rock"), expected)
        assert project.run().nothing_to_do
    assert MARKER not in run.output
    # The official client keeps the token of a bucket in its own file, and only there.
    assert files_with(project.folder, MARKER) <= {"custom_features.json"}
    receipt = read_json(project.result("receipts/bossdb/fish/image.json"))
    assert receipt["destination"] == {"kind": "remote", "host": f"127.0.0.1:{port}"}
    assert receipt["links"]["intern"] == "bossdb://lab/fish/image"
    assert not (project.folder / "local-store").exists()


def test_token_that_is_refused_stops_before_any_work(project, tmp_path):
    with remote_services(project, tmp_path):
        project.environment["BOSSDB_TOKEN"] = f"{MARKER}wrong"
        run = project.run("--verbose", check=False)
    assert run.status != 0
    assert "does not accept the BossDB token (answer 401)" in run.output
    assert MARKER not in run.output
    assert not project.result().exists()


def test_failing_run_leaves_no_secret_either(project, tmp_path):
    with remote_services(project, tmp_path):
        project.environment["ATLAS_GLOBAL_KEY"] = f"{MARKER}wrong"
        run = project.run("--verbose", "--show-failed-logs", check=False)
    assert run.status != 0
    assert "publish_bucket" in run.output
    assert "ATLAS_GLOBAL_KEY" in run.output
    assert MARKER not in run.output
    assert files_with(project.folder, MARKER) <= {"custom_features.json"}


@pytest.mark.parametrize("with_file", [False, True])
def test_missing_token_stops_before_any_work(project, tmp_path, with_file):
    with remote_services(project, tmp_path):
        project.environment = {}
        if with_file:
            intern = project.folder / "home" / ".intern" / "intern.cfg"
            intern.parent.mkdir(parents=True)
            other = "[Default]\nprotocol = https\nhost = api.bossdb.io\ntoken = abc\n"
            intern.write_text(other)
        run = project.run(check=False)
    assert run.status != 0
    for place in ("BOSSDB_TOKEN", "INTERN_TOKEN", "~/.intern/intern.cfg", "ATLAS_GLOBAL_KEY"):
        assert place in run.output
    assert "Traceback" not in run.output
    assert not project.result().exists()


def test_token_is_taken_from_interns_own_file_for_the_same_host(project, tmp_path):
    with remote_services(project, tmp_path) as port:
        token = project.environment.pop("BOSSDB_TOKEN")
        intern = project.folder / "home" / ".intern" / "intern.cfg"
        intern.parent.mkdir(parents=True)
        intern.write_text(f"[Default]\nprotocol = http\nhost = 127.0.0.1:{port}\ntoken = {token}\n")
        project.config["buckets"] = {}
        project.run()
    assert project.result("receipts/bossdb/fish/rock.json").is_file()
