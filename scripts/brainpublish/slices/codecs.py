"""How the voxels of a stack are packed."""

from brainpublish.packing import BITS, IMAGE, LABELS, Codecs
from brainpublish.slices.masks import BINARY
from brainpublish.slices.plan import StackPlan


def codecs_of(plan: StackPlan) -> Codecs:
    """Return the codecs for what a stack holds: an image, a binary mask or other labels."""
    if plan.mask is None:
        return IMAGE
    return BITS if plan.mask.kind == BINARY else LABELS
