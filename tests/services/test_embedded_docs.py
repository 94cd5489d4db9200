"""Everything that docs/embedded-services.md shows is run as it stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_cli import SCRIPTS, port_in, served

from brainpublish.files import read_json

ROOT = SCRIPTS.parent
SNAKEFILE = ROOT / "Snakefile"
TEXT = (ROOT / "docs" / "embedded-services.md").read_text()
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
HERE = str(Path(__file__).parent)


def blocks(language, name=""):
    return [code for lang, called, code in BLOCKS if (lang, called) == (language, name)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Run the service as the text says, in a folder that holds the example and the named files."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "config").symlink_to(ROOT / "config")
    (start,) = (code for code in blocks("sh") if "--faults" in code)
    words = start.replace("--port 8765", "--port 0").split()
    assert words[:2] == ["brainpublish", "serve"]
    with served(folder, *words[2:]) as (_, text):
        for _, name, code in BLOCKS:
            if name:
                (folder / name).write_text(code.replace(":8765", f":{port_in(text)}"))
        yield folder, port_in(text), dict(re.findall(r"^export (\w+)=(\w+)$", text, re.MULTILINE))


def run(folder, command, exported=(), **kwargs):
    (folder / "home").mkdir(exist_ok=True)
    environment = (
        os.environ
        | dict(exported)
        | {
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(folder),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
    )
    process = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **kwargs,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def shell_line(file_name):
    (line,) = (code for code in blocks("sh") if code.strip().endswith(file_name))
    return line


def test_the_bossdb_notebook(place):
    folder, port, _ = place
    (job,) = (code for code in blocks("python") if "ZSliceIngestJob" in code)
    run(folder, [sys.executable, "-c", job.replace(":8765", f":{port}")])
    said = run(folder, shell_line("notebook.py"), shell=True)
    assert "bone: (" in said
    assert int(said.split()[-1]) > 200


def test_the_atlas_notebook_and_the_faults(place):
    folder, port, _ = place
    # The client's library imports an AWS client that it does not ask for when it is installed.
    stand_in = f"import sys; sys.path.insert(0, {HERE!r}); import official_client\n"
    (folder / "sitecustomize.py").write_text(stand_in)
    assert "features: ['rate']" in run(folder, shell_line("features.py"), shell=True)
    (faults,) = (code for code in blocks("python") if "/_faults" in code)
    said = run(folder, [sys.executable, "-c", faults.replace(":8765", f":{port}")])
    assert said.split()[:3] == ["503", "503", "200"]


def test_the_workflow_against_the_service(place):
    folder, port, exported = place
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    (changes,) = (yaml.safe_load(code.replace(":8765", f":{port}")) for code in blocks("yaml"))
    for key, value in changes.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    # The bucket is enough to show that addresses and tokens are right.
    config["volumes"] = {}
    (folder / "my-config.yaml").write_text(yaml.safe_dump(config))
    (line,) = (code.strip() for code in blocks("sh") if code.startswith("snakemake"))
    run(folder, f"{line} --snakefile {shlex.quote(str(SNAKEFILE))} --cores 2", exported, shell=True)
    receipt = read_json(next((folder / "results" / "receipts" / "atlas").glob("*.json")))
    assert receipt["destination"]["host"] == f"127.0.0.1:{port}"
    assert {feature["outcome"] for feature in receipt["features"].values()} == {"created"}


def test_every_block_is_run_by_a_test():
    shown = {(language, name) for language, name, _ in BLOCKS}
    assert shown == {
        ("sh", ""),
        ("python", ""),
        ("python", "notebook.py"),
        ("python", "features.py"),
        ("yaml", ""),
    }
    assert (len(blocks("sh")), len(blocks("python")), len(blocks("yaml"))) == (5, 2, 1)
