"""What records do not tell of is noticed: what others did, or this folder under other names."""

import copy
import shutil

import numpy as np
import pytest

from project import Project, new_project, whole_config
from readers import bossdb_over, voxels
from stacks import LABELS, STACK

IMAGE = "lab/fish/image"


@pytest.fixture(scope="module")
def with_one_mask(tmp_path_factory):
    """A project whose image and first mask were published. Not to be changed."""
    project = new_project(tmp_path_factory.mktemp("first") / "my project")
    project.config["buckets"] = {}
    del project.config["volumes"]["fish"]["annotations"][1:]
    project.run()
    return project


@pytest.fixture
def project(with_one_mask, tmp_path):
    """A copy of it, whose second mask was not published yet."""
    project = Project(tmp_path / "copy of project", whole_config() | {"buckets": {}})
    shutil.copytree(with_one_mask.folder, project.folder)
    return project


def published(project) -> np.ndarray:
    with bossdb_over(project.folder / "local-store") as remote:
        return voxels(remote, IMAGE)


def test_what_someone_else_wrote_is_replaced_although_the_run_that_noticed_was_killed(project):
    with bossdb_over(project.folder / "local-store") as remote:
        channel = remote.get_channel("image", "lab", "fish")
        remote.create_cutout(channel, 0, [0, 56], [0, 40], [0, 16], np.full_like(STACK[:16], 777))
        remote.update_metadata(channel, {"brainpublish-writer": "someone 1 settled"})
    # As if killed after resources were looked at, and before anything was sent.
    project.run("--until", "create_resources")
    project.run()
    assert np.array_equal(published(project), STACK)
    assert project.run().nothing_to_do


def test_channels_that_are_made_anew_are_filled_when_a_mask_is_added(project):
    shutil.rmtree(project.folder / "local-store")
    project.run()
    assert np.array_equal(published(project), STACK)


def test_records_of_a_volume_do_not_hold_once_another_one_published_to_its_channels(project):
    first = copy.deepcopy(project.config)
    volume = project.config["volumes"].pop("fish")
    volume["annotations"][0]["label"] += 1
    project.config["volumes"]["again"] = volume
    project.run()
    project.config = first
    project.run()
    with bossdb_over(project.folder / "local-store") as remote:
        assert np.array_equal(np.unique(voxels(remote, "lab/fish/bone")), [0, LABELS["bone"]])
    assert project.run().nothing_to_do


def test_settings_that_changed_are_seen_without_what_snakemake_remembers(project):
    annotations = project.config["volumes"]["fish"]["annotations"]
    project.config["volumes"]["fish"]["annotations"] = annotations[:1]
    shutil.rmtree(project.folder / ".snakemake")
    jobs = project.run().jobs
    assert not {"prepare_slab", "upload_slab"} & {*jobs}
    shutil.rmtree(project.folder / ".snakemake")
    annotations[0]["label"] += 1
    project.run()
    with bossdb_over(project.folder / "local-store") as remote:
        assert np.array_equal(np.unique(voxels(remote, "lab/fish/bone")), [0, LABELS["bone"] + 1])
    assert project.run().nothing_to_do
