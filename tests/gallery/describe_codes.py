"""The text of docs/findings.md, from the table of codes and what the gallery's cases said."""

from brainpublish.codes import REGION_CODES, SLICE_CODES, Code

HEAD = """# Findings

What the checks say of an input, by code. Errors stop a run before anything is sent. Warnings and
notes do not; warnings are shown, and all of them are in `findings.json` of each volume and bucket.
An error with the line *If waived* can be accepted: name its code under `waive` in the channel's
section of the config. It is then a warning, and the receipt names it.

This file is generated from the table of codes and from the bad-data gallery in tests/gallery.
"""


def describe_codes(examples: dict[str, str]) -> str:
    """Return the whole text; `examples` are places and messages by code."""
    parts = [HEAD]
    for title, codes in (("Slices and masks", SLICE_CODES), ("Region tables", REGION_CODES)):
        parts.append(f"## {title}\n")
        for severity in ("error", "warning", "note"):
            chosen = {name: code for name, code in codes.items() if code.severity == severity}
            parts += [_section(name, code, examples.get(name)) for name, code in chosen.items()]
    return "\n".join(parts)


def _section(name: str, code: Code, example: str | None) -> str:
    lines = [f"### {name}\n", f"{code.severity.capitalize()}: {code.title}.\n"]
    if example:
        lines.append(f"    {example}\n")
    if code.fix:
        lines.append(f"What to do: {code.fix}\n")
    if code.waived:
        lines.append(f"If waived: {code.waived}\n")
    return "\n".join(lines)
