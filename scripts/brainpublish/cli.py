"""The command `brainpublish`: what people do by hand, beside the workflow."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from typer.core import TyperGroup

from brainpublish import region_commands, token_commands
from brainpublish.findings import Refusal


class PlainRefusals(TyperGroup):
    """Commands whose refusals are shown as one plain paragraph."""

    def invoke(self, ctx):
        """Run a command; end with status 1 if it refuses."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            typer.echo(f"\n{refusal}\n", err=True)
            raise typer.Exit(1) from None


# Frames of a traceback would show tokens.
app = typer.Typer(
    cls=PlainRefusals,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(token_commands.app, name="token")
app.command()(region_commands.regions)

EVERYWHERE = "0.0.0.0"
NETWORK_WARNING = (
    "Open to the network: anybody who can reach this machine can read everything in this store "
    "and, with a token, change it. Nothing is encrypted, tokens included."
)


@app.callback()
def main() -> None:
    """Publish brain data and prove what was published. The workflow itself is run by snakemake."""


@app.command()
def serve(
    store: Annotated[Path, typer.Option(help="The folder that holds what was published.")] = Path(
        "local-store"
    ),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 lets the system choose one.")
    ] = 8765,
    open_to_network: Annotated[
        bool,
        typer.Option(
            "--open-to-network",
            help="Listen on all network addresses, not only for programs on this machine. Anybody "
            "who can reach this machine can then read everything in the store and, with a token, "
            "change it; nothing is encrypted.",
        ),
    ] = False,
    faults: Annotated[
        bool,
        typer.Option("--faults", help="For tests: let the manager's token add faults over HTTP."),
    ] = False,
) -> None:
    """Run the embedded BossDB and atlas services over a store until Ctrl-C.

    Prints the addresses, and the store's tokens, which other tools need.
    """
    _serve(store, port, open_to_network, faults)


def _serve(folder: Path, port: int, open_to_network: bool, faults: bool) -> None:
    # The services need tensorstore and more: not for every `brainpublish --help`.
    from brainpublish.local.both import both_services
    from brainpublish.local.handout import write_handout
    from brainpublish.local.serve import LOOPBACK, serving
    from brainpublish.local.store import LocalStore

    try:
        store = LocalStore(folder).open()
    except OSError as error:
        raise Refusal(
            f"Cannot use {folder} as a store: {error.strerror}. Name a folder that can be written."
        ) from None
    host = EVERYWHERE if open_to_network else LOOPBACK
    with _stop_signal() as stopped, serving(both_services(store, faults), port, host) as bound:
        typer.echo(write_handout(store, bound))
        if open_to_network:
            typer.echo(f"{NETWORK_WARNING}\n")
        typer.echo("Ready. Stop with Ctrl-C.")
        stopped.wait()
    typer.echo("Stopped.")


@contextlib.contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    app()
