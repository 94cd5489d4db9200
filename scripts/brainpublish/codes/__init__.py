"""The stable codes of findings: what each means, how severe it is, what to do about it."""

from brainpublish.codes.code import Code
from brainpublish.codes.regions import REGION_CODES
from brainpublish.codes.slices import SLICE_CODES

__all__ = ["CODES", "REGION_CODES", "SLICE_CODES", "Code"]

CODES: dict[str, Code] = SLICE_CODES | REGION_CODES
