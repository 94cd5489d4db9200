"""The folder in which the embedded services keep what was published to them."""

import secrets
import uuid
from pathlib import Path

from filelock import FileLock

from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal

FORMAT = 1
SECRET_NAMES = ("bossdb_manager", "bossdb_user", "atlas_global_key")


class Secrets(dict):
    """Tokens by name; the text form shows the names only."""

    def __repr__(self):
        return f"Secrets({', '.join(sorted(self))})"

    __str__ = __repr__


class LocalStore:
    """A store folder: its identity, its secrets, and a folder for each service.

    Attributes after `open`: `id` (hexadecimal text, one per store), `secrets` (dict of tokens:
    bossdb_manager, bossdb_user, atlas_global_key).
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.id = ""
        self.secrets = Secrets()

    @property
    def exists(self) -> bool:
        """Whether there is a store in the folder."""
        return (self.path / "store.json").is_file()

    @property
    def bossdb_folder(self) -> Path:
        """Folder of the volume service."""
        return self.path / "bossdb"

    @property
    def atlas_folder(self) -> Path:
        """Folder of the atlas service."""
        return self.path / "atlas"

    def open(self) -> "LocalStore":
        """Create what is missing and read the identity and the secrets.

        Several processes may open one store at once. Raises Refusal for a store that a newer
        version made.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / ".store.lock"):
            self._create_missing()
        found = read_json(self.path / "store.json")
        if found["format"] != FORMAT:
            raise Refusal(
                f"The local store {self.path} has format {found['format']}; this version reads "
                f"format {FORMAT}. Use another folder or the version that made it."
            )
        self.id = found["id"]
        self.secrets = Secrets(read_json(self.path / "secrets.json"))
        return self

    def _create_missing(self) -> None:
        secrets_file, identity_file = self.path / "secrets.json", self.path / "store.json"
        if not secrets_file.exists():
            tokens = {name: secrets.token_hex(20) for name in SECRET_NAMES}
            write_json(secrets_file, tokens, mode=0o600)
        if not identity_file.exists():
            write_json(identity_file, {"id": uuid.uuid4().hex, "format": FORMAT})
        self.bossdb_folder.mkdir(exist_ok=True)
        self.atlas_folder.mkdir(exist_ok=True)
