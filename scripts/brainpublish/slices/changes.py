"""Files that changed where Snakemake does not see it: what the records of jobs say of them.

Snakemake takes what a job made for newer than all that changed while the job worked, and than
older files that took the place of those it read. By its own rules neither the manifest nor the
slab would then be made anew.
"""

from collections.abc import Iterable
from pathlib import Path

from brainpublish.files import digest_of_json, stamp_of_file
from brainpublish.settled import entry_of, record_of

CHANGED = "SLICE_CHANGED"


def changed_files(record: str | Path) -> list[str]:
    """Return the files of which a plan, or a slab's report, says that they had changed."""
    findings = entry_of(record, "findings", list)
    held = [each for each in findings if isinstance(each, dict)] if findings else []
    return [str(each.get("where")) for each in held if each.get("code") == CHANGED]


def replaced_files(stamps: str | Path, files: Iterable[str]) -> dict[str, list[int]]:
    """Return the files in whose place others are that are no newer, and the stamps of these.

    Newer files are not among them: Snakemake judges those, by their time and digest.

    Args:
        stamps: path of what a manifest's job noted of its files.
        files: those to look at.
    """
    noted, held = stamp_of_file(stamps), record_of(stamps)
    now = {file: stamp for file in files if (stamp := stamp_of_file(file))}
    return {
        file: stamp
        for file, stamp in now.items()
        if noted and stamp[1] <= noted[1] and held.get(file) != stamp
    }


def made_anew_for(
    plan: str | Path, reports: Iterable[str | Path], replaced: dict[str, list[int]]
) -> str | None:
    """Return what a manifest is made anew for: something else each time that files had changed.

    Args:
        plan: path of the plan that is made with it.
        reports: paths of its slabs' reports.
        replaced: what `replaced_files` found.

    Returns:
        A digest of what the records say changed; if they say nothing, what the plan was last
        made anew for.
    """
    changed = {
        str(path): [record_of(path).get("rows"), files]
        for path in (plan, *reports)
        if (files := changed_files(path))
    }
    if replaced:
        changed["replaced"] = replaced
    return digest_of_json(changed) if changed else entry_of(plan, "anew")
