"""The command `brainpublish regions`: which regions there are, and what shows them."""

from typing import Annotated

import typer

from brainpublish.findings import Refusal


def regions(
    text: Annotated[
        str | None,
        typer.Argument(
            help="An acronym, an atlas id or a name, matched as in tables; else words that occur "
            "in an acronym or a name. Default: all regions."
        ),
    ] = None,
    tsv: Annotated[bool, typer.Option("--tsv", help="Print tab-separated text.")] = False,
) -> None:
    """List and search the regions of the atlas, and say which view of the website shows each."""
    # The atlas takes a second to load: not for every `brainpublish --help`.
    from brainpublish.regions.lookup import as_text, as_tsv, entries, found_regions

    found, hint = found_regions(text)
    if not found:
        raise Refusal(f"No region is called {text!r}{'; ' if hint else ''}{hint}.")
    listed = entries(found)
    typer.echo(as_tsv(listed) if tsv else as_text(listed))
