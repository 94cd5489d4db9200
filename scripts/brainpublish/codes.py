"""The stable codes of findings: what each means, how severe it is, what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """Meaning of a code. `severity` is error, warning or note; `fix` is the usual way out."""

    severity: str
    title: str
    fix: str = ""


CONFIG_CODES: dict[str, Code] = {}

SLICE_CODES: dict[str, Code] = {
    "SLICES_FOLDER": Code("error", "folder not found", "Correct `path` in the config."),
    "SLICES_NONE": Code(
        "error", "no slice found", "Correct `path` or `pattern` in the config."
    ),
    "SLICE_ORDER": Code("note", "slices ordered by number"),
    "SLICES_COUNT": Code(
        "error",
        "mask and image differ in their number of slices",
        "Give one mask file for each image slice.",
    ),
    "SLICES_EXTENT": Code(
        "error",
        "mask and image differ in size",
        "Make the masks from the slices of this image, at the same size.",
    ),
    "SLICE_UNREADABLE": Code(
        "error", "slice cannot be read", "Copy or export these files again from their source."
    ),
    "SLICE_FORMAT": Code(
        "error", "file of another format", "Take the file out, or narrow `pattern`."
    ),
    "SLICE_TYPE": Code(
        "error",
        "pixel type that cannot be published as it is",
        "Export the slices as unsigned grey scale of 8 or 16 bits (labels: up to 64).",
    ),
    "SLICE_COLOUR": Code(
        "error", "colour slice", "Export one channel of it as a grey scale file."
    ),
    "SLICE_PAGES": Code(
        "error", "file with several pages", "Save each page as a file of its own."
    ),
    "SLICE_SIZE": Code(
        "error", "slice of another size", "Export these slices at the size of the others."
    ),
    "SLICE_DEPTH": Code(
        "error",
        "slice of another bit depth",
        "Export these slices at the bit depth of the others.",
    ),
    "SLICE_DTYPE": Code(
        "error",
        "values do not fit the channel's type",
        "Set `dtype` to the type of the files, or convert the files yourself.",
    ),
    "SLICE_CHANGED": Code(
        "error",
        "file changed while the run was going on",
        "Run the same command again once the file is complete.",
    ),
    "SLICE_NARROW": Code("note", "files use fewer bits than their type holds"),
    "MASK_KIND": Code("note", "how the mask is read"),
    "MASK_DOUBT": Code(
        "error",
        "mask kind is in doubt",
        "Set `kind: binary` or `kind: labels` for this annotation in the config.",
    ),
    "MASK_LOSSY_LABELS": Code(
        "error",
        "labels in a lossy file format",
        "Export the labels as PNG or TIFF, or set `kind: binary` if this is a plain mask.",
    ),
    "MASK_EMPTY": Code("warning", "mask without any foreground"),
    "MASK_FULL": Code("warning", "mask without any background"),
    "MASK_UINT32": Code("note", "published as uint64: BossDB cannot store uint32"),
    "STACK_STALE": Code(
        "error",
        "stack made under another reading of the files",
        "Run again with `--forcerun prepare_slab`.",
    ),
}

REGION_CODES: dict[str, Code] = {}

CODES: dict[str, Code] = CONFIG_CODES | SLICE_CODES | REGION_CODES
