"""Cells of tables as lists, however a list was printed."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo

PARTS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6)


@given(PARTS)
def test_a_list_is_the_same_however_it_was_printed(parts):
    assert zoo.list_of(parts) == zoo.list_of(str(parts)) == zoo.list_of(json.dumps(parts)) == parts
    assert zoo.list_of(repr(tuple(parts))) == parts


@given(st.lists(st.from_regex(r"[\w'.-]{1,8}", fullmatch=True), min_size=1, max_size=6))
def test_a_list_that_numpy_printed(parts):
    assert zoo.list_of(str(np.array(parts, object))) == parts
    assert zoo.list_of(repr(np.array(parts, object))) == parts


@pytest.mark.parametrize(
    "text",
    [
        *("[0-10]", "[2020-2021]", "[1.5.2]", "[sic]", "[deleted] by [user]", "(see below)", "{'a': 1}"),
        *("[['a'], ['b']]", "a, b", "['a'b']"),
    ],
)
def test_a_text_in_brackets_is_no_list(text):
    assert zoo.list_of(text) is None


@given(st.lists(st.text(min_size=1, max_size=8) | st.integers() | st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_a_list_of_values_of_numpy_that_python_printed(values):
    kinds = {str: np.str_, int: lambda n: np.int64(n) if abs(n) < 2**63 else n, float: np.float64}
    assert zoo.list_of(repr([kinds[type(value)](value) for value in values])) == list(map(str, values))


def test_values_of_numpy_are_read_as_the_values():
    assert zoo.list_of("[np.str_('EU'), np.int64(3), np.float32(1.0)]") == ["EU", "3", "1.0"]
    assert zoo.list_of("[np.True_, np.bool_(False), np.float64(nan), np.str_(\"it's (a) 'b'\")]") == [
        "true",
        "false",
        "",
        "it's (a) 'b'",
    ]
    assert zoo.list_of("[u'EU', u\"isn't\"]") == ["EU", "isn't"]


def test_sets_are_lists_and_an_empty_one_is_empty():
    assert zoo.list_of("set()") == zoo.list_of("frozenset()") == zoo.list_of("frozenset({})") == []
    assert zoo.list_of("frozenset({'a', 'b'})") == zoo.list_of("set(['a', 'b'])") == ["a", "b"]
    assert zoo.list_of("set(a)") is None


def test_numbers_and_nothing():
    assert zoo.list_of(["a", None, float("nan")]) == zoo.list_of('["a", null, NaN]') == ["a", "", ""]
    assert zoo.list_of("['a', None, nan]") == ["a", "", ""]
    assert zoo.list_of("[1, 0, True, None]") == ["1", "0", "true", ""]
    assert zoo.list_of("[]") == []


def test_a_list_whose_middle_is_lost_is_refused():
    with pytest.raises(zoo.BadData, match="cut short"):
        zoo.list_of(str(np.arange(2000)))
