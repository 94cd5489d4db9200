"""Codes of findings on slices, masks and the stacks made of them."""

from brainpublish.codes.code import Code

SLICE_CODES: dict[str, Code] = {
    "SLICES_FOLDER": Code("error", "folder not found", "Correct `path` in the config."),
    "SLICES_NONE": Code("error", "no slice found", "Correct `path` or `pattern` in the config."),
    "SLICE_ORDER": Code("note", "slices ordered by number"),
    "SLICES_PAGES": Code("note", "pages of one file are the slices"),
    "SLICES_LEFT_OUT": Code(
        "error",
        "files that look like slices do not match the pattern",
        'Widen `pattern`, for example to "*.[tT][iI][fF]*", or move these files away.',
        waived="They are left out.",
    ),
    "SLICE_PARTIAL": Code(
        "error",
        "unfinished copy of a slice",
        "Wait for the copy to end, or remove this file.",
        waived="It is left out.",
    ),
    "SLICE_AMBIGUOUS": Code(
        "error",
        "the order of the slices is not clear from their names",
        "Set `order` to the number that counts the slices (1 is the first in the name, -1 the "
        "last), or to natural or name; or narrow `pattern` to one series.",
    ),
    "SLICE_NAME": Code(
        "error",
        "file named unlike the other slices",
        "Move it away or narrow `pattern`; or set `order: natural` to take all files.",
    ),
    "SLICE_DOUBLED": Code(
        "error", "two files claim one slice", "Move all but one away, or narrow `pattern`."
    ),
    "SLICES_GAPS": Code(
        "error",
        "slice numbers are missing",
        "Bring the missing slices, or set `gaps` to close (join up), black or repeat.",
    ),
    "SLICES_FILLED": Code("warning", "missing slices were dealt with as the config says"),
    "SLICE_STEPS": Code("note", "slices are numbered in steps"),
    "SLICES_COUNT": Code(
        "error",
        "mask and image differ in their slices",
        "Give one mask file for each image slice. `gaps: black` leaves image slices without a mask "
        "empty, and `extra: drop` leaves masks without an image slice out.",
    ),
    "MASK_DROPPED": Code(
        "warning", "masks without an image slice were left out as the config says"
    ),
    "MASK_FILLED": Code("warning", "image slices without a mask were filled as the config says"),
    "MASK_COUNTED": Code("note", "masks are counted from another number than the image"),
    "MASK_OFFSET": Code(
        "warning",
        "all masks are shifted against the image's numbers",
        "Check that the first mask belongs to the first image slice.",
    ),
    "SLICES_EXTENT": Code(
        "error",
        "mask and image differ in size",
        "Make the masks from the slices of this image, at the same size.",
    ),
    "SLICE_UNREADABLE": Code(
        "error", "slice cannot be read", "Copy or export these files again from their source."
    ),
    "SLICE_HOSTILE": Code(
        "error",
        "file on which the decoder fails, hangs or takes all memory",
        "Do not trust this file: export it again from its source.",
    ),
    "SLICE_FORMAT": Code(
        "error", "file of another format", "Take the file out, or narrow `pattern`."
    ),
    "SLICE_NAMED": Code("note", "files hold another format than their names say"),
    "SLICE_TYPE": Code(
        "error",
        "pixel type that cannot be published as it is",
        "Export the slices as grey scale of 8 or 16 bits (labels: up to 64).",
    ),
    "SLICE_COLOUR": Code(
        "error",
        "colour slice",
        "Name one with `channel: red`, green or blue, or export grey scale files.",
    ),
    "SLICE_PALETTE": Code(
        "error",
        "palette of colours in an image, or another one than in the other slices",
        "Export all slices alike, as grey scale.",
        waived="The palette's indices are published as values.",
    ),
    "SLICE_PAGES": Code(
        "error", "file with several pages", "Name one such file as `path`, or save single pages."
    ),
    "SLICE_SIZE": Code(
        "error",
        "slice of another size",
        "Export these slices at the size of the others; or set `fit` in the volume's section to "
        "pad or crop the slices of its image and masks alike.",
    ),
    "SLICES_FITTED": Code(
        "warning", "slices were padded or cropped to one size as the config says"
    ),
    "SLICE_CUT": Code(
        "error",
        "cropping would cut off what is no background",
        "Make `width` and `height` of `fit` larger or change its `align`; `crop: anything` there "
        "cuts these voxels off.",
    ),
    "SLICE_DEPTH": Code(
        "error",
        "slice of another bit depth",
        "Export these slices at the bit depth of the others.",
        waived="Values are published as each file holds them.",
    ),
    "SLICE_MIXED": Code("warning", "slices of several formats, or lossy beside lossless ones"),
    "SLICE_POLARITY": Code(
        "error",
        "slices disagree on which end of the values is white",
        "Export these slices like the others.",
        waived="Stored values are published.",
    ),
    "SLICE_WHITE": Code(
        "warning",
        "stored values are inverted for display",
        "Nothing, if stored values are what counts; `invert: true` for such a mask.",
    ),
    "SLICE_ORIENTATION": Code(
        "error",
        "slice with an orientation tag",
        "Set `orientation: apply` for this channel to turn the slices as their tags say; or waive "
        "this code to take the pixels as they are stored.",
        waived="Pixels are published as they are stored, not turned.",
    ),
    "SLICE_TURNED": Code("note", "slices are turned as their orientation tags say"),
    "SLICE_LOSSY": Code("warning", "TIFF compressed with loss"),
    "SLICE_DTYPE": Code(
        "error",
        "values do not fit the channel's type",
        "Of an image: set `dtype`, `offset` or `scale` as the message says. Labels: convert the "
        "files yourself, to whole numbers from 0.",
    ),
    "SLICE_CHANGED": Code(
        "error",
        "file changed while the run was going on",
        "Run the same command again once the file is complete.",
    ),
    "SLICE_NARROW": Code("note", "files use fewer bits than their type holds"),
    "SLICE_CONSTANT": Code("warning", "slices without any content"),
    "SLICE_UNLIKE": Code(
        "warning",
        "single slices that are unlike those beside them",
        "Look at these files: were they scaled, turned, mirrored or mixed up?",
    ),
    "SLICE_REPEATED": Code("warning", "the same slice twice", "Check that none was overwritten."),
    "VOXEL_UNIT": Code(
        "error",
        "voxel size differs from the files' by powers of ten",
        "Correct `voxel_size` or `voxel_unit`: a coordinate frame cannot be changed later.",
        waived="The config's voxel size is published.",
    ),
    "VOXEL_AXES": Code(
        "error",
        "voxel size has the files' axes swapped",
        "Give `voxel_size` in the order x, y, z: a coordinate frame cannot be changed later.",
        waived="The config's voxel size is published.",
    ),
    "VOXEL_SIZE": Code(
        "warning", "voxel size differs from what the files say", "Check `voxel_size`."
    ),
    "MASK_KIND": Code("note", "how the mask is read"),
    "MASK_DOUBT": Code(
        "error",
        "mask kind is in doubt",
        "Set `kind: binary` or `kind: labels` for this annotation in the config.",
    ),
    "MASK_NOISE": Code(
        "error",
        "binary mask with noise or smoothed edges",
        "Set `kind: binary` to cut at `threshold`, or `kind: labels` if each value is an id.",
    ),
    "MASK_BLENDED": Code(
        "error",
        "labels with values in between along their edges",
        "Export the labels without smoothing (nearest neighbour); `kind: labels` takes them so.",
    ),
    "MASK_LOSSY_LABELS": Code(
        "error",
        "labels in a lossy file format",
        "Export the labels as PNG or TIFF, or set `kind: binary` if this is a plain mask.",
    ),
    "MASK_AS_LABELS": Code(
        "warning", "plain mask read as labels", "Set `kind: binary` to publish it as `label`."
    ),
    "MASK_AS_BINARY": Code(
        "error",
        "labels read as a plain mask",
        "Set `kind: labels`, or a `threshold` if a plain mask is what you want.",
        waived="All labels from the threshold on become one foreground.",
    ),
    "MASK_COLOURS": Code(
        "error",
        "labels painted in colours",
        "Check ids in the table `colours.tsv` beside the findings, keep it, and name it in the "
        "config as `colours`.",
    ),
    "MASK_PALETTE": Code("note", "palette indices are taken as values"),
    "MASK_DECIDED": Code("note", "what the threshold of a binary mask decided"),
    "MASK_INVERTED": Code(
        "warning", "mask looks inverted", "Set `invert: true` if the foreground is the rest."
    ),
    "MASK_TURNED": Code(
        "error",
        "some masks look inverted beside the others",
        "Export these files again like the others: `invert` counts for all slices of a mask.",
        waived="They are published as they are.",
    ),
    "MASK_LEVELS": Code(
        "error",
        "some masks have other grey levels than those beside them",
        "Export these files again like the others: one threshold counts for all slices of a mask.",
        waived="They are published as the threshold decides.",
    ),
    "MASK_SUDDEN": Code(
        "warning",
        "single masks without any foreground, or without any background",
        "Check these files: was one left out, or saved before it was painted?",
    ),
    "MASK_EMPTY": Code("warning", "mask without any foreground"),
    "MASK_FULL": Code("warning", "mask without any background"),
    "MASK_LARGE_IDS": Code("note", "label ids above 32 bits"),
    "MASK_UINT32": Code("note", "published as uint64: BossDB cannot store uint32"),
    "SPACE_SHORT": Code(
        "error",
        "not enough free space on the disk",
        "Free some space, or run in a folder on a larger disk (`--directory`; `store` of the local "
        "services). The same command goes on with what is left to do.",
        waived="The channel's stack is left out of the sum; a full disk stops the run later.",
    ),
    "SPACE_TIGHT": Code(
        "warning",
        "the disk may become full",
        "Free some space. If the disk becomes full, the same command goes on where it stopped.",
    ),
    "STACK_STALE": Code(
        "error",
        "stack made under another reading of the files",
        "Run the same command again: it makes these slabs anew.",
    ),
}
