"""What reruns ask of the server, counted on the server's side, and how a person is told."""

import contextlib
import copy
import re
import shutil

import numpy as np
import pytest

from brainpublish.files import read_json
from brainpublish.local.bossdb import create_app
from brainpublish.local.faults import Answer, Delay, Faults
from brainpublish.local.serve import serving
from brainpublish.local.store import LocalStore
from project import Project, new_project
from readers import remote_at, voxels
from stacks import LABELS, MASKS, STACK, phantom, write_jp2_stack, write_mask_stack

WRITING = ("POST", "PUT", "DELETE", "PATCH")


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A project that was published to a service, which had its port and its folder for that."""
    folder = tmp_path_factory.mktemp("sent")
    project, store = new_project(folder / "my project"), LocalStore(folder / "far away").open()
    faults = Faults(create_app(store))
    with serving(faults) as port:
        project.config["buckets"] = {}
        project.config["destination"] = "remote"
        project.config["bossdb"] = {
            "protocol": "http",
            "host": f"127.0.0.1:{port}",
            "connections": 3,
        }
        project.environment = {"BOSSDB_TOKEN": store.secrets["bossdb_manager"]}
        project.run()
        assert faults.counts.most_in_flight <= 3
    return project, port, folder


@pytest.fixture
def counted(sent, tmp_path):
    """A copy of that project and of its service, whose book of requests is at hand."""
    with copied(sent, tmp_path) as found:
        yield found


@pytest.fixture
def emptied(sent, tmp_path):
    """The same with a service that lost all that it held."""
    with copied(sent, tmp_path, lost=("bossdb",)) as found:
        yield found


@contextlib.contextmanager
def copied(sent, tmp_path, lost=()):
    project, port, folder = sent
    again = Project(tmp_path / "my project", copy.deepcopy(project.config), project.environment)
    shutil.copytree(project.folder, again.folder)
    left_out = shutil.ignore_patterns(*lost)
    shutil.copytree(folder / "far away", tmp_path / "far away", ignore=left_out)
    faults = Faults(create_app(LocalStore(tmp_path / "far away").open()))
    with serving(faults, port):
        yield again, faults, port


def writes(faults) -> list[str]:
    return [f"{r.method} {r.path}" for r in faults.requests if r.method in WRITING]


def change_slice(project, z: int) -> np.ndarray:
    """Replace one slice by one with a hole, and return the stack as it is then."""
    changed = STACK.copy()
    changed[z, 5:30, 5:30] = 0
    write_jp2_stack(project.folder / "new", changed)
    name = f"z{z + 1}.jp2"
    (project.folder / "new" / name).replace(project.folder / "raw data" / "image" / name)
    return changed


def voxels_there(project, port, name="lab/fish/image") -> np.ndarray:
    return voxels(remote_at(port, project.environment["BOSSDB_TOKEN"]), name)


def test_nothing_changed_or_only_touched_asks_nothing(counted):
    project, faults, _ = counted
    assert project.run().nothing_to_do
    for path in (project.folder / "raw data").rglob("*.*"):
        path.touch()
    assert project.run().nothing_to_do
    assert faults.requests == []


def test_forced_uploads_write_nothing(counted):
    project, faults, _ = counted
    run = project.run("--forcerun", "upload_slab")
    assert writes(faults) == []
    assert "lab/fish/image, slab 1 of 2: 1 kept; 1 of 1 verified" in run.output
    assert read_json(project.result("receipts/bossdb/fish/image.json"))["cuboids"]["kept"] == 2


def test_slow_run_tells_how_much_of_all_is_done(counted):
    project, faults, _ = counted
    # One slab of six waits past the first moment at which the whole run is told of.
    faults.add(Delay(path="/v1/meta/lab/fish/rock/", times=1, seconds=15))
    run = project.run("--forcerun", "upload_slab")
    assert re.search(r"^So far \d of 6 slabs sent \(\d+%\)", run.output, re.M)


def test_config_of_another_channel_writes_to_that_one_alone(counted):
    project, faults, _ = counted
    project.config["volumes"]["fish"]["annotations"][1]["label"] = 11
    project.run()
    touched = {text.split("/cutout/")[1] for text in writes(faults) if "/cutout/" in text}
    assert touched
    assert all("lab/fish/rock" in path for path in touched)


def test_one_slice_changed_writes_its_cuboid_alone(counted):
    project, faults, port = counted
    changed = change_slice(project, 17)
    project.run()
    box = "lab/fish/image/0/0:56/0:40/16:18/"
    cutouts = [text for text in writes(faults) if "/cutout/" in text]
    assert cutouts == [f"PUT /v1/cutout/to_black/{box}", f"POST /v1/cutout/{box}"]
    assert np.array_equal(voxels_there(project, port), changed)


def test_appended_slab_is_refused_with_the_reason_and_the_way_out(counted):
    project, faults, _ = counted
    longer = phantom(34, 40, 56)
    write_jp2_stack(project.folder / "raw data" / "image", longer)
    for name in ("bone", "rock"):
        write_mask_stack(project.folder / "raw data" / name, longer > 1000)
    run = project.run(check=False)
    assert run.status != 0
    assert "z_stop is 18 there, 34 here" in run.output
    assert "publish under the name of a new experiment" in run.output
    assert writes(faults) == []


def test_channel_made_anew_behind_the_ledger_never_gets_a_false_receipt(counted):
    project, _, port = counted
    remote = remote_at(port, project.environment["BOSSDB_TOKEN"])
    channel = remote.get_channel("image", "lab", "fish")
    remote.delete_metadata(channel, ["brainpublish"])
    changed = change_slice(project, 17)
    run = project.run(check=False)
    assert run.status != 0
    assert "was made anew, or written to from elsewhere, since 1 of its 2 slabs" in run.output
    project.run()
    assert np.array_equal(voxels_there(project, port), changed)


def test_channels_that_vanished_are_made_and_filled_by_the_same_command(emptied):
    project, _, port = emptied
    remote = remote_at(port, project.environment["BOSSDB_TOKEN"])
    changed = change_slice(project, 17)
    run = project.run(check=False)
    assert run.status != 0
    assert "lab/fish/image is not on" in run.output
    project.run()
    assert np.array_equal(voxels_there(project, port), changed)
    bone = voxels(remote, "lab/fish/bone")
    assert np.array_equal(bone, np.where(MASKS["bone"], LABELS["bone"], 0))
    assert project.run().nothing_to_do


def test_quota_stops_in_plain_words_and_the_same_command_goes_on(counted):
    project, faults, port = counted
    for annotation in project.config["volumes"]["fish"]["annotations"]:
        annotation["label"] = 12
    faults.add(Answer(method="POST", path="/v1/cutout", skip=1, status=429))
    run = project.run(check=False)
    assert run.status != 0
    assert "a quota is reached (answer 429)" in run.output
    # Two jobs upload at once; what begins after them does not ask.
    assert 1 <= sum(request.status == 429 for request in faults.requests) <= 2
    assert "Not sent: another job of this run met answer 429" in run.output
    assert re.search(r"^So far 4 of 4 slabs decoded \(100%\), \d of 4 slabs sent", run.output, re.M)
    assert "Traceback" not in run.output
    # The receipt of the channel that was written to is gone; one that was not asked for holds.
    receipts = [project.result(f"receipts/bossdb/fish/{name}.json") for name in ("bone", "rock")]
    assert not all(path.exists() for path in receipts)
    faults.clear()
    project.run()
    assert all(path.exists() for path in receipts)
    for name in ("bone", "rock"):
        assert set(np.unique(voxels_there(project, port, f"lab/fish/{name}"))) == {0, 12}
