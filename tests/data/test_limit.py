"""Texts that are longer than a backbone reads are counted and said, whoever wrote the backbone."""

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.data.batches import Preprocessing
from zoo.data.limit import Limit
from zoo.data.texts import Texts

MOST = 12


class Words(keras.layers.Layer):
    """A stranger's tokenizer: a number for each word, a one at both ends, and what is over `most` is cut off."""

    def __init__(self, most, outputs, wide=False):
        super().__init__()
        self.most, self.names, self.wide = most, outputs, wide

    def call(self, texts):
        texts = texts if isinstance(texts, list) else [texts]
        words = tf.concat([tf.strings.split(text)[:, : self.most] for text in texts], axis=1)
        ids = words.with_values(tf.strings.to_hash_bucket_fast(words.flat_values, 1000) + 2)
        ids = ids[:, : self.most - 2]
        one = tf.ones((ids.nrows(), 1), tf.int64)
        ids = tf.concat([one, ids, one], axis=1)
        width = self.most if self.wide else None
        made = {"ids": ids, "attention_mask": tf.ones_like(ids)}
        made = {name: array.to_tensor(0, shape=(None, width)) for name, array in made.items()}
        return {name: made[name] for name in self.names} if len(self.names) > 1 else made[self.names[0]]

    def compute_output_spec(self, texts):
        made = {name: keras.KerasTensor((None, None), "int64") for name in self.names}
        return made if len(self.names) > 1 else made[self.names[0]]


def limit(outputs=("ids", "attention_mask"), inputs=1, most=MOST, wide=False):
    entry = [keras.Input((), dtype="string", name=f"text{n}") for n in range(inputs)]
    entry = entry if inputs > 1 else entry[0]
    return Limit(Preprocessing(keras.Model(entry, Words(most, outputs, wide)(entry)), Texts()))


def words(count):
    return " ".join(f"word{n}" for n in range(count))


@pytest.mark.parametrize("outputs", [("ids", "attention_mask"), ("ids",), ("attention_mask", "ids")])
@pytest.mark.parametrize("wide", [False, True])
def test_exactly_the_longer_ones_are_found(outputs, wide):
    asked = limit(outputs, wide=wide)
    assert asked.cut(["a", words(3)]) == []
    texts = [words(9), words(10), words(11), words(10) + " \n", words(500), "x" * 5000, words(10) + " end", "a"]
    assert asked.cut(texts) == [2, 4, 6]
    assert asked.cut(texts[::-1]) == [1, 3, 5]
    assert asked.cut([]) == []


ASKED = limit()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 2 * MOST), min_size=1, max_size=8))
def test_it_depends_on_no_other_text(counts):
    assert ASKED.cut([words(count) for count in counts]) == [n for n, count in enumerate(counts) if count > MOST - 2]


def test_a_pair_is_cut_if_one_of_its_texts_is():
    asked = limit(inputs=2)
    pairs = [(words(5), words(5)), (words(5), words(6)), (words(11), "a"), ("a", words(9)), ("a", words(11))]
    assert asked.cut(pairs) == [1, 2, 4]


def test_without_a_limit_nothing_is_cut(capsys):
    asked = limit(most=10**9)
    asked.say_what_is_cut([words(3000), "a"], "anything")
    assert capsys.readouterr().err == ""


def test_it_is_said_in_one_line(capsys):
    limit().say_what_is_cut([words(50), "a", words(60)], "mine")
    limit(inputs=2).say_what_is_cut([(words(50), "a"), ("a", "b")], "mine")
    assert capsys.readouterr().err.splitlines() == [
        "2 of 3 texts are longer than the 12 tokens that mine reads; the rest of them is not used.",
        "1 of 2 pairs of texts is longer than the 12 tokens that mine reads; the rest of it is not used.",
    ]


def test_every_command_says_it_once(tmp_path, capfd):
    long = "the film was good " * 400
    rows = "".join(f"it was {word} {n},{word}\n" for n in range(9) for word in ("good", "bad"))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}{long},good\n{long}!,bad\n")

    def said():
        return [line for line in capfd.readouterr().err.splitlines() if " tokens that " in line]

    run = zoo.train("minilm_l6", tmp_path / "t.csv", epochs=1, out=tmp_path / "run")
    (line,) = said()
    assert line.startswith("2 of 20 texts are longer than the 256 tokens that minilm_l6 reads; ")
    run.predict([long, "short"])
    assert [line[:9] for line in said()] == ["1 of 2 te"]
    run.predict(["short"])
    assert said() == []
    run.evaluate(tmp_path / "t.csv", split="all")
    assert [line[:9] for line in said()] == ["2 of 20 t"]
    zoo.embed("minilm_l6", [long])
    assert [line[:9] for line in said()] == ["1 of 1 te"]
