"""Where the OpenJPEG library for glymur comes from."""

import ctypes
import functools
import importlib.metadata

from brainpublish.findings import Refusal


@functools.cache
def use_bundled_openjpeg():
    """Return glymur, made to use the OpenJPEG library that the Pillow wheel carries.

    A machine need not have OpenJPEG installed. glymur looks for it when it is imported and
    keeps the handle in `glymur.lib.openjp2.OPENJP2`; its writer checks the version string
    that `glymur.version` took at that time, so both are set. One library everywhere also
    means that equal slices decode equally on every machine.

    Raises:
        Refusal: if this Pillow carries no OpenJPEG library and the system has none.
    """
    import glymur
    from glymur.lib import openjp2

    path = _pillow_openjpeg()
    if path is not None:
        openjp2.OPENJP2 = ctypes.CDLL(str(path))
        found = openjp2.version()
        glymur.version.openjpeg_version = found
        glymur.version.openjpeg_version_tuple = tuple(int(part) for part in found.split("."))
    if openjp2.OPENJP2 is None:
        raise Refusal(
            "No OpenJPEG library was found: neither in the installed Pillow package nor on "
            "this system. Install Pillow from a wheel, or OpenJPEG from your system's packages."
        )
    return glymur


def _pillow_openjpeg():
    for file in importlib.metadata.files("pillow") or []:
        if "openjp2" in file.name:
            return file.locate()
    return None
