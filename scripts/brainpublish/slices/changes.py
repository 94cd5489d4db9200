"""Files that changed while a run read them: what their records say, for the next run to act on.

Snakemake takes what a job made for newer than all that changed while the job worked, so that
by its own rules neither the manifest nor the slab would be made anew.
"""

from collections.abc import Iterable
from pathlib import Path

from brainpublish.files import digest_of_json
from brainpublish.settled import entry_of

CHANGED = "SLICE_CHANGED"


def changed_files(record: str | Path) -> list[str]:
    """Return the files of which a plan, or a slab's report, says that they had changed."""
    findings = entry_of(record, "findings")
    held = [each for each in findings if isinstance(each, dict)] if findings else []
    return [str(each.get("where")) for each in held if each.get("code") == CHANGED]


def made_anew_for(plan: str | Path, reports: Iterable[str | Path]) -> str | None:
    """Return what a manifest is made anew for: something else each time that files had changed.

    Args:
        plan: path of the plan that is made with it.
        reports: paths of its slabs' reports.

    Returns:
        A digest of what the records say changed; if they say nothing, what the plan was last
        made anew for.
    """
    changed = {
        str(path): [entry_of(path, "rows"), files]
        for path in (plan, *reports)
        if (files := changed_files(path))
    }
    return digest_of_json(changed) if changed else entry_of(plan, "anew")
