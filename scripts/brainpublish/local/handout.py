"""What people and their tools need to use the embedded services: addresses, tokens, files."""

import json
from pathlib import Path

from brainpublish.files import write_text
from brainpublish.local.store import LocalStore

PRIVATE = 0o600
# Where the clients look, below the home folder.
INTERN_CONFIG = Path(".intern", "intern.cfg")
ATLAS_PARAMETERS = Path(".ibl", "custom_features.json")


def write_handout(store: LocalStore, port: int) -> str:
    """Write the clients' own configuration files into the store; return a text that tells it all.

    The files lie in a home folder of their own, so that a person's real ones are never touched.
    The atlas client keeps its bucket tokens in its file: an existing one stays as it is.
    """
    home = store.path.absolute() / "home"
    write_text(home / INTERN_CONFIG, intern_config(store, port), PRIVATE)
    if not (home / ATLAS_PARAMETERS).exists():
        parameters = {"buckets": {}, "global_key": store.secrets["atlas_global_key"]}
        write_text(home / ATLAS_PARAMETERS, json.dumps(parameters, indent=1), PRIVATE)
    return _text(store, home, port)


def intern_config(store: LocalStore, port: int) -> str:
    """Return an intern.cfg for the embedded BossDB."""
    lines = [
        "[Default]",
        "protocol = http",
        f"host = 127.0.0.1:{port}",
        f"token = {store.secrets['bossdb_manager']}",
    ]
    return "\n".join(lines) + "\n"


def _text(store: LocalStore, home: Path, port: int) -> str:
    tokens = store.secrets
    config = intern_config(store, port).strip()
    return f"""\
Serving the store {store.path.absolute()}

  BossDB          http://127.0.0.1:{port}/v1/
  atlas features  http://127.0.0.1:{port}/api/

The tokens are those of this store; they stay in {store.path.absolute() / "secrets.json"}.

  BossDB token, may do everything       {tokens["bossdb_manager"]}
  BossDB token of a user without roles  {tokens["bossdb_user"]}
  atlas global key, creates buckets     {tokens["atlas_global_key"]}

For intern, written to {home / INTERN_CONFIG}:

{config}

For this project with destination: remote, and for other tools:

export BOSSDB_TOKEN={tokens["bossdb_manager"]}
export ATLAS_GLOBAL_KEY={tokens["atlas_global_key"]}

Programs that read intern.cfg or custom_features.json find both with
HOME={home}
"""
