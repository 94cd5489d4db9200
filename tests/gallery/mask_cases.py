"""Masks with one fault each, and good ones."""

import imagecodecs
import numpy as np
from cases import (
    BLENDED,
    COLOURS,
    INSIDE,
    LABELS,
    MASK,
    MASKS,
    NOISY,
    NOISY_LABELS,
    SMOOTH,
    SPREAD,
    Case,
    X,
    Y,
    Z,
    jpg,
    palette_png,
    png,
    removed,
    rewritten,
    stack,
    then,
)
from PIL import Image

DEEP = COLOURS.astype(np.uint16) * 257
PALETTE = stack(palette_png, LABELS, "m{:03}.png")


def other_palette_png(path, values):
    picture = Image.fromarray(values, "P")
    picture.putpalette([level for i in range(256) for level in (255 - i, i, 9)])
    picture.save(path)


MASK_CASES = [
    Case("JPEG mask", stack(jpg, MASK, "m{:03}.jpg"), "MASK_DECIDED", says="the threshold decided"),
    Case("0 and 255", MASKS, "MASK_KIND", says="the two values 0 and 255"),
    Case("noise in PNG", stack(png, NOISY, "m{:03}.png"), "MASK_NOISE"),
    Case("smooth edges", stack(png, SMOOTH, "m{:03}.png"), "MASK_NOISE|MASK_BLENDED"),
    Case(
        "labels in JPEG",
        stack(jpg, (LABELS * 17).astype(np.uint8), "m{:03}.jpg"),
        "MASK_LOSSY_LABELS",
    ),
    Case("resampled labels", stack(png, BLENDED, "m{:03}.png"), "MASK_BLENDED"),
    Case(
        "a photograph",
        stack(jpg, np.full(MASK.shape, 90, np.uint8) + (X % 70).astype(np.uint8), "m{:03}.jpg"),
        "MASK_DOUBT",
    ),
    Case(
        "inverted",
        stack(
            png, np.where((Y - 36) ** 2 + (X - 40) ** 2 < 90, 0, 255).astype(np.uint8), "m{:03}.png"
        ),
        "MASK_INVERTED",
    ),
    Case(
        "one slice inverted",
        then(MASKS, rewritten("m005.png", png, 255 - MASK[4])),
        "MASK_TURNED",
        "m005.png",
    ),
    Case(
        "one slice of other grey levels",
        then(stack(jpg, MASK, "m{:03}.jpg"), rewritten("m006.jpg", jpg, MASK[5] // 255 * 128)),
        "MASK_LEVELS",
        "m006.jpg",
    ),
    Case(
        "one slice of labels resampled",
        then(
            stack(png, SPREAD.astype(np.uint8), "m{:03}.png"),
            rewritten("m006.png", png, BLENDED[5]),
        ),
        "MASK_BLENDED",
        "m006.png",
        "was it resampled?",
    ),
    Case(
        "one slice of labels numbered anew",
        then(
            stack(png, LABELS, "m{:03}.png"),
            rewritten("m006.png", png, (LABELS[5] + 40).astype(np.uint8) * INSIDE[5]),
        ),
        "SLICE_UNLIKE",
        "m006.png",
        "holds other labels",
    ),
    Case(
        "specks",
        stack(png, np.where((Y == 3) & (X == 3), 7, MASK).astype(np.uint8), "m{:03}.png"),
        "MASK_DOUBT",
        says="single voxels hold others (7)",
    ),
    Case(
        "one slice left out",
        then(MASKS, rewritten("m008.png", png, 0 * MASK[7])),
        "MASK_SUDDEN",
        "m008.png",
        "none of it is foreground",
    ),
    Case("empty", stack(png, 0 * MASK, "m{:03}.png"), "MASK_EMPTY"),
    Case(
        "1 beside 255",
        then(MASKS, rewritten("m018.png", png, MASK[17] // 255)),
        "MASK_DOUBT",
        "m018.png",
    ),
    Case(
        "JPEG of 0 and 1",
        stack(jpg, MASK // 255, "m{:03}.jpg"),
        "MASK_DOUBT|MASK_EMPTY",
        says="no value reaches 128",
    ),
    Case(
        "faint JPEG",
        stack(jpg, (MASK // 255 * 124).astype(np.uint8), "m{:03}.jpg"),
        "MASK_DOUBT",
        says="the foreground crowds around 124",
        keys={"kind": "binary"},
    ),
    Case(
        "faint mask",
        stack(png, SMOOTH // 3, "m{:03}.png"),
        "MASK_DOUBT|MASK_EMPTY",
        says="no value reaches 128",
        keys={"kind": "binary"},
    ),
    Case(
        "probabilities",
        stack(values=(SMOOTH / 255).astype(np.float32), name="m{:03}.tif"),
        "MASK_DOUBT|MASK_EMPTY",
        says="the highest is 1",
        keys={"kind": "binary"},
    ),
    Case(
        "255 in half of the slices, 1 in the others",
        stack(png, np.where(Z < 9, MASK, MASK // 255).astype(np.uint8), "m{:03}.png"),
        "MASK_DOUBT",
        says="1 in some slices and 255 in others",
    ),
    Case(
        "noise around labels",
        stack(png, NOISY_LABELS, "m{:03}.png"),
        "MASK_DOUBT",
        says="fill no area",
    ),
    Case(
        "painted labels",
        stack(png, COLOURS, "m{:03}.png"),
        "MASK_COLOURS",
        says="11 colours in the slices; a table of them was written",
    ),
    Case(
        "painted in 16 bits",
        stack(lambda p, v: p.write_bytes(imagecodecs.png_encode(v)), DEEP, "m{:03}.png"),
        "SLICE_COLOUR",
        "m001.png",
        "more than 8 bits",
    ),
    Case(
        "two palettes",
        then(PALETTE, rewritten("m004.png", other_palette_png, LABELS[3])),
        "SLICE_PALETTE",
        "m004.png",
    ),
    Case(
        "labels taken for a mask",
        stack(png, LABELS, "m{:03}.png"),
        "MASK_AS_BINARY",
        keys={"kind": "binary"},
    ),
    Case("mask taken for labels", MASKS, "MASK_AS_LABELS", keys={"kind": "labels"}),
    Case(
        "ids above 32 bits",
        stack(values=LABELS.astype(np.uint64) << np.uint64(33), name="m{:03}.tif"),
        "MASK_LARGE_IDS",
    ),
    Case(
        "float labels",
        stack(values=LABELS + np.float32(0.5), name="m{:03}.tif"),
        "SLICE_DTYPE",
        "m001.tif",
        "fractions",
        keys={"kind": "labels"},
    ),
    Case("uint32 asked for", MASKS, "MASK_UINT32", keys={"published_from": "uint32"}),
    Case(
        "one mask missing",
        then(MASKS, removed("m018.png")),
        "SLICES_COUNT",
        says="17 mask files, 18 image slices",
    ),
    Case(
        "masks without an image slice",
        stack(png, np.concatenate([MASK, MASK[:2]]), "m{:03}.png"),
        "SLICES_COUNT",
        says="no image slice for mask 19 to 20",
    ),
    Case(
        "such masks left out",
        stack(png, np.concatenate([MASK, MASK[:2]]), "m{:03}.png"),
        "MASK_DROPPED",
        says="no image slice for mask 19 to 20",
        keys={"extra": "drop"},
    ),
    Case(
        "all shifted",
        stack(png, MASK, "m{:03}.png", first=5),
        "MASK_OFFSET",
        says="masks 5 to 22 go with image slices 1 to 18",
    ),
    Case("counted from 0", stack(png, MASK, "m{:03}.png", first=0), "MASK_COUNTED"),
    Case("other size than the image", stack(png, MASK[:, :70], "m{:03}.png"), "SLICES_EXTENT"),
    Case(
        "missing ones black",
        then(MASKS, removed("m018.png")),
        "MASK_FILLED",
        keys={"gaps": "black"},
    ),
    Case("full", stack(png, np.full_like(MASK, 255), "m{:03}.png"), "MASK_FULL"),
    Case("palette of labels", stack(palette_png, LABELS, "m{:03}.png"), "MASK_PALETTE"),
]

GOOD_MASKS = {
    "binary": MASKS,
    "jpeg": stack(jpg, MASK, "m{:03}.jpg"),
    "ones": stack(png, MASK // 255, "m{:03}.png"),
    "bits": stack(png, INSIDE, "m{:03}.png"),
    "labels": stack(png, LABELS, "m{:03}.png"),
    "wide labels": stack(values=LABELS.astype(np.uint32) * 70_000, name="m{:03}.tif"),
    "float labels": stack(values=LABELS.astype(np.float32), name="m{:03}.tif"),
    "instances": stack(
        values=((1 + Y // 6 + 12 * (X // 5)) * INSIDE).astype(np.uint16), name="m{:03}.tif"
    ),
}
