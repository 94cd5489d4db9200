"""Codes of findings on tables of regions, points and volumes of values, and the tree."""

from brainpublish.codes.code import Code

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
