"""Which files are the slices of a channel, and in which order. Names only, nothing is read."""

import glob
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted

from brainpublish.findings import Finding

IMAGE_SUFFIXES = {".jp2", ".j2k", ".png", ".jpg", ".jpeg", ".tif", ".tiff"}


@dataclass(frozen=True)
class Listing:
    """The slices of a channel in z order, as paths, and what was found while listing them."""

    files: list[str]
    findings: list[Finding]


def list_slices(folder: str, pattern: str) -> Listing:
    """List the files in `folder` that match `pattern`, in natural (numeric) order of names.

    Names that begin with a dot are no slices: the shell does not match them either, and
    some systems leave such files beside each image.
    """
    root = Path(folder)
    if not root.is_dir():
        return Listing([], [Finding("SLICES_FOLDER", folder, _missing_folder(root))])
    names = [name for name in glob.glob(pattern, root_dir=root) if (root / name).is_file()]
    if not names:
        return Listing([], [Finding("SLICES_NONE", folder, _no_match(root, pattern))])
    ordered = natsorted(names)
    findings = []
    if ordered != sorted(names):
        findings.append(Finding("SLICE_ORDER", folder, _order_note(ordered, sorted(names))))
    return Listing([str(root / name) for name in ordered], findings)


def _missing_folder(root: Path) -> str:
    if root.exists():
        return "this is a file, a folder is needed"
    parent = next(path for path in [*root.parents, Path()] if path.is_dir())
    near = natsorted(entry.name for entry in parent.iterdir() if entry.is_dir())[:5]
    beside = f" (folders in {parent}: {', '.join(near)})" if near else ""
    return f"there is no such folder{beside}"


def _no_match(root: Path, pattern: str) -> str:
    files = [entry for entry in root.iterdir() if entry.is_file()]
    suffixes = natsorted({entry.suffix for entry in files} & {*IMAGE_SUFFIXES})
    text = f"no file matches {pattern!r}; the folder holds {len(files)} files"
    if suffixes:
        text += f" (images end in {', '.join(suffixes)})"
    for below in natsorted(entry for entry in root.iterdir() if entry.is_dir()):
        count = len(glob.glob(pattern, root_dir=below))
        if count:
            return f"{text}; its subfolder {below.name!r} has {count} that match"
    return text


def _order_note(ordered: list[str], as_text: list[str]) -> str:
    places = sum(a != b for a, b in zip(ordered, as_text, strict=True))
    return (
        f"ordered by number, from {ordered[0]} to {ordered[-1]} ({len(ordered)} slices); "
        f"order by text would differ at {places} places"
    )
