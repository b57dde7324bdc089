"""What the host makes of a head's class: of API 1.0, with odd answers, and with names that are the host's own."""

import json
import math

import numpy as np
import pytest
from pyarrow import parquet

import zoo
from zoo.compose.answers import answer_in, beside
from zoo.compose.head import completed
from zoo.data.examples import Example
from zoo.data.layout import Layout
from zoo.data.sources import read_source
from zoo.runs.predictions import Judged, as_floats, write_predictions
from zoo.structs import json_text

CONLL = """\
EU NNP B-ORG
rejects VBZ O
German JJ B-MISC

Peter NNP B-PER
"""


class Tags:
    """A head of API 1.0, which knew nothing of reading targets."""

    def __init__(self, **options):
        pass

    def learn(self, targets, columns):
        self.tags = sorted({tag for tags in targets for tag in tags})


class Odd(zoo.Task):
    """Answers in many types, under names that the host uses too."""

    answers = ({"input": 1, "value": 2, "big": 2**70}, {"error": "none", "value": "two", "big": 1}, {"value": [3, "x"]})

    def encode(self, targets):
        return np.arange(len(targets))

    def score(self, encoded, outputs):
        return {"numpy": np.float32(0.5), "whole": np.int64(2), "plain": 1}

    def decode(self, outputs, raws):
        return [self.answers[int(row)] for row in outputs]


def test_a_head_of_words_without_its_own_reading_gets_the_tags_of_the_words(tmp_path):
    (tmp_path / "news.conll").write_text(CONLL)
    task = completed(Tags(), "words")
    examples = read_source(tmp_path / "news.conll", Layout("text", "words"), task)
    assert [e.target for e in examples.items] == [("B-ORG", "O", "B-MISC"), ("B-PER",)]
    with pytest.raises(zoo.BadData, match="2 words, but 1 tags"):
        task.read_target(["O"], "two words")
    assert completed(Tags()).read_target(["O"], "two words") == "O"


def test_answers_of_many_types_under_names_of_ours_are_kept(tmp_path):
    examples = [Example(f"{n}.txt", f"text {n}", f"t{n}", "validation", written=f"t{n}") for n in range(3)]
    pieces = [(np.array([2, 0]), np.array([2, 0])), (np.array([1]), np.array([1]))]
    judged = Judged.of(Odd(), examples, pieces)
    assert judged.metrics == {"numpy": 0.5, "whole": 2.0, "plain": 1.0}
    assert {type(value) for value in judged.metrics.values()} == {float}
    write_predictions(tmp_path / "p.parquet", [judged])
    rows = parquet.read_table(tmp_path / "p.parquet").to_pydict()
    assert rows["input"] == ["0.txt", "1.txt", "2.txt"]
    assert rows["target"] == ["t0", "t1", "t2"]
    assert rows["value"] == ["2", '"two"', '[3, "x"]']
    assert rows["big"] == [str(2**70), "1", "null"]
    assert rows["answer_input"] == [1, None, None]
    assert rows["answer_error"] == [None, "none", None]


def test_a_column_that_is_odd_in_one_split_only_is_kept(tmp_path):
    examples = [Example(f"{n}.txt", "text", "t", "test", written="t") for n in range(3)]
    plain, odd = (Judged.of(Odd(), [examples[n]], [(np.array([0]), np.array([n]))]) for n in (0, 2))
    write_predictions(tmp_path / "p.parquet", [plain, odd])
    rows = parquet.read_table(tmp_path / "p.parquet").to_pydict()
    assert rows["value"] == ["2", '[3, "x"]']
    assert rows["answer_input"] == [1, None]


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([2**60 + 1, 2.5, None], [str(2**60 + 1), "2.5", "null"]),
        ([True, 2, 3], ["true", "2", "3"]),
        ([[1], [], [0.5]], [[1.0], [], [0.5]]),
    ],
)
def test_a_column_is_of_one_type_whatever_piece_of_the_outputs_a_value_comes_from(tmp_path, answers, kept):
    class Given(Odd):
        def decode(self, outputs, raws):
            return [{"value": answers[int(row)]} for row in outputs]

    examples = [Example(f"{n}.txt", "text", "t", "test", written="t") for n in range(4)]
    for number, pieces in enumerate(([[2], [0, 1]], [[0, 1, 2]], [[1], [2], [0]])):  # the fourth could not be read
        judged = Judged(Given(), examples, [(np.array(rows), np.array(rows)) for rows in pieces], {}, {}, [], None)
        write_predictions(path := tmp_path / f"{number}.parquet", [judged])
        assert parquet.read_table(path).to_pydict()["value"] == [*kept, None]


def test_a_metric_that_is_no_number_is_a_sentence():
    assert math.isnan(as_floats({"r2": None})["r2"])
    with pytest.raises(zoo.ZooError, match=r"The head computes the metrics .*'n/a'.*, and not all of them are numbers"):
        as_floats({"r2": "n/a"})


@pytest.mark.parametrize(
    "answer",
    [
        {"input": 1, "label": "a"},
        {"error": "e", "answer": 2},
        {"input": 1, "answer_input": 2, "answer_answer_input": 3},
        {"answer_target": 1},
    ],
)
def test_an_answer_beside_its_input_is_found_again(answer):
    entry = beside({"input": "photo.png"}, answer)
    assert entry["input"] == "photo.png"
    assert "error" not in entry
    assert answer_in(entry) == answer


def test_columns_straight_from_outputs_are_those_of_the_answers():
    from zoo.catalog import catalog
    from zoo.compose.head import make_task

    task = make_task(catalog().head("classification"), {})
    task.learn(["b", "a10", "a2", "Ä"] * 2, ("label",))
    outputs = np.random.default_rng(0).dirichlet(np.ones(4), 9).astype("float32")
    outputs[0] = 0.25
    assert task.decode_columns(outputs, [""] * 9) == task.as_columns(task.decode(outputs, [""] * 9))


def test_a_head_that_fails_at_the_end_is_named_and_what_was_trained_is_kept():
    class Broken(Odd):
        def decode(self, outputs, raws):
            return [{"value": 1}]  # one for all

    class Undrawn(Odd):
        def report_figures(self, encoded, outputs):
            raise RuntimeError("figure broke")

    examples = [Example(f"{n}.txt", "text", "t", "validation", written="t") for n in range(2)]
    pieces = [(np.arange(2), np.arange(2))]
    with pytest.raises(zoo.ZooError, match=r"The head fails when it answers the examples: ValueError.*zoo resume"):
        list(Judged.of(Broken(), examples, pieces).answers())
    with pytest.raises(zoo.ZooError, match=r"The head fails when it scores the examples: RuntimeError: figure broke"):
        Judged.of(Undrawn(), examples, pieces)


def test_json_has_no_number_that_is_none():
    assert json.loads(json_text({"nan": math.nan, "array": np.arange(2)})) == {"nan": None, "array": [0, 1]}
    odd = {"big": 2**70, "name": "caf\udce9"}
    assert json.loads(json_text(odd)) == odd
