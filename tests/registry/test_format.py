"""Registries, right and hostile: nothing wrong is taken, and nothing that is refused does harm or stops the rest."""

import json
import tomllib
import unicodedata
from pathlib import Path, PurePosixPath

import jsonschema
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.catalog import catalog
from zoo.catalog.points import built_in_registry
from zoo.errors import BadRegistry
from zoo.registry.describe import describe
from zoo.registry.format import MOST_ENTRIES, parse, schema

ROOT = Path(__file__).parent.parent.parent
RIGHT = {
    "name": "tiny",
    "summary": "A plugin",
    "distribution": "zoo-tiny",
    "requirement": "zoo-tiny==1.0",
    "api": ">=1.0,<2",
    "licence": "MIT",
    "homepage": "https://example.org/tiny",
}
WHEEL = {"file": "zoo_tiny-1.0-py3-none-any.whl", "sha256": "0" * 64}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _parse(*plugins, **more):
    return parse(tomli_w.dumps({"format": 1, "plugins": list(plugins), **more}).encode(), "it")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"requirement": "zoo-tiny[big]==1.0.post1"},
        {"requirement": "wheels/zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]},
        {"requirement": "https://example.org/zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]},
        {"requirement": "./plugins/tiny"},
        {"requirement": f"git+https://example.org/a/tiny.git@{COMMIT}"},
        {"folder": "plugins/tiny", "verified": True, "bytes": 12, "backbones": [{"name": "b", "modality": "image"}]},
    ],
)
def test_right_entries(change):
    entries, problems = _parse(RIGHT | change)
    assert not problems
    assert entries[0].requirement == (RIGHT | change)["requirement"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../../etc"}, "name"),
        ({"name": "Tiny"}, "name"),
        ({"name": 7}, "name"),
        ({"summary": "a\x1b[2Jb"}, "printable"),
        ({"summary": "a\nb"}, "printable"),
        ({"summary": "good\u202egro.live"}, "printable"),
        ({"summary": "x" * 301}, "summary"),
        ({"requirement": "--target=/etc"}, "requirement"),
        ({"requirement": "-r /etc/passwd"}, "requirement"),
        ({"requirement": "zoo-tiny==1.0 --hash=x"}, "requirement"),
        ({"requirement": "zoo-tiny>=1.0"}, "one version"),
        ({"requirement": "zoo-tiny"}, "one version"),
        ({"requirement": "zoo-tiny==1.*"}, "one version"),
        ({"requirement": "other==1.0"}, "distribution"),
        ({"requirement": "zoo-tiny @ https://evil.example/x.tar.gz"}, "requirement"),
        ({"requirement": "../zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]}, "inside"),
        ({"requirement": "/tmp/zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]}, "inside"),
        ({"requirement": "file:///zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]}, "https"),
        ({"requirement": "http://example.org/zoo_tiny-1.0-py3-none-any.whl", "artefacts": [WHEEL]}, "https"),
        ({"requirement": "wheels/zoo_tiny-1.0-py3-none-any.whl"}, "no sha256"),
        ({"requirement": "./a/../../b"}, "inside"),
        ({"requirement": "git+https://example.org/tiny.git@main"}, "COMMIT"),
        ({"requirement": f"git+ssh://example.org/tiny.git@{COMMIT}"}, "COMMIT"),
        ({"requirement": f"git+https://example.org/--upload-pack=x/..@{COMMIT}"}, "COMMIT"),
        ({"folder": "../.."}, "inside"),
        ({"folder": "C:\\x"}, "inside"),
        ({"api": "any"}, "version range"),
        ({"homepage": "javascript:alert(1)"}, "https"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": "much"}, "bytes"),
        ({"artefacts": [WHEEL | {"sha256": "short"}]}, "sha256"),
        ({"artefacts": [WHEEL | {"file": "../x.whl"}]}, "file"),
        ({"backbones": [{"name": "b", "modality": "a sound"}]}, "modality"),
        ({"backbones": [{"name": "b", "modality": "image"}] * 2}, "twice"),
        ({"surprise": True}, "surprise"),
    ],
)
def test_a_wrong_entry_is_left_out_with_the_reason_and_the_others_stay(change, said):
    entries, problems = _parse(RIGHT | change, RIGHT | {"name": "other"})
    assert [entry.name for entry in entries] == ["other"]
    (problem,) = problems
    assert said in problem
    assert problem.isprintable()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "format None"),
        (b"format = 2", "format 2"),
        (b"\xff", "not a TOML file"),
        (b"format = ", "not a TOML file"),
        (b"format = 1\nplugins = 3", "plugins"),
        (b"format = 1\nsurprise = 3", "surprise"),
        (b"x = " + b"[" * 100_000, "not a TOML file"),
        (b"format = 1\n" + b"[[plugins]]\n" * (MOST_ENTRIES + 1), "at most"),
        (b"[[plugins]]\n" * 1_000_000, "MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_registry_is_a_sentence(content, said):
    with pytest.raises(BadRegistry, match=said):
        parse(content, "it")


def test_two_of_one_name_are_not_mixed_up():
    entries, problems = _parse(RIGHT, RIGHT | {"summary": "another"})
    assert [entry.summary for entry in entries] == ["A plugin"]
    assert "another entry" in problems[0]


NASTY = ["../x", "-e .", "--target=/", "\x1b[2J", "a;b", "${HOME}", "==", "\u202e", "~"]
text = st.text(max_size=40) | st.sampled_from(NASTY)
anything = st.recursive(
    text | st.integers(-(2**70), 2**70) | st.booleans() | st.floats() | st.binary(max_size=3).map(repr),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
hostile = st.dictionaries(st.sampled_from(sorted(RIGHT)), anything | text, max_size=4).map(lambda new: RIGHT | new)
extra = st.dictionaries(st.sampled_from(["folder", "bytes", "artefacts", "backbones", "heads", "verified"]), anything)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(hostile, extra).map(lambda two: two[0] | two[1]) | anything, max_size=4))
def test_whatever_stands_in_a_registry_what_is_taken_is_harmless(plugins):
    try:
        content = tomli_w.dumps({"format": 1, "plugins": plugins}).encode()
        tomllib.loads(content.decode())
    except (TypeError, ValueError):
        return  # cannot be written as TOML
    entries, problems, refused = _read(content)
    assert refused.isprintable()
    if refused:
        return
    assert len(entries) + len(problems) == len(plugins)
    assert all(problem.isprintable() for problem in problems)
    for entry in entries:
        assert not entry.requirement.startswith("-")
        assert not any(sign.isspace() for sign in entry.requirement)
        texts = [entry.name, entry.summary, entry.distribution, entry.requirement, entry.licence, entry.homepage]
        assert all(unicodedata.category(sign)[0] != "C" for one in texts for sign in one)
        for path in (entry.folder, entry.requirement if entry.kind == "folder" else None):
            assert path is None or not (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts)
    document = {"format": 1, "plugins": [json.loads(json.dumps(p, default=str)) for p in plugins]}
    if not problems:
        jsonschema.validate(document, schema())


started = st.text(max_size=300).map(lambda text: ("format = 1\n" + text).encode("utf-8", "replace"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | started)
def test_bytes_of_any_kind_are_read_or_refused_in_one_sentence(content):
    _, problems, refused = _read(content)
    assert refused.isprintable()
    assert all(problem.isprintable() for problem in problems)


def _read(content):
    """Entries, problems, and the sentence with which the whole was refused."""
    try:
        return *parse(content, "it"), ""
    except BadRegistry as error:
        return [], [], str(error)


def test_the_built_in_registry_is_right_and_says_what_its_plugins_say(tmp_path):
    content = built_in_registry().read_bytes()
    entries, problems = parse(content, "built-in")
    assert not problems
    jsonschema.validate(tomllib.loads(content.decode()), schema())
    listed = {entry.name: entry for entry in entries}
    loaded = [plugin for plugin in catalog().plugins if plugin.status == "loaded"]
    assert {plugin.name for plugin in loaded} <= set(listed)
    for plugin in loaded:
        (found,) = describe(plugin.distribution, built_in_registry(), verified=True)
        written = listed[plugin.name]
        assert (found.backbones, found.heads) == (written.backbones, written.heads), f"zoo registry add {plugin.name}"
        assert (found.requirement, found.folder, found.api) == (written.requirement, written.folder, written.api)
        assert (found.summary, found.licence, found.homepage) == (written.summary, written.licence, written.homepage)


def test_the_json_schema_in_the_documentation_is_that_of_the_code():
    assert json.loads((ROOT / "docs" / "registry.schema.json").read_text()) == json.loads(json.dumps(schema()))
