"""Texts: tables and folders, encodings, what is left out, and batches by length."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import zoo
from zoo.compose.task import Task
from zoo.data.batches import Preprocessing, lengths, training_batches
from zoo.data.check import check
from zoo.data.layout import Layout
from zoo.data.order import Order
from zoo.data.sources import read_source as read
from zoo.data.texts import Texts

TEXT, PAIR, TEXTS = Layout("text"), Layout("text", "pair"), Texts()


def read_source(data, layout):
    return read(data, layout, Task())


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'text,label\n"Größe, 大",a\n,b\nno label,\n   ,c\nlast,b\n'),
        ("t.tsv", "text\tlabel\nGröße, 大\ta\n\tb\nno label\t\n   \tc\nlast\tb\n"),
        (
            "t.jsonl",
            '{"text": "Größe, 大", "label": "a"}\n{"label": "b"}\n{"text": "no label"}\n{"text": "   ", "label": "c"}\n'
            '{"text": "last", "label": "b"}\n',
        ),
    ],
)
def test_a_table_of_texts_with_and_without_a_mark(tmp_path, name, content, mark):
    (tmp_path / name).write_bytes(mark + content.encode())
    examples = check(read_source(tmp_path / name, TEXT), TEXTS)
    assert [(e.input, e.raw, e.target) for e in examples.items] == [("row 1", "Größe, 大", "a"), ("row 5", "last", "b")]
    assert [(s.input, s.reason) for s in examples.skipped] == [
        ("row 2", "the column text is empty"),
        ("row 3", "the column label is empty"),
        ("row 4", "the column text is empty"),
    ]


def test_another_encoding_is_a_sentence_that_says_how_to_mend_it(tmp_path):
    (tmp_path / "t.csv").write_bytes("text,label\nGröße,a\n".encode("latin-1"))
    with pytest.raises(zoo.BadData, match=r"is not UTF-8 text \(byte 0xf6 near byte 13\).*iconv"):
        read_source(tmp_path / "t.csv", TEXT)


def test_a_missing_column_names_those_there_are(tmp_path):
    (tmp_path / "t.csv").write_text("review,stars\ngood,5\n")
    with pytest.raises(zoo.BadData, match=r"no column 'text'\. It has review, stars .* Name one with --input"):
        read_source(tmp_path / "t.csv", TEXT)
    with pytest.raises(zoo.BadData, match=r"no column 'text'\. It has review, stars .* Name one with --input"):
        read_source(tmp_path / "t.csv", Layout("text", target_column="stars"))
    with pytest.raises(zoo.BadData, match=r"no column 'label'\. .* Name one with --target"):
        read_source(tmp_path / "t.csv", Layout("text", input_column="review"))
    named = Layout("text", input_column="review", target_column="stars")
    assert [(e.raw, e.target) for e in read_source(tmp_path / "t.csv", named).items] == [("good", "5")]


def test_a_folder_of_text_files(tmp_path):
    for label, name, content in (
        ("good", "a.txt", "Größe".encode()),
        ("good", "b.txt", b"\xef\xbb\xbfmarked"),
        ("bad", "c.txt", "Größe".encode("latin-1")),
        ("bad", "d.txt", b" \n"),
        ("bad", "e.md", b"no text file"),
        ("bad", "f.txt", b"fine"),
    ):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / name).write_bytes(content)
    examples = check(read_source(tmp_path, TEXT), TEXTS)
    assert [(e.raw, e.target) for e in examples.items] == [("fine", "bad"), ("Größe", "good"), ("marked", "good")]
    assert {s.input: s.reason for s in examples.skipped} == {
        "bad/c.txt": "not UTF-8 text (byte 0xf6 at 2)",
        "bad/d.txt": "empty text",
        "bad/e.md": "not a .txt file",
    }


def test_pairs_stand_in_two_columns(tmp_path):
    (tmp_path / "t.csv").write_text("text,text_b,label\na,b,x\nc,,x\n")
    examples = read_source(tmp_path / "t.csv", PAIR)
    assert [e.raw for e in examples.items] == [("a", "b")]
    assert [s.reason for s in examples.skipped] == ["the column text_b is empty"]
    with pytest.raises(zoo.BadData, match="an example has 2 columns"):
        read_source(tmp_path / "t.csv", Layout("text", "pair", "text"))
    with pytest.raises(zoo.BadData, match="text and text_b must be columns of a table"):
        read_source(tmp_path, PAIR)


@pytest.mark.parametrize("seed", [None, 7])
def test_texts_of_like_length_share_a_batch_and_each_comes_once(seed):
    rng = np.random.default_rng(0)
    texts = ["x" * int(n) for n in rng.integers(1, 500, 333)]
    order = Order(333, 10, seed, lengths(texts, TEXTS))
    entry = keras.Input((), dtype="string")
    letters = keras.Model(entry, {"length": _Length()(entry)})
    batches = training_batches(texts, Preprocessing(letters, TEXTS), order, {})
    assert len(batches) == 34
    epochs = []
    for order.epoch in range(2):
        epochs.append([(rows.numpy(), made["length"].numpy()) for rows, made in batches])
    for epoch in epochs:
        rows = np.concatenate([rows for rows, _ in epoch])
        assert sorted(rows.tolist()) == list(range(333))
        assert [len(texts[row]) for row in rows] == np.concatenate([found for _, found in epoch]).tolist()
        assert np.mean([np.ptp(found) for _, found in epoch]) < 40
    same = all(np.array_equal(a, b) for (a, _), (b, _) in zip(*epochs, strict=True))
    assert same == (seed is None)
    if seed is not None:
        again = training_batches(texts, Preprocessing(letters, TEXTS), replace(order, epoch=0), {})
        assert all(np.array_equal(a, b.numpy()) for (a, _), (b, _) in zip(epochs[0], again, strict=True))


class _Length(keras.layers.Layer):
    """The letters of each text."""

    def call(self, texts):
        import tensorflow as tf

        return tf.strings.length(texts)
