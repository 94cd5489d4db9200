"""What happened on the server behind a folder's back is noticed when resources are looked at."""

import shutil

import numpy as np
import pytest

from project import new_project
from readers import bossdb_over, voxels
from stacks import STACK

IMAGE = "lab/fish/image"


@pytest.fixture
def project(tmp_path):
    """A folder whose image and first mask were published, and whose second mask was not."""
    project = new_project(tmp_path)
    project.config["buckets"] = {}
    annotations = project.config["volumes"]["fish"]["annotations"]
    project.config["volumes"]["fish"]["annotations"] = annotations[:1]
    project.run()
    project.config["volumes"]["fish"]["annotations"] = annotations
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
