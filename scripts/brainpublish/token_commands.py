"""The commands `brainpublish token ...`: how a lab shares the token of a bucket."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from brainpublish.atlas.endpoint import AtlasEndpoint
from brainpublish.atlas.tokens import (
    PRIVATE,
    file_name,
    find_token,
    import_token,
    remote_atlas,
    shared_token,
)
from brainpublish.destination import stored_atlas
from brainpublish.files import write_text
from brainpublish.findings import Refusal

app = typer.Typer(
    no_args_is_help=True,
    help="Share the token of a bucket on the atlas website. A token is never given as an "
    "argument: other users of a machine can see those.",
)

PUBLIC_API = "https://features.internationalbrainlab.org/api/"

Bucket = Annotated[str, typer.Argument(help="The bucket's name.")]
Api = Annotated[str, typer.Option(help="Address of the features service, as in the config.")]
Store = Annotated[
    Path | None,
    typer.Option(help="The `store` of the config, for a bucket of the embedded service."),
]


@app.command("export")
def export_command(
    bucket: Bucket,
    file: Annotated[
        Path | None,
        typer.Argument(help="A new file for the token, readable by you alone. Default: print it."),
    ] = None,
    api: Api = PUBLIC_API,
    store: Store = None,
) -> None:
    """Print the token of a bucket, or write it to a file."""
    endpoint = _endpoint(api, store)
    token = find_token(endpoint, bucket)
    if token is None:
        way_out = "" if store else " If it is on the embedded service, name its store: `--store`."
        raise Refusal(
            f"No token of {bucket} is known here: looked at {file_name(endpoint.tokens_file)}."
            f"{way_out}"
        )
    if file is None:
        typer.echo(token.value)
        return
    if file.exists():
        raise Refusal(f"{file} exists already. Name a new file.")
    write_text(file, f"{token.value}\n", PRIVATE)
    typer.echo(f"The token of {bucket} is in {file}.")


@app.command("import")
def import_command(
    bucket: Bucket,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The file with the token, or with tokens in the official client's form. "
            "Default: standard input."
        ),
    ] = None,
    api: Api = PUBLIC_API,
    store: Store = None,
) -> None:
    """Take over the token of a bucket, so that runs and the official client find it."""
    kept = import_token(_endpoint(api, store), bucket, shared_token(_given(file), bucket))
    typer.echo(f"The token of {bucket} is in {kept}.")


def _endpoint(api: str, store: Path | None) -> AtlasEndpoint:
    return remote_atlas(_with_slash(api)) if store is None else stored_atlas(store)


def _given(file: Path | None) -> str:
    """Return what is in a file, or on standard input. Its name may be a token by mistake."""
    if file is None or str(file) == "-":
        if sys.stdin.isatty():
            raise Refusal("Give a file, or the token on standard input: < FILE")
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refusal(
            "The file cannot be read. Name a file that holds the token; the token itself is "
            "never an argument."
        ) from None


def _with_slash(api: str) -> str:
    return f"{api.rstrip('/')}/"
