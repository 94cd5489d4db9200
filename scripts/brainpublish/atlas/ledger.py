"""What one bucket on one service was last seen to hold: digests of payloads, kept locally.

The service has no digest of its own. An entry is trusted only after the feature was read back
and equal; before a write it is marked as in doubt. A lost ledger costs a read-back.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from brainpublish.files import read_json, write_json

log = logging.getLogger(__name__)

IN_DOUBT, VERIFIED = "in doubt", "verified"


class Ledger:
    """The ledger of a bucket. Every change is on disk when the method returns.

    `maker` is the mark of the bucket that the entries are about (None for a bucket that
    carries no mark), `tree` the tree that was last set.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        content = self._content()
        self.exists = bool(content)
        self.maker: str | None = content.get("maker")
        self.tree: dict | None = content.get("tree")
        self.features: dict[str, dict[str, str]] = content.get("features", {})

    def _content(self) -> dict:
        if not self.path.exists():
            return {}
        try:
            content = read_json(self.path)
        except ValueError:
            log.warning("the ledger %s is damaged; features are read back instead", self.path)
            return {}
        return content

    def begin(self, maker: str | None) -> None:
        """Start to keep book of a bucket; entries about another bucket are dropped."""
        if self.exists and self.maker == maker:
            return
        self.maker, self.tree, self.features = maker, None, {}
        self._save()

    def verified_digest(self, name: str) -> str | None:
        """Return the digest of what the service was seen to hold, None if in doubt."""
        entry = self.features.get(name, {})
        return entry.get("digest") if entry.get("state") == VERIFIED else None

    def doubt(self, digests: Mapping[str, str]) -> None:
        """Note that features, {name: digest}, are about to be written."""
        self._note(digests, IN_DOUBT)

    def verify(self, digests: Mapping[str, str]) -> None:
        """Note that features, {name: digest}, were read back and are what the digests say."""
        self._note(digests, VERIFIED)

    def forget(self, name: str) -> None:
        """Note that a feature is gone."""
        self.features.pop(name, None)
        self._save()

    def set_tree(self, tree: dict | None) -> None:
        """Note which tree the bucket has."""
        if tree != self.tree:
            self.tree = tree
            self._save()

    def _note(self, digests: Mapping[str, str], state: str) -> None:
        if digests:
            notes = {name: {"digest": d, "state": state} for name, d in digests.items()}
            self.features |= notes
            self._save()

    def _save(self) -> None:
        self.exists = True
        write_json(self.path, {"maker": self.maker, "tree": self.tree, "features": self.features})
