"""The stable codes of findings: what each means, how severe it is, what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """Meaning of a code.

    `severity` is error, warning or note; `fix` is the usual way out; `waived` says what
    happens if the config waives an error of this code, and is empty where none may be.
    """

    severity: str
    title: str
    fix: str = ""
    waived: str = ""


CONFIG_CODES: dict[str, Code] = {}

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

REGION_CODES: dict[str, Code] = {
    "TABLE_MISSING": Code("error", "a table is not there", "Check `path`, or bring the file."),
    "TABLE_UNREADABLE": Code("error", "a file cannot be read as a table", "Save it as UTF-8 CSV."),
    "TABLE_EMPTY": Code("error", "a table has no rows", "Check that the export was complete."),
    "TABLE_COLUMN": Code(
        "error",
        "a column is not in the table",
        "Correct the name in the config, or the header of the table.",
    ),
    "TABLE_COLUMN_TWICE": Code(
        "error", "two columns have one name", "Rename one: it is unclear which is meant."
    ),
    "TABLE_RAGGED": Code(
        "error",
        "a row has more cells than the header",
        "Look for a comma inside a number or a name; quote that cell.",
    ),
    "TABLE_SHORT_ROW": Code(
        "error",
        "a row ends before the columns that are needed",
        "Is the file cut off? Write a separator for each empty cell.",
    ),
    "TABLE_BLANK_ROWS": Code("note", "blank rows are passed over"),
    "TABLE_READ_AS": Code("note", "a table is not plain UTF-8 CSV with commas"),
    "REGION_UNKNOWN": Code(
        "error",
        "a region is not in the Allen ontology of 2017",
        "Write the acronym, the atlas id or the full name as the atlas has it. Upper and "
        "lower case matter; `ignore_case: true` accepts a name that fits only one region, and "
        "`synonyms` names a table of outdated or foreign names.",
    ),
    "REGION_IS_DATE": Code(
        "error",
        "a date stands where a region is expected",
        "A spreadsheet changed it: restore the acronym from the source and save it as text.",
    ),
    "REGION_EMPTY": Code(
        "error", "a row has values but no region", "Name the region, or remove the row."
    ),
    "REGION_OUTSIDE": Code(
        "warning", "void, root, retina and unassigned rows are left out", "Nothing, if so meant."
    ),
    "REGION_TRIMMED": Code("note", "blanks around a region were ignored"),
    "REGION_ANY_CASE": Code("warning", "a region was matched in another case", "Check the match."),
    "REGION_SYNONYM": Code("note", "a region was matched by a synonym of yours"),
    "SYNONYM_TWICE": Code("error", "a synonym stands for two regions", "Remove one of the rows."),
    "REGION_OTHER_ATLAS": Code(
        "warning",
        "a table does not look like one of this atlas",
        "Is the table of another atlas, another species, or is `regions` another column?",
    ),
    "REGION_DISAGREES": Code(
        "warning",
        "the names beside the regions say something else",
        "Compare the rows: acronyms and ids of another atlas may mean other regions here.",
    ),
    "REGION_ID_ROUNDED": Code(
        "warning",
        "an atlas id may be another one that was rounded",
        "If the column was ever stored as float32, take the ids from the source.",
    ),
    "REGION_ID_FORM": Code("note", "atlas ids are not plain whole numbers"),
    "REGION_MIXED": Code("note", "a column mixes atlas ids with acronyms or names"),
    "REGION_NODE_OR_LEAF": Code(
        "note",
        "regions that have voxels of their own beside the regions inside them",
        "`nodes: whole` takes them for all of the region, `nodes: own` for the rest of it that "
        "no region inside covers.",
    ),
    "REGION_BY_NAME": Code("note", "regions were given by full name"),
    "REGION_SIDE": Code(
        "error",
        "the sign of an atlas id and the hemisphere disagree",
        "A negative atlas id is the left side. Correct the sign or `hemisphere`; for ids "
        "without a sign, name a column that holds the side.",
    ),
    "HEMISPHERE_UNKNOWN": Code(
        "error", "a side is not known", "Write left, right or both (l, r, lh, rh are read too)."
    ),
    "HEMISPHERE_MISSING": Code(
        "error",
        "regions are given without a side",
        "Set `hemisphere` to left, right, both, or the name of a column.",
    ),
    "REGION_DUPLICATE": Code(
        "error",
        "a region is given more than once",
        "Choose how to make one value: `aggregate: mean`, median, sum, min, max or weighted.",
    ),
    "REGION_AGGREGATED": Code("note", "several rows make one value"),
    "REGION_OVERLAP": Code(
        "warning",
        "a region is given together with regions inside it",
        "Give regions that do not contain each other. The views disagree otherwise: the Allen "
        "view may spread the inner value to its neighbours, Beryl and Cosmos average both. "
        "`overlap: expand` gives the outer value to what the inner regions leave; `nodes: own` "
        "takes TH, MB and their like for their own voxels.",
    ),
    "REGION_EXPANDED": Code("note", "outer values go to what the regions given inside leave"),
    "REGION_INVISIBLE": Code("note", "regions that no view of the website shows by themselves"),
    "REGION_HIDDEN_IN_VIEW": Code("note", "regions that one view does not show by themselves"),
    "VIEW_OF_ONE_REGION": Code(
        "note", "a view with a single region, which the website takes for empty"
    ),
    "VALUE_NOT_NUMBER": Code(
        "error", "a cell holds no number", "Write a plain number, or leave the cell empty."
    ),
    "VALUE_NOT_FINITE": Code(
        "error", "a number is infinite or too large", "Leave the cell empty if it has no value."
    ),
    "VALUE_NOT_EXACT": Code(
        "error", "a whole number has too many digits", "Scale the column; an id is no value."
    ),
    "VALUE_RANGE": Code(
        "warning",
        "the values are very small or very large",
        "Check the unit: are the numbers in V where uV is meant? Scale them if so.",
    ),
    "WEIGHT": Code(
        "error", "a row has no weight", "Write a number of 0 or more into the column of weights."
    ),
    "LONG_ROWS_UNUSED": Code("note", "rows of a long table belong to no feature of the config"),
    "VALUE_MISSING": Code("note", "regions without a value are left out"),
    "VALUE_CODE": Code(
        "error",
        "a value looks like a code for missing",
        "Name it in the table's section, as `missing: ['-999']`; or write `missing: []` there if "
        "it is a value like the others.",
    ),
    "VALUE_ZERO": Code(
        "note",
        "the website paints exactly 0 grey, like a region without a value",
        "Leave the cell empty where 0 stands for no value; else nothing.",
    ),
    "FEATURE_EMPTY": Code("error", "a feature has no value", "Check its column, or remove it."),
    "FEATURE_CONSTANT": Code("warning", "all values of a feature are the same"),
    "FEATURE_INVISIBLE": Code(
        "error", "no view shows the feature", "Give regions that a view of the website shows."
    ),
    "POINT_NO_PLACE": Code(
        "error", "a point has no coordinate", "Fill the cell, or remove the row."
    ),
    "POINT_OUTSIDE": Code(
        "warning",
        "points are outside the box that the website draws",
        "Check `coordinate_unit` and `frame`.",
    ),
    "POINT_TIGHT": Code(
        "error", "all points are at one place", "Check `coordinate_unit` and `frame`."
    ),
    "VOLUME_MISSING": Code("error", "a volume is not there", "Check `path`, or bring the file."),
    "VOLUME_UNREADABLE": Code(
        "error", "a file cannot be read as a volume", "Save it as npy, NIfTI or NRRD."
    ),
    "VOLUME_SHAPE": Code(
        "error",
        "a volume is not on the grid of the website",
        "Bring it to the Allen framework at 25 um, or say by `axes` and `resample` how it is made "
        "to fit.",
    ),
    "VOLUME_AXES": Code(
        "error",
        "the header of a volume says that its axes run another way",
        "Look at the volume, and set `axes` to what is right.",
    ),
    "VOLUME_HEADER": Code(
        "warning",
        "the header of a volume contradicts the way in which it is read",
        "Check spacing and `axes`: the website shows no header.",
    ),
    "VOLUME_NOT_FINITE": Code(
        "error", "a volume holds infinite values", "Write NaN where there is no value."
    ),
    "VOLUME_NAN": Code("note", "voxels without a value"),
    "VOLUME_STEPS": Code("note", "the website draws 256 levels of a volume"),
    "VOLUME_BACKGROUND": Code(
        "note", "values below 0 make space without a value look like a value in the middle"
    ),
    "TREE_LEAF_UNKNOWN": Code(
        "error", "a leaf of the tree names no feature", "Write the feature's name, or add it."
    ),
    "TREE_LEAF_TWICE": Code("warning", "a feature is twice in the tree", "Remove one leaf."),
    "TREE_EMPTY": Code(
        "error", "a tree without features hides everything", "Add leaves, or leave `tree` out."
    ),
    "FEATURE_NOT_IN_TREE": Code(
        "warning", "features that the website will hide", "Add them to `tree` to show them."
    ),
}

CODES: dict[str, Code] = CONFIG_CODES | SLICE_CODES | REGION_CODES
