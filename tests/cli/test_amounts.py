"""How counts, sizes and facts are shown to a person."""

import pytest

from zoo.cli.output import count, size


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (count(999), "999"),
        (count(999_940), "999.9 k"),
        (count(999_960), "1.0 M"),
        (count(None), "?"),
        (size(10), "10 bytes"),
        (size(999_960), "1.0 MB"),
        (size(0), "-"),
    ],
)
def test_numbers_are_in_the_unit_in_which_they_are_short(shown, expected):
    assert shown == expected


def test_the_accuracy_on_pictures_is_no_fact_about_texts(zoo_here):
    status, text, _ = zoo_here("info", "minilm_l6")
    assert (status, "top1" in text) == (0, False)
    status, text, _ = zoo_here("info", "efficientnet_lite0")
    assert (status, "top1" in text) == (0, True)


def test_a_size_to_keep_without_pruning_is_refused_with_the_command(zoo_here):
    status, out, said = zoo_here("cache", "--to", "2GB")
    assert (status, out) == (1, "")
    assert "zoo cache --prune --to 2GB" in said
