"""Digests of code: what counts, and that what is remembered of a file changes none of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish import codedigest, parsedcode
from brainpublish.codedigest import code_digest
from brainpublish.parsedcode import Memory, memory_path, parsed

SOURCES = (b"", b"a = 1", b"from brainpublish import files", b'"""Doc."""\nimport brainpublish.x.y')


@pytest.fixture(autouse=True)
def own_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    codedigest._memory.cache_clear()
    yield
    codedigest._memory.cache_clear()


def package(folder, **modules):
    # A run reads each module once; here they change in between.
    for read in (codedigest._parsed, codedigest._imported_by, codedigest._modules):
        read.cache_clear()
    root = folder / "brainpublish"
    root.mkdir(exist_ok=True)
    (root / "__init__.py").touch()
    for name, text in modules.items():
        (root / f"{name}.py").write_text(text)
    script = folder / "job.py"
    script.write_text("from brainpublish.used import thing\n")
    return script


def test_code_digest_follows_imports_and_nothing_else(tmp_path):
    script = package(
        tmp_path, used="from brainpublish import deep\n", deep="a = 1\n", other="b = 1\n"
    )
    before = code_digest(script)
    package(tmp_path, other="b = 2\n")
    assert code_digest(script) == before
    package(tmp_path, deep="a = 2\n")
    assert code_digest(script) != before


def test_comments_and_docstrings_are_no_code(tmp_path):
    script = package(tmp_path, used="def thing():\n    return 1\n")
    before = code_digest(script)
    package(tmp_path, used='"""Doc."""\n\n\ndef thing():\n    """Doc."""\n    return 1  # why\n')
    assert code_digest(script) == before


def test_digest_is_the_same_with_and_without_memory(tmp_path):
    script = package(tmp_path, used="from brainpublish import deep\n", deep="a = 1\n")
    digests = [code_digest(script)]
    assert memory_path().is_file()
    for change in (lambda: None, memory_path().unlink, lambda: memory_path().write_text("[")):
        change()
        codedigest._memory.cache_clear()
        package(tmp_path)
        digests.append(code_digest(script))
    assert len(set(digests)) == 1


def test_nothing_is_parsed_twice(tmp_path, monkeypatch):
    path = tmp_path / "code.json"
    memory = Memory(path)
    expected = [memory.parsed(source) for source in SOURCES]
    memory.keep()
    monkeypatch.setattr(parsedcode.ast, "parse", None)
    again = Memory(path)
    assert [again.parsed(source) for source in SOURCES] == expected


@given(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"[1]", b"{", b"null"]),
        st.dictionaries(
            st.text(max_size=5), st.none() | st.lists(st.none() | st.text(max_size=5), max_size=2)
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_damaged_memory_is_no_memory(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("memory") / "code.json"
    path.write_bytes(content)
    memory = Memory(path)
    assert [memory.parsed(source) for source in SOURCES] == [parsed(each) for each in SOURCES]
    memory.keep()
    assert Memory(path).parsed(SOURCES[1]) == parsed(SOURCES[1])


def test_memory_of_another_python_is_not_believed(tmp_path, monkeypatch):
    path = tmp_path / "code.json"
    memory = Memory(path)
    memory.parsed(b"a = 1")
    memory.keep()
    held = json.loads(path.read_text())
    path.write_text(json.dumps({key: ["wrong"] for key in held}))
    assert Memory(path).parsed(b"a = 1").digest == "wrong"
    monkeypatch.setattr(parsedcode.sys, "version", "4.0")
    assert Memory(path).parsed(b"a = 1") == parsed(b"a = 1")


def test_memory_that_cannot_be_written_or_has_no_place_changes_nothing(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "code.json", None):
        memory = Memory(path)
        assert memory.parsed(b"a = 1") == parsed(b"a = 1")
        memory.keep()


def test_old_entries_are_forgotten_at_last(tmp_path, monkeypatch):
    monkeypatch.setattr(parsedcode, "_MOST", 3)
    path = tmp_path / "code.json"
    for sources in ([b"a", b"b"], [b"c"], [b"d"]):
        memory = Memory(path)
        for source in sources:
            memory.parsed(source)
        memory.keep()
    assert len(json.loads(path.read_text())) == 1
