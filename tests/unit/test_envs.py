"""The conda environments: the versions of the lock file, and all that their rules import."""

import importlib.metadata
import re
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
ENVS = sorted((ROOT / "envs").glob("*.yaml"))
PYTHON = "3.12"
CARRIED_ALONG = {"iblutil": "iblatlas"}  # imported, but a part of what the other one needs


def locked_versions():
    """Return package -> version in the lock file for Linux and the environments' Python."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    machine = default_environment() | {
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(machine)
    }


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pip_lines(path):
    (section,) = (each for each in load(path)["dependencies"] if isinstance(each, dict))
    assert [*section] == ["pip"]
    return section["pip"]


def rules():
    """Yield (environment file, script) of every rule."""
    for file in sorted((ROOT / "rules").glob("*.smk")):
        text = file.read_text(encoding="utf-8")
        for block in re.split(r"^(?=rule |checkpoint )", text, flags=re.MULTILINE):
            paths = dict(re.findall(r'^    (conda|script):\n        "\.\./([^"]+)"', block, re.M))
            if "script" in paths:
                name = block.split(":")[0]
                yield pytest.param(ROOT / paths["conda"], ROOT / paths["script"], id=name)


def imported_packages(script):
    """Return the distributions that a script and all modules it leads to import."""
    finder = ModuleFinder(path=[str(ROOT / "scripts")])
    finder.run_script(str(script))
    elsewhere = {name.partition(".")[0] for name in finder.badmodules}
    owners = importlib.metadata.packages_distributions()
    found = elsewhere - {*sys.stdlib_module_names, "brainpublish"}
    return {canonicalize_name(owners[module][0]) for module in found}


def test_there_is_an_environment_for_each_kind_of_rule():
    assert [path.name for path in ENVS] == ["features.yaml", "publish.yaml", "volumes.yaml"]
    assert {parameters.values[0] for parameters in rules()} == {*ENVS}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_python_comes_from_conda_forge_alone_and_is_pinned(path):
    environment = load(path)
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    conda = [each for each in environment["dependencies"] if isinstance(each, str)]
    assert conda == [f"python={PYTHON}", "pip"]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_every_pin_is_the_version_of_the_lock_file(path):
    lines, locked = pip_lines(path), locked_versions()
    assert lines == sorted(lines)
    for line in lines:
        name, _, version = line.partition("==")
        assert version == locked[canonicalize_name(name)], line


def test_the_lock_file_is_read_for_the_right_python():
    locked = locked_versions()
    assert len(locked) > 80
    assert "colorama" not in locked, "it is for Windows alone"
    assert "intern" in locked


@pytest.mark.parametrize(("environment", "script"), list(rules()))
def test_an_environment_has_all_that_the_code_of_its_rules_imports(environment, script):
    pinned = {canonicalize_name(line.partition("==")[0]) for line in pip_lines(environment)}
    needed = {CARRIED_ALONG.get(name, name) for name in imported_packages(script)}
    assert needed <= pinned


def test_imports_are_seen_through_the_modules_of_the_package():
    found = imported_packages(ROOT / "scripts" / "prepare_slab.py")
    assert {"numpy", "pillow", "tifffile"} <= found
    assert "requests" not in found, "slices know no network"
