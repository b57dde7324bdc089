"""Numbers in cells: read as they are meant, left out, or asked for."""

import pytest

import zoo
from zoo_heads.numerals import NotANumber, decimals, number, thousands


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1700000003", "", 1_700_000_003),
        (" -1.5E3 ", "", -1500),
        (".5", "", 0.5),
        ("5.", "", 5),
        ("\N{MINUS SIGN}5", "", -5),
        ("\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}", "", 12),
        ("3,14", ",", 3.14),
        ("1.234,5", ",", 1234.5),
        ("1.234.567", ",", 1_234_567),
        ("1,234", ",", 1.234),
        ("1,234", ".", 1234),
        ("1,234.5", ".", 1234.5),
        ("12,34,567", ".", 1_234_567),
        ("1 234", ".", 1234),
        ("1\N{NARROW NO-BREAK SPACE}234,5", ",", 1234.5),
        ("1'234.50", ".", 1234.5),
        ("1_000", ".", 1000),
        ("1,5e3", ",", 1500),
    ],
)
def test_numbers_are_read_as_they_are_meant(text, mark, value):
    assert number(text, mark) == value


@pytest.mark.parametrize("text", ["NA", "n/a", "nan", "NULL", "None", "-", "?", "#DIV/0!", "inf", "-Infinity", "∞"])
def test_a_missing_number_is_left_out(text):
    with pytest.raises(zoo.BadData, match=r"stands for no number|is not finite") as error:
        number(text)
    assert not isinstance(error.value, NotANumber)


@pytest.mark.parametrize("text", ["good", "3.5.1", "2020-01-01", "12:30", "0x10", "2020_01", "1/2", "5 long words"])
def test_what_is_no_number_is_told_from_a_missing_one(text):
    with pytest.raises(NotANumber, match="is not a number"):
        number(text)


@pytest.mark.parametrize(
    ("text", "mark", "said"),
    [
        ("1,234", "", "with --set decimal=. it is 1234, and with --set decimal=, it is 1.234"),
        ("1,234.5", "", "with --set decimal=. it is 1234.5."),
        ("1.234,5", "", "with --set decimal=, it is 1234.5."),
        ("3,14", "", "with --set decimal=, it is 3.14."),
        ("0,123", "", "with --set decimal=, it is 0.123."),
        ("1 234", "", "with --set decimal=. it is 1234"),
        ("1_000", "", "with --set decimal=. it is 1000"),
        ("1.5", ",", "not a number with the decimal mark ','"),
        ("3,14", ".", "not a number with the decimal mark '.'"),
        ("5 kg", "", "not a number alone"),
        ("12%", ".", "not a number alone"),
        ("$3", "", "not a number alone"),
        ("USD 1,000", "", "not a number alone"),
        ("(5)", "", "not a number alone"),
        ("1e300", "", "too large"),
    ],
)
def test_a_doubt_is_a_question(text, mark, said):
    with pytest.raises(zoo.ZooError) as error:
        number(text, mark)
    assert not isinstance(error.value, zoo.BadData)  # which would leave the example out
    assert repr(text) in str(error.value)
    assert said in str(error.value)


def test_points_that_may_separate_thousands():
    assert thousands(["950", "1.200", "12.500"]) == "1.200"
    assert thousands(["45.000", "38.500"]) == "45.000"
    for fine in (["1.234", "2.345"], ["950", "1.2"], ["1950", "1.234"], ["0.123", "5"], ["1", "2"], ["0", "1.200e3"]):
        assert thousands(fine) == ""


def test_the_digits_after_the_decimal_mark():
    assert [decimals(text) for text in ("5", "5.0", "3.25", "1.5e-3", "1.5e3", "-2E-2")] == [0, 0, 2, 4, 0, 2]
    assert decimals("1.234,56", ",") == 2
