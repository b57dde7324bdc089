"""The split: stratified, repeatable, decided by content and seed alone."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from zoo.data.examples import Example, Examples
from zoo.data.split import assign, split


def _examples(counts: dict[str, int], prefix: str = "") -> list[Example]:
    return [
        Example(f"{prefix}{target}/{i}", Path(f"{prefix}{target}/{i}"), target, content=f"{target}-{i}", written=target)
        for target, count in counts.items()
        for i in range(count)
    ]


def _sides(examples: list[Example]) -> dict[str, str]:
    return {e.content: e.split for e in examples}


counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(2, 40), min_size=2)


@given(counts, st.integers(0, 100), st.randoms())
def test_order_and_names_of_files_do_not_matter(counts, seed, random):
    first, second = _examples(counts), _examples(counts, prefix="elsewhere/")
    random.shuffle(second)
    split(first, 0.2, seed)
    split(second, 0.2, seed)
    assert _sides(first) == _sides(second)


@given(counts, st.integers(0, 100))
def test_every_class_is_on_both_sides_in_the_right_share(counts, seed):
    examples = _examples(counts)
    split(examples, 0.2, seed)
    validation = Counter(e.target for e in examples if e.split == "validation")
    for target, count in counts.items():
        assert 1 <= validation[target] <= count - 1
        assert abs(validation[target] - 0.2 * count) <= 1


@given(counts, st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abcdef")), max_size=30))
def test_identical_pictures_are_never_on_both_sides(counts, copies):
    examples = _examples(counts)
    for number, target in copies:
        original = examples[number % len(examples)]
        examples.append(Example(f"copy-{number}", Path("copy"), target, content=original.content, written=target))
    try:
        split(examples, 0.2, 0)
    except zoo.BadData:
        return  # a class that has nothing of its own but copies of others
    sides: dict[str, set[str]] = {}
    for example in examples:
        sides.setdefault(example.content, set()).add(example.split)
    assert all(len(side) == 1 for side in sides.values())


@given(counts, st.integers(1, 20), st.integers(0, 100))
def test_adding_examples_moves_at_most_as_many_others(counts, more, seed):
    before = _examples(counts)
    target = next(iter(counts))
    after = _examples({**counts, target: counts[target] + more})
    split(before, 0.2, seed)
    split(after, 0.2, seed)
    new = _sides(after)
    assert sum(new[content] != side for content, side in _sides(before).items()) <= more


def test_another_seed_gives_another_split():
    first, second = _examples({"a": 40, "b": 40}), _examples({"a": 40, "b": 40})
    split(first, 0.2, 0)
    split(second, 0.2, 1)
    assert _sides(first) != _sides(second)


def test_a_class_with_one_picture_is_a_sentence():
    with pytest.raises(zoo.BadData, match="'b' has one distinct example"):
        split(_examples({"a": 5, "b": 1}), 0.2, 0)


def test_what_the_person_put_for_validation_is_kept(capsys):
    examples = Examples(Path("data"), _examples({"a": 5, "b": 1}))
    given = Examples(Path("val"), _examples({"a": 2, "b": 1}, prefix="val/"))
    for example in given.items:
        example.content = f"val-{example.content}"
    given.items[0].content = examples.items[0].content
    assign(examples, given, seed=0)
    assert [e.split for e in examples.items] == ["train"] * 6 + ["validation"] * 3
    assert "1 of the examples given for validation or testing are also in the training set" in capsys.readouterr().err


def test_only_a_training_folder_is_split_and_a_test_folder_is_kept():
    items = _examples({"a": 10, "b": 10})
    for example in items[:2]:
        example.split = "test"
    for example in items[2:]:
        example.split = "train"
    examples = Examples(Path("data"), items)
    assign(examples, None, seed=0)
    assert len(examples.of("test")) == 2
    assert len(examples.of("validation")) == 4


def _grouped(sizes: list[int]) -> list[Example]:
    return [
        Example(f"{g}/{i}", None, "ab"[g % 2], content=f"{g:02}-{i:03}", written="ab"[g % 2], group=f"patient {g}")
        for g, size in enumerate(sizes)
        for i in range(size)
    ]


@given(st.lists(st.integers(1, 12), min_size=4, max_size=20), st.integers(0, 100), st.randoms())
def test_what_belongs_together_stays_on_one_side(sizes, seed, random):
    examples = _grouped(sizes)
    random.shuffle(examples)
    split(examples, 0.2, seed)
    sides: dict[str, set[str]] = {}
    for example in examples:
        sides.setdefault(example.group, set()).add(example.split)
    assert all(len(side) == 1 for side in sides.values())
    validation = sum(example.split == "validation" for example in examples)
    assert 0 < validation < len(examples)
    again = _grouped(sizes)
    split(again, 0.2, seed)
    assert _sides(again) == _sides(examples)


def test_groups_that_share_an_example_are_one():
    examples = _grouped([3, 3, 3, 3])
    for group in (0, 2):
        examples.append(Example(f"copy {group}", None, "a", content="same", written="a", group=f"patient {group}"))
    split(examples, 0.3, 0)
    assert len({e.split for e in examples if e.group in ("patient 0", "patient 2")}) == 1
    with pytest.raises(zoo.BadData, match="belong to one group"):
        split(_grouped([8]), 0.2, 0)


def _marked(**counts: int) -> Examples:
    items = _examples({"a": sum(counts.values()) // 2, "b": sum(counts.values()) - sum(counts.values()) // 2})
    splits = [split for split, count in counts.items() for _ in range(count)]
    for example, its in zip(items, splits, strict=True):
        example.split = None if its == "free" else its
    return Examples(Path("t.csv"), items, kind="CSV")


def _counts(examples: Examples) -> dict[str, int]:
    return dict(Counter(example.split for example in examples.items))


def test_rows_marked_train_stay_in_training():
    with pytest.raises(zoo.BadData, match=r"no row for validation \(20 are marked train\).*--val-fraction 0\.2"):
        assign(_marked(train=20, test=4), None, 0)
    examples = _marked(train=20, test=4)
    assign(examples, None, 0, fraction=0.25)
    assert _counts(examples) == {"train": 15, "validation": 5, "test": 4}
    examples = _marked(train=10, free=10)
    assign(examples, None, 0)
    assert _counts(examples)["validation"] in (1, 2)
    assert all(e.split == "train" for e in examples.items[:10])


def test_validation_data_replaces_what_the_data_has_for_it(capsys):
    examples, other = _marked(train=10, validation=6), Examples(Path("v.csv"), _examples({"a": 2}, "v"), kind="CSV")
    for number, example in enumerate(other.items):
        example.content = f"other {number}"
    assign(examples, other, 0)
    assert _counts(examples) == {"train": 10, "validation": 2}
    assert len(examples.skipped) == 6
    assert "The 6 validation examples in t.csv are left out" in capsys.readouterr().err
    with pytest.raises(zoo.BadData, match=r"--val-fraction 0\.3: t\.csv has validation examples of its own \(6\)"):
        assign(_marked(train=10, validation=6), None, 0, fraction=0.3)


def test_a_group_on_both_sides_of_a_given_split_is_said(capsys):
    examples = Examples(Path("t.csv"), _grouped([4, 4]), kind="CSV")
    for number, example in enumerate(examples.items):
        example.split = "train" if number % 2 else "validation"
    assign(examples, None, 0)
    assert "groups with examples in the training set and outside of it: 2 (patient 0, ...)" in capsys.readouterr().err


def test_rows_without_a_split_go_where_their_group_is():
    items = _grouped([4, 4, 4, 4])
    for example in items:
        if example.group == "patient 0":
            example.split = "train" if example.input == "0/0" else None
    examples = Examples(Path("t.csv"), items, kind="CSV")
    assign(examples, None, 0)
    assert {e.split for e in items if e.group == "patient 0"} == {"train"}
    for group in range(4):
        assert len({e.split for e in items if e.group == f"patient {group}"}) == 1


def test_groups_that_cannot_be_parted_are_sentences():
    with pytest.raises(zoo.BadData, match="Each class is one group"):
        split(_grouped([5, 5]), 0.2, 0)
    with pytest.raises(zoo.BadData, match="Each class is one group"):
        split(_grouped([3, 3, 3, 3]), 0.2, 0, strata=lambda targets: [None] * len(targets))
    examples = _grouped([6, 6, 6, 6, 6])  # of two classes
    for example in examples:
        example.target = example.written = "c" if example.group == "patient 4" else example.target
    split(examples, 0.2, 0)
    assert {e.split for e in examples if e.target == "c"} == {"train"}, "a class of one group stays in training"


def test_what_follows_its_group_takes_the_same_content_along():
    """Free rows beside rows that are marked: none is on both sides, over any chain of groups and contents."""
    for seed in range(20):
        items = [
            Example("marked", None, "a", "train", content="1", written="a", group="ann"),
            Example("hers", None, "a", content="2", written="a", group="ann"),
            Example("a twin of it", None, "a", content="2", written="a", group="bob"),
            Example("his other", None, "a", content="3", written="a", group="bob"),
            *(Example(f"{i}", None, "ab"[i % 2], content=f"9{i}", written="ab"[i % 2]) for i in range(20)),
        ]
        assign(Examples(Path("t.csv"), items, kind="CSV"), None, seed)
        assert [example.split for example in items[:4]] == ["train"] * 4
