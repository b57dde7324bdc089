"""Choosing backbones: patterns, exclusions, conditions, and never an empty list in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from zoo.catalog.query import matches, parse_condition, select

OFFLINE = {"efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "minilm_l6", "use_multilingual"}


def _names(*patterns, **options):
    """What is found among the backbones of all first-party plugins but kerashub, whose hundreds come and go."""
    return [b["name"] for b in zoo.list_backbones(*patterns, **options) if b["plugin"] != "kerashub"]


def test_a_word_matches_a_part_of_a_name_and_a_wildcard_the_whole():
    assert _names("resnet50") == ["resnet50", "resnet50_v2"]
    assert _names("resnet50*", exclude=["*_v2"]) == ["resnet50"]
    assert _names("efficientnet_b?", "vgg*") == [f"efficientnet_b{i}" for i in range(8)] + ["vgg16", "vgg19"]


def test_conditions_over_any_fact():
    small = zoo.list_backbones(where=["params<10M", "top1>75", "licence=Apache-2.0"])
    assert small
    assert all(b["params"] < 10e6 and b["top1"] > 75 and b["licence"] == "Apache-2.0" for b in small)
    assert _names(where=["state=bundled"]) == ["efficientnet_lite0"]
    assert _names(where=["family=resnet*", "params<=23587712"]) == ["resnet50", "resnet50_v2"]
    assert _names("vgg", where=["weights_licence=CC-BY-4.0"]) == ["vgg16", "vgg19"]
    assert _names(plugin="efficientnet_lite") == [f"efficientnet_lite{i}" for i in range(3)]
    assert _names("mobilenet", max_params=1_000_000) == ["mobilenet_v3_small"]


def test_what_needs_no_hub_is_one_filter():
    needs_none = {b["name"]: b["weights"]["state"] for b in zoo.list_backbones(where="offline")}
    assert set(needs_none) >= OFFLINE
    assert set(needs_none.values()) <= {"bundled", "cached", "package", "none"}
    others = {b["name"]: b["weights"]["state"] for b in zoo.list_backbones(where="offline=no")}
    assert set(others.values()) == {"remote"}
    assert not set(others) & set(needs_none)
    assert len(others) + len(needs_none) == len(zoo.list_backbones())
    assert all(b["offline"] for b in zoo.list_backbones(where=" offline "))


def test_sorting_by_a_number_puts_the_small_first():
    params = [b["params"] for b in zoo.list_backbones("resnet", sort="params")]
    assert params == sorted(params)
    with pytest.raises(zoo.UnknownName, match="--sort size"):
        zoo.list_backbones(sort="size")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"patterns": ["resnest50"]}, "Did you mean resnet50"),
        ({"patterns": ["*nothing*"]}, "Nothing matches"),
        ({"exclude": ["*"]}, "leaves none"),
        ({"where": ["top1>99"]}, r"--where 'top1>99' leaves none of the \d+"),
        ({"where": ["parms<10M"]}, "Did you mean params"),
        ({"where": ["params<many"]}, "'many' is not a number"),
        ({"where": ["family>3"]}, "family is not a number"),
        ({"where": ["params"]}, "is not a condition"),
        ({"where": ["offlin"]}, "is not a condition. Did you mean offline?"),
        ({"where": ["not offline"]}, "Did you mean offline=no?"),
        ({"where": ["offline,top1>76"]}, "there is no fact|--where again"),
        ({"where": [""]}, "is not a condition. Write for example"),
        ({"where": ["offline>1"]}, "offline is yes or no"),
        ({"where": ["offline=perhaps"]}, "offline is yes or no"),
        ({"modality": "sound"}, "leaves none"),
    ],
)
def test_an_empty_list_is_an_error_that_says_why(options, said):
    patterns = options.pop("patterns", [])
    with pytest.raises(zoo.ZooError, match=said):
        zoo.list_backbones(*patterns, **options)


def test_one_idle_pattern_among_others_is_said_on_standard_error(capsys):
    assert _names("vgg16", "resnest") == ["vgg16"]
    assert "Nothing matches 'resnest'" in capsys.readouterr().err


def test_a_licence_is_never_blank():
    for backbone in zoo.list_backbones():
        assert backbone["licence"].strip()
        assert backbone["weights"]["licence"].strip()


def test_an_unknown_fact_value_meets_no_condition_but_unequal():
    rows = [{"name": "a", "top1": None}, {"name": "b", "top1": 80.0}]
    assert [r["name"] for r in select(rows, [], [], ["top1>0"])[0]] == ["b"]
    assert [r["name"] for r in select(rows, [], [], ["top1!=80"])[0]] == ["a"]


@given(st.integers(0, 10**9), st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.integers(0, 10**9))
def test_comparisons_agree_with_arithmetic(known, sign, value):
    python = {"=": "=="}.get(sign, sign)
    condition = parse_condition(f"params{sign}{value}", {"params": 1})
    assert condition.holds({"params": known}) == eval(f"{known} {python} {value}")


@given(st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True))
def test_every_name_matches_itself_and_its_wildcards(name):
    assert matches(name, name)
    assert matches(name, f"{name[0]}*")
    assert matches(name, "?" * len(name))


@pytest.mark.parametrize("name", ["my-net", "my_net", "My-Net"])
@pytest.mark.parametrize(
    "pattern", ["my-net", "MY_NET", "y-n", "my-*", "m?_net", "my[-_]net", "my[-]n[a-f]t", "*[!a-z]net"]
)
def test_a_hyphen_is_an_underscore(name, pattern):
    assert matches(name, pattern)
    assert not matches("mynet", pattern)
    rows = [{"name": name}, {"name": "other"}]
    assert select(rows, [], [pattern], [])[0] == rows[1:]
