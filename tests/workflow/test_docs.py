"""The commands of the README, run as they stand there, in a clean copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stacks import ROOT

SHIPPED = ("Snakefile", "Makefile", "config", "envs", "profiles", "rules", "scripts")


def commands() -> list[str]:
    """Return the lines of all bash blocks of the README."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return "".join(blocks).splitlines()


@pytest.fixture
def clone(tmp_path):
    """A copy of what is shipped, with the environment of this test run as its `.venv`."""
    folder = tmp_path / "my clone"
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / name)
    environment = folder / ".venv"
    (environment / "bin").mkdir(parents=True)
    for path in Path(sys.prefix, "bin").iterdir():
        (environment / "bin" / path.name).symlink_to(path)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copyfile(ROOT / name, folder / name)
    (environment / "run.done").touch()
    activate = environment / "bin" / "activate"
    activate.unlink()
    activate.write_text(f'PATH="{environment}/bin:$PATH"\n')
    return folder


def run(script: str, folder: Path) -> str:
    environment = {**os.environ, "HOME": str(folder.parent)}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_readme_commands_work_from_the_first_to_the_last(clone):
    shutil.copyfile(ROOT / "config" / "config.yaml", clone / "my-config.yaml")
    assert commands()[0] == "make run"
    first = run("make run", clone)
    assert "Published and verified. The receipts:" in first
    receipts = set(re.findall(r"results/receipts/\S+\.json", first))
    assert len(receipts) == 4
    assert all((clone / path).is_file() for path in receipts)
    assert "Nothing to be done" in run("make run", clone)
    assert "Nothing to be done" in run("\n".join(commands()[1:]), clone)
    for folder in re.findall(r"`((?:results|local-store)[^`]*)`", (ROOT / "README.md").read_text()):
        assert list(clone.glob(folder.rstrip("/"))), folder
    run("make clean", clone)
    assert not (clone / "results").exists()
    assert (clone / "local-store").is_dir()
