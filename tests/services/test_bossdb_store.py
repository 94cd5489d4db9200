"""The store folder: identity and secrets, made once, shown to nobody."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal
from brainpublish.local.store import SECRET_NAMES, LocalStore


def test_everyone_who_opens_a_store_finds_the_same(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: LocalStore(tmp_path / "s").open(), range(8)))
    assert len({store.id for store in opened}) == 1
    assert len({tuple(sorted(store.secrets.items())) for store in opened}) == 1
    assert set(opened[0].secrets) == set(SECRET_NAMES)
    assert len(set(opened[0].secrets.values())) == len(SECRET_NAMES)
    assert opened[0].bossdb_folder.is_dir()
    assert opened[0].atlas_folder.is_dir()


def test_secrets_are_for_the_owner_alone(tmp_path):
    store = LocalStore(tmp_path).open()
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    for shown in (repr(store.secrets), str(store.secrets), repr(store), str(vars(store))):
        assert not any(secret in shown for secret in store.secrets.values())
    identity = (tmp_path / "store.json").read_text()
    assert not any(secret in identity for secret in store.secrets.values())


def test_two_stores_share_nothing(tmp_path):
    one, other = (LocalStore(tmp_path / name).open() for name in "ab")
    assert one.id != other.id
    assert not set(one.secrets.values()) & set(other.secrets.values())


def test_a_store_of_another_format_is_refused(tmp_path):
    LocalStore(tmp_path).open()
    file = tmp_path / "store.json"
    write_json(file, read_json(file) | {"format": 2})
    with pytest.raises(Refusal, match="format 2"):
        LocalStore(tmp_path).open()
