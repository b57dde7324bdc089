"""Words and their tags: CoNLL, lists in JSONL, several target columns."""

import json

import pytest

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task
from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.inputs import read_entries
from zoo.data.layout import Layout
from zoo.data.sources import read_source
from zoo.data.texts import words_of
from zoo.plan import Phase, Plan
from zoo.training.dataset import read_dataset

WORDS = Layout("text", "words")
TAGS = make_task(catalog().head("token_classification"), {})
CONLL = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\nPeter NNP B-PER\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_conll_is_read_sentence_by_sentence(tmp_path, mark, end):
    (tmp_path / "t.conll").write_bytes(mark + CONLL.replace("\n", end).encode())
    examples = check(read_source(tmp_path / "t.conll", WORDS, TAGS), WORDS.reader)
    assert [(e.raw, e.target) for e in examples.items] == [("EU rejects", ("B-ORG", "O")), ("Peter", ("B-PER",))]
    kinds = read_source(tmp_path / "t.conll", Layout("text", "words", target_column="2"), TAGS)
    assert [e.target for e in kinds.items] == [("NNP", "VBZ"), ("NNP",)]


def test_a_line_of_conll_that_does_not_fit_is_named(tmp_path):
    (tmp_path / "t.conll").write_text("EU NNP B-ORG\nrejects O\n")
    with pytest.raises(zoo.BadData, match=r"line 2: 'rejects O' does not have 3 columns"):
        read_source(tmp_path / "t.conll", WORDS, TAGS)
    (tmp_path / "t.conll").write_text("EU\n")
    with pytest.raises(zoo.BadData, match=r"line 1: 'EU' does not have a word and its tag"):
        read_source(tmp_path / "t.conll", WORDS, TAGS)


def test_lists_of_words_keep_their_words_whatever_is_in_them(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"tokens": ["New York", "is"], "tags": ["B-LOC", "O"]}\n{"tokens": ["a", ""], "tags": ["O", "O"]}\n'
        '{"tokens": ["a", "b"], "tags": ["O"]}\n{"tokens": [], "tags": []}\n{"tokens": ["x"], "tags": null}\n'
    )
    examples = read_source(tmp_path / "t.jsonl", WORDS, TAGS)
    (example,) = examples.items
    assert words_of(example.raw) == ["New\u00a0York", "is"]
    assert [s.reason for s in examples.skipped] == [
        "an empty word",
        "2 words, but 1 tags",
        "the column tokens is empty",
        "the column tags is empty",
    ]


def test_a_text_asked_about_is_split_at_its_punctuation():
    ((_, text, _),) = read_entries(['Tim O\'Brien, of Coca-Cola ("Coke"), said 3.5%.'], WORDS)
    assert text == 'Tim O\'Brien , of Coca-Cola ( " Coke " ) , said 3.5 % .'


def test_several_targets_stand_in_several_columns(tmp_path):
    (tmp_path / "t.csv").write_text("text,a,b\nx,1,2\ny,,3\n")
    examples = read_source(tmp_path / "t.csv", Layout("text", target_column="a,b"), Task())
    assert [e.target for e in examples.items] == [("1", "2")]
    assert examples.skipped[0].reason == "the column a is empty"
    with pytest.raises(zoo.BadData, match="several targets must be columns of a table"):
        read_source(tmp_path, Layout("text", target_column="a,b"), Task())


def test_tags_that_look_alike_are_said(tmp_path, capsys):
    phase = Phase(unfreeze=0, epochs=1, learning_rate=0.1, patience=1)
    tags = [["O", "B-PER"], ["o", "B-PER"], ["O", "B-per"]] * 5
    rows = [{"tokens": ["number", str(number)], "tags": some} for number, some in enumerate(tags)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    read_dataset(Plan(backbone="any", data=str(tmp_path / "t.jsonl"), phases=(phase,)), WORDS, TAGS)
    said = capsys.readouterr().err
    assert "'O', 'o' differ only in upper case" in said
    assert "'B-PER', 'B-per' differ only in upper case" in said
