"""Further names of regions, outdated or foreign ones, out of a table of the user's."""

from brainpublish.findings import Finding
from brainpublish.regions.resolve import Resolver, resolver, trimmed
from brainpublish.regions.table import read_table
from brainpublish.regions.universe import Region, universe


def known_regions(section: dict) -> tuple[Resolver, list[Finding]]:
    """Return what a table's section takes for the name of a region, and faults in its synonyms."""
    ignore_case = section.get("ignore_case", False)
    path = section.get("synonyms")
    if not path:
        return resolver(ignore_case), []
    synonyms, findings = read_synonyms(path)
    return Resolver(universe(), ignore_case, synonyms), findings


def read_synonyms(path: str) -> tuple[dict[str, Region], list[Finding]]:
    """Return {text: region} of a table: first column what is written, second which region."""
    table, findings = read_table(path, [])
    if table is None:
        return {}, findings
    if table.frame.shape[1] < 2:
        what = "needs two columns: what is written, and the region"
        return {}, [*findings, Finding("TABLE_COLUMN", path, what)]
    synonyms: dict[str, Region] = {}
    for row, written, meant in table.frame.iloc[:, :2].itertuples():
        match = resolver().match(meant)
        if match.region is None:
            what = f"{match.written!r} is no region of the atlas; {match.hint}".rstrip("; ")
            findings.append(Finding("REGION_UNKNOWN", table.place(row), what))
        elif synonyms.setdefault(trimmed(written), match.region) != match.region:
            what = f"{written!r} is given with two regions"
            findings.append(Finding("SYNONYM_TWICE", table.place(row), what))
    return synonyms, findings
