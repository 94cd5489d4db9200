"""Which files are the slices of a channel, and in which order.

Names only: no file is read, but for one that may hold a whole stack, whose pages are counted.
"""

import glob
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from natsort import natsorted

from brainpublish.findings import Finding, count_text
from brainpublish.slices.names import Ordered, numbers_of, order_names, template_of

IMAGE_SUFFIXES = {".jp2", ".j2k", ".png", ".jpg", ".jpeg", ".tif", ".tiff"}
_TIFF_SUFFIXES = {".tif", ".tiff", ".btf", ".tf8"}
_UNFINISHED = (".part", ".partial", ".crdownload", ".filepart", ".tmp", ".download", "~")
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", ".ds_store"}


@dataclass(frozen=True)
class Place:
    """One z of a stack: the file and, in a file of many, the page that it is read from.

    `number` is the slice's number, from its name. `filled` says of a slice that is not there
    what stands in for it: black (no file), or repeat (the slice before it).
    """

    file: str
    page: int | None = None
    number: int | None = None
    filled: str = ""


@dataclass(frozen=True)
class Listing:
    """The places of a channel in z order, what was found while listing them, what was decided."""

    places: list[Place]
    findings: list[Finding]
    decisions: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """Paths of all files, each once, in z order."""
        return files_of(self.places)

    def as_settings(self) -> dict:
        """Return all as plain values, for the settings of a job."""
        return {
            "places": [asdict(place) for place in self.places],
            "findings": [asdict(finding) for finding in self.findings],
            "decisions": self.decisions,
        }


def files_of(places: list[Place]) -> list[str]:
    """Return the files of some places, each once, in their order."""
    return list(dict.fromkeys(place.file for place in places if place.file))


def list_slices(path: str, pattern: str, order: str | int = "auto") -> Listing:
    """List a channel's slices in z order.

    Args:
        path: a folder, or a TIFF file that holds a whole stack.
        pattern: which of the folder's files are slices.
        order: how they are put in order: see `order_names`.

    Names that begin with a dot are no slices: the shell does not match them either, and
    some systems leave such files beside each image.
    """
    root = Path(path)
    if root.is_file():
        return _pages_of(path)
    if not root.is_dir():
        return Listing([], [Finding("SLICES_FOLDER", path, _missing_folder(root))])
    entries = list(os.scandir(root))
    held = sorted(entry.name for entry in entries if entry.is_file())
    matching = set(glob.glob(pattern, root_dir=root))
    names = [n for n in held if n in matching and n.lower() not in _SYSTEM_FILES]
    dangling = [e.name for e in entries if e.name in matching and not Path(e).exists()]
    gone = [
        Finding("SLICE_UNREADABLE", str(root / name), "is a link to a file that is not there")
        for name in natsorted(dangling)
    ]
    if not names:
        return Listing([], gone or [Finding("SLICES_NONE", path, _no_match(root, pattern))])
    beside = gone + _beside(path, [name for name in held if name not in matching], names)
    if len(names) == 1 and Path(names[0]).suffix.lower() in _TIFF_SUFFIXES:
        pages = _pages_of(str(root / names[0]))
        return Listing(pages.places, beside + pages.findings, pages.decisions)
    ordered = order_names(names, order)
    findings = [Finding(code, path, text) for code, text in ordered.problems]
    if ordered.names != sorted(names):
        findings.append(Finding("SLICE_ORDER", path, _order_note(ordered, sorted(names))))
    places = [
        Place(str(root / name), number=number)
        for name, number in zip(ordered.names, ordered.numbers, strict=True)
    ]
    return Listing(places, findings + beside, {"order": ordered.decision})


def _pages_of(path: str) -> Listing:
    # Decoders are dear to load, and most channels are folders.
    from brainpublish.slices.tiff import count_pages

    try:
        pages = count_pages(Path(path))
    except Exception:
        # Whatever is wrong with it, reading its header will tell, and is where it is reported.
        pages = 1
    if pages == 1:
        return Listing([Place(path)], [], {"order": "a single slice"})
    places = [Place(path, page, page + 1) for page in range(pages)]
    note = Finding("SLICES_PAGES", path, f"its {pages} pages are read as {pages} slices")
    return Listing(places, [note], {"order": f"the {pages} pages of one file"})


def _missing_folder(root: Path) -> str:
    parent = next(path for path in [*root.parents, Path()] if path.is_dir())
    near = natsorted(entry.name for entry in parent.iterdir() if entry.is_dir())[:5]
    beside = f" (folders in {parent}: {', '.join(near)})" if near else ""
    return f"there is no such folder{beside}"


def _no_match(root: Path, pattern: str) -> str:
    files = [entry for entry in root.iterdir() if entry.is_file()]
    suffixes = natsorted({entry.suffix for entry in files} & {*IMAGE_SUFFIXES})
    text = f"no file matches {pattern!r}; the folder holds {count_text(len(files), 'file')}"
    if suffixes:
        text += f" (images end in {', '.join(suffixes)})"
    for below in natsorted(entry for entry in root.iterdir() if entry.is_dir()):
        count = len(glob.glob(pattern, root_dir=below))
        if count:
            return f"{text}; its subfolder {below.name!r} has {count} that match"
    return text


def _beside(path: str, others: list[str], names: list[str]) -> list[Finding]:
    """Find files beside the slices that look like slices too, or like halves of them."""
    templates = {template_of(name) for name in names}
    claimed = {(template_of(name), numbers_of(name)) for name in names}
    findings = []
    for name in others:
        whole = name.rstrip("~")
        whole = Path(whole).stem if whole.lower().endswith(_UNFINISHED) else whole
        if whole != name and template_of(whole.removeprefix(".")) in templates:
            findings.append(
                Finding("SLICE_PARTIAL", str(Path(path, name)), "is an unfinished copy")
            )
    left = [
        name
        for name in others
        if Path(name).suffix.lower() in IMAGE_SUFFIXES
        and template_of(name) in templates
        and (template_of(name), numbers_of(name)) not in claimed
    ]
    if left:
        text = (
            f"the pattern takes {len(names)} files; {len(left)} others are named like them and "
            f"differ in their ending or its case: {', '.join(natsorted(left)[:3])}"
        )
        findings.append(Finding("SLICES_LEFT_OUT", path, text))
    return findings


def _order_note(ordered: Ordered, as_text: list[str]) -> str:
    names = ordered.names
    places = sum(a != b for a, b in zip(names, as_text, strict=True))
    return (
        f"ordered by number, from {names[0]} to {names[-1]} ({len(names)} slices); "
        f"order by text would differ at {places} places"
    )
