"""The menu of a bucket: nested names whose leaves are features."""

from collections.abc import Iterator, Sequence

from brainpublish.findings import Finding


def feature_names(bucket: dict) -> list[str]:
    """Return the names of a bucket's features in the order of the config, each once."""
    of_tables = [name for table in bucket["tables"] for name in table["features"]]
    return list(dict.fromkeys([*of_tables, *bucket.get("points", ()), *bucket.get("volume", ())]))


def leaves(tree: dict, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (labels from the top, feature name) of each leaf."""
    for label, below in tree.items():
        path = (*above, str(label))
        if isinstance(below, dict):
            yield from leaves(below, path)
        else:
            yield path, str(below)


def tree_findings(bucket: str, tree: dict | None, names: Sequence[str]) -> list[Finding]:
    """Say which leaves name no feature, and which features no leaf shows.

    Without a tree the site shows all features by name; with a tree, only what is in it.
    """
    if tree is None:
        return []
    where = f"bucket {bucket}, tree"
    shown: dict[str, str] = {}
    findings = []
    for path, name in leaves(tree):
        label = " / ".join(path)
        if name not in names:
            findings.append(
                Finding(
                    "TREE_LEAF_UNKNOWN", where, f"{label!r} names {name!r}, which is no feature"
                )
            )
        elif name in shown:
            findings.append(
                Finding(
                    "TREE_LEAF_TWICE", where, f"{name!r} is at {shown[name]!r} and at {label!r}"
                )
            )
        else:
            shown[name] = label
    hidden = [name for name in names if name not in shown]
    if not shown:
        findings.append(Finding("TREE_EMPTY", where, "no leaf shows a feature"))
    elif hidden:
        findings.append(Finding("FEATURE_NOT_IN_TREE", where, ", ".join(hidden)))
    return findings
