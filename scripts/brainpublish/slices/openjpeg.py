"""Where the OpenJPEG library for glymur comes from."""

import functools
import importlib.metadata
import os
import tempfile
from pathlib import Path
from unittest import mock

from brainpublish.findings import Refusal


@functools.cache
def use_bundled_openjpeg():
    """Return glymur, set to use the OpenJPEG library that the Pillow wheel carries.

    A machine need not have OpenJPEG installed. glymur looks for the library, and lays out
    its C structures for the version found, while it is imported; the place to look is a
    `glymurrc` file below XDG_CONFIG_HOME (glymur's documentation, "Configuration"). So
    glymur must be imported through here, never directly. One library everywhere also means
    that equal slices decode equally on every machine.

    Raises:
        Refusal: if this Pillow carries no OpenJPEG library and the system has none.
    """
    path = _pillow_openjpeg()
    with tempfile.TemporaryDirectory() as folder:
        if path is not None:
            rc = Path(folder, "glymur", "glymurrc")
            rc.parent.mkdir()
            rc.write_text(f"[library]\nopenjp2: {path}\n")
        config_home = {"XDG_CONFIG_HOME": folder} if path is not None else {}
        with mock.patch.dict(os.environ, config_home):
            import glymur
    if glymur.version.openjpeg_version == "0.0.0":
        raise Refusal(
            "No OpenJPEG library was found: neither in the installed Pillow package nor on "
            "this system. Install Pillow from a wheel, or OpenJPEG from your system's packages."
        )
    # Slices are decoded beside each other; a thread within each costs 3 % and brings nothing.
    glymur.set_option("lib.num_threads", 0)
    return glymur


def _pillow_openjpeg() -> Path | None:
    for file in importlib.metadata.files("pillow") or []:
        if "openjp2" in file.name:
            return Path(file.locate())
    return None
