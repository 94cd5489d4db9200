"""What a run left, said in a few lines for the person at the terminal."""

from pathlib import Path

from brainpublish.files import read_json

RECEIPTS = Path("results", "receipts")


def run_summary() -> str:
    """Return where the receipts of the working directory are, one line each."""
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
