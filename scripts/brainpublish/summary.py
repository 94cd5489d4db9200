"""What a run left, said in a few lines for the person at the terminal."""

from pathlib import Path

from brainpublish.codes import CODES
from brainpublish.files import read_json
from brainpublish.findings import WARNING

RESULTS = Path("results")
RECEIPTS = RESULTS / "receipts"
FINDINGS = ("volumes/*/*/findings.json", "features/*/findings.json")
LONGEST = 160  # of what is shown of a warning


def run_summary() -> str:
    """Return where the receipts of the working directory are, and what was warned of."""
    return "\n".join([_receipts_text(), *_warning_lines()])


def _warning_lines() -> list[str]:
    """Return one line for each code of the warnings that stopped nothing, with an example."""
    files = sorted(path for pattern in FINDINGS for path in RESULTS.glob(pattern))
    # Files of an older version may hold codes that are no more: they are passed over.
    found = [
        each
        for path in files
        for each in read_json(path)
        if each["severity"] == WARNING and each["code"] in CODES
    ]
    groups = {code: [each for each in found if each["code"] == code] for code in CODES}
    lines = [
        f"  {code} ({len(group)}): {CODES[code].title}: "
        f"{_cut('{where}: {message}'.format(**group[0]))}"
        for code, group in groups.items()
        if group
    ]
    if not lines:
        return []
    return [f"{len(found)} warnings, all of them in findings.json below results/:", *lines]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _receipts_text() -> str:
    receipts = {path: read_json(path) for path in sorted(RECEIPTS.glob("*/**/*.json"))}
    if not receipts:
        return "Checked. Nothing was sent; findings and intermediates are below results/."
    modes = {receipt["verified"].get("mode", "full") for receipt in receipts.values()}
    head = "Published and verified." if modes == {"full"} else "Published, not all of it verified."
    lines = [f"  {path}  {_claim(receipt)}" for path, receipt in receipts.items()]
    return "\n".join([f"{head} The receipts:", *lines])


def _claim(receipt: dict) -> str:
    if "channel" in receipt:
        cuboids, read = receipt["cuboids"], receipt["verified"]
        refused = receipt["downsample"].get("refused")
        return (
            f"{receipt['channel']}: {cuboids['total']} cuboids, "
            f"{read['cuboids']} read back equal ({read['mode']})"
            + (f"; NOT downsampled, the server refuses: {refused}" if refused else "")
        )
    left = ", ".join(receipt["left"])
    more = f"; still there, but not in the config: {left}" if left else ""
    return f"{len(receipt['features'])} features: {receipt['url']}{more}"
