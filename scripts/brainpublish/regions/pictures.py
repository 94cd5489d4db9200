"""The step that draws a bucket's features, as the workflow runs it."""

import logging
from pathlib import Path

from brainpublish.files import digest_of_file, read_json, write_bytes, write_json
from brainpublish.regions.flatmap import drawing_file, flat_map
from brainpublish.regions.picture import picture, shown_digest

log = logging.getLogger(__name__)


def draw_bucket(payloads: str | Path, folder: str | Path, code: str, index: str | Path) -> None:
    """Draw each feature of a bucket, and write which picture shows which digest.

    A picture that an earlier run drew of the same payload, by the same code and in the same
    outlines of the flat map, stays. Pictures of features that are no more are removed.

    Args:
        payloads: path of the features' payloads.
        folder: where the pictures go, `<feature>.png` each.
        code: digest of the code that draws.
        index: path of the list to write: {code, pictures: {feature: {file, digest}}}.
    """
    features, folder = read_json(payloads), Path(folder)
    drawing = drawing_file()
    way = f"{code} {digest_of_file(drawing) if drawing else ''}".strip()
    parts = flat_map(drawing)
    drawn_by = folder / ".drawn_by"
    same_way = drawn_by.is_file() and drawn_by.read_text() == way
    folder.mkdir(parents=True, exist_ok=True)
    if not same_way:
        for left in folder.glob("*.png"):
            left.unlink()
        write_bytes(drawn_by, way.encode())
    shown = {}
    for name, feature in features.items():
        path = folder / f"{name}.png"
        if not path.is_file() or shown_digest(path.read_bytes()) != feature["digest"]:
            write_bytes(path, picture(name, feature["payload"], feature["digest"], parts))
            log.info("drew %s", path)
        shown[name] = {"file": path.name, "digest": feature["digest"]}
    for left in folder.glob("*.png"):
        if left.stem not in shown:
            left.unlink()
    write_json(index, {"code": code, "pictures": shown})
