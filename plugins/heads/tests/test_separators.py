"""What separates the labels in a cell: certain, asked for, or none."""

import pytest

import zoo
from zoo_heads.separators import certain, find, named, split


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["funny,sad", "sad, long", "funny"], ","),
        (["a;b", "b", "a", "b;c;a", "|"], ";"),
        (["a/b", "b/c", "c/a"], "/"),
        (["a\tb", "b", "a"], "\t"),
        (["a\nb", "b", "a"], "\n"),
        (["New York|USA", "Paris|France"], "|"),
        (["New York, USA|Paris, France", "Paris, France"], "|"),
        (["Doe, Ann; Roe, Bob", "Roe, Bob", "Doe, Ann"], ";"),
        (["science fiction, slow burn", "slow burn", "science fiction"], ","),
        (["red", "blue", "|"], "|"),
        (["very good", "rather bad"], "|"),
        (["sci-fi", "lo-fi"], "|"),
    ],
)
def test_what_the_labels_show_is_certain(cells, separator):
    assert find(cells) == separator
    assert find(reversed(cells * 3)) == separator


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["New York, USA", "Paris, France"], r"'New York, USA' may be one label, or several .* separated by ','"),
        (["Springfield, USA", "Boston, USA"], r"--set separator=none; for several: --set separator=,$"),
        (["a|b", "a,b"], r"separated by '\|' \(as in 'a\|b'\) or by ',' \(as in 'a,b'\)"),
        (["a;b", "a", "b", "a,b"], r"separated by ',' .* or by ';' .*--set separator=, or --set 'separator=;'$"),
        (["good bad", "bad", "good"], r"separated by spaces\. .*--set separator=space$"),
        (["good & bad", "bad", "good"], r"--set 'separator=&'$"),
        (
            ["__label__a __label__b", "__label__b", "__label__a"],
            r"'__label__', as .*: --set separator=space; the prefix",
        ),
        (["__label__a __label__b", "__label__c __label__d"], r"--set separator=space; the prefix"),
        ([f"label{n}" for n in range(300)], r"There are 300 different labels"),
    ],
)
def test_a_doubt_is_a_question_that_names_the_option(cells, said):
    with pytest.raises(zoo.BadData, match=said):
        find(cells)


def test_labels_of_lists_are_known_where_texts_are_split():
    assert find(["funny,sad"], ["funny", "sad"]) == ","


def test_a_separator_may_be_named_in_a_word():
    assert [named(word) for word in ("tab", "\\t", "space", "comma", ", ", "none")] == [
        "\t",
        "\t",
        " ",
        ",",
        ", ",
        None,
    ]
    assert split(" a , b,,a ", ",") == ["a", "b", "a"]
    assert split("a b", None) == ["a b"]
    assert split("|", ",") == split(" | ", None) == []


def test_only_what_is_certain_is_noted_for_classes():
    assert certain(["funny,sad", "sad", "funny"]) == ","
    assert certain(["New York, USA", "Paris, France", "red"]) == ""
