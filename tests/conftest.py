"""A small project to publish, and one that was published already."""

import shutil

import pytest
from hypothesis import settings

from project import Project, new_project, whole_config

# How long an example takes says nothing but how busy the machine is.
settings.register_profile("here", deadline=None)
settings.load_profile("here")


def pytest_collection_modifyitems(items):
    """Begin with the longest files, so that two processes end at about the same time."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture
def project(tmp_path) -> Project:
    """A project that was never run, in a folder whose name has a blank."""
    return new_project(tmp_path / "my project")


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A project after its first run, and that run. Not to be changed."""
    project = new_project(tmp_path_factory.mktemp("first") / "my project")
    return project, project.run()


@pytest.fixture
def published(first_run, tmp_path) -> Project:
    """A copy of the published project, with all times kept, free to change."""
    folder = tmp_path / "copy of project"
    shutil.copytree(first_run[0].folder, folder)
    return Project(folder, whole_config())
