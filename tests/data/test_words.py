"""Words and their tags: CoNLL, lists in JSONL, several target columns."""

import json
import re
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task
from zoo.compose.task import Task
from zoo.data.check import check
from zoo.data.inputs import read_entries
from zoo.data.layout import Layout
from zoo.data.sources import read_source
from zoo.data.texts import split_words, words_of
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
    with pytest.raises(zoo.BadData, match=r"no lines with a word and its tag: 'EU' is no such line"):
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


def test_a_word_or_a_tag_that_is_missing_in_a_list_is_no_word(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"tokens": ["a", null], "tags": ["O", "O"]}\n{"tokens": ["a", "b"], "tags": ["O", null]}\n'
        '{"tokens": ["a", "b"], "tags": ["O", ""]}\n{"tokens": ["None", "b"], "tags": ["O", "None"]}\n'
    )
    examples = read_source(tmp_path / "t.jsonl", WORDS, TAGS)
    assert [(e.raw, e.target) for e in examples.items] == [("None b", ("O", "None"))]
    assert [s.reason for s in examples.skipped] == ["a missing word", "a missing tag", "a missing tag"]


@pytest.mark.parametrize(
    ("tokens", "tags", "said"),
    [
        ("[EU, rejects]", "[B-ORG, O]", r"row 1: '\[EU, rejects\]' looks like a list, but its words are not in quotes"),
        ("[EU,rejects,c1]", "O", "its words are not in quotes"),
        ("[b'EU', b'rejects']", "O O", "its words are not in quotes"),
        ("{EU,rejects}", "O O", "its words are not in quotes"),
        ("EU rejects", "[B-ORG, O]", r"row 1: '\[B-ORG, O\]' looks like a list, but its tags are not in quotes"),
        ("EU rejects c1", "[B-ORG O O]", "its tags are not in quotes"),
        ("[ EU x ]", "[ B-ORG, O ]", "its tags are not in quotes"),
        ("EU rejects c1", "B-ORG,O,O", r"3 words, but one tag, 'B-ORG,O,O', which seems to be 3 tags with ',' between"),
        ("EU rejects c1", "B-ORG|O|O", r"with '\|' between them\. Write spaces between tags, or lists"),
    ],
)
def test_a_cell_that_may_be_a_list_is_a_question(tmp_path, tokens, tags, said):
    (tmp_path / "t.jsonl").write_text(json.dumps({"tokens": tokens, "tags": tags}) + "\n")
    with pytest.raises(zoo.BadData, match=said):
        read_source(tmp_path / "t.jsonl", WORDS, TAGS)


@pytest.mark.parametrize(
    ("tokens", "tags"),
    [
        ("( yes , no )", "-LRB- UH , UH -RRB-"),
        ("[ sic ]", "[ RB ]"),
        ("[PAD] yes , no [SEP]", "[PAD] O O O [SEP]"),
        ("It is", "(S(NP*) *)"),
        ("(yes, no)", "O O"),
        ("1,000", "CD"),
    ],
)
def test_brackets_may_be_words_and_tags(tmp_path, tokens, tags):
    (tmp_path / "t.jsonl").write_text(json.dumps({"tokens": tokens, "tags": tags}) + "\n")
    (example,) = read_source(tmp_path / "t.jsonl", WORDS, TAGS).items
    assert (words_of(example.raw), example.target) == (tokens.split(), tuple(tags.split()))


def test_a_text_asked_about_is_split_at_its_punctuation():
    ((_, text, _),) = read_entries(['Tim O\'Brien, of Coca-Cola ("Coke"), said 3.5%.'], WORDS)
    assert text == 'Tim O\'Brien , of Coca-Cola ( " Coke " ) , said 3.5 % .'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't e-mail: 3.5 or 1,000!", ["Don't", "e-mail", ":", "3.5", "or", "1,000", "!"]),
        (
            "the U.S. and/or x_y at 12:30; a;b",
            ["the", "U.S", ".", "and", "/", "or", "x_y", "at", "12", ":", "30", ";", "a", ";", "b"],
        ),
        ("rock'n'roll -- 'tis $5", ["rock'n'roll", "-", "-", "'", "tis", "$", "5"]),
        ("m² H₂O 1½ x²y", ["m²", "H₂O", "1½", "x²y"]),
        ("L’été déjà, e\u0301te\u0301.", ["L’été", "déjà", ",", "e\u0301te\u0301", "."]),
        ("हिन्दी में लिखा, ठीक।", ["हिन्दी", "में", "लिखा", ",", "ठीक", "।"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("كَتَبَ صباحٌ، نعم؟", ["كَتَبَ", "صباحٌ", "،", "نعم", "؟"]),
        ('שָׁלוֹם צה"ל', ["שָׁלוֹם", 'צה"ל']),
        ("น้ำแข็ง", ["น้ำ", "แ", "ข็", "ง"]),
        ("我喜欢 AI，真的", ["我", "喜", "欢", "AI", "，", "真", "的"]),
        ("カタカナとTシャツ", ["カタカナ", "と", "T", "シャツ"]),
        ("안녕 하세요", ["안녕", "하세요"]),
        ("ok👍🏽👨‍👩‍👧🇩🇪🇫🇷3️⃣", ["ok", "👍🏽", "👨‍👩‍👧", "🇩🇪", "🇫🇷", "3️⃣"]),
        ("a\u00a0b\u3000c\u2028d", ["a", "b", "c", "d"]),
        ("ภาษา\u200bไทย"[:6], ["ภ", "า", "ษ", "า\u200b", "ไ"]),
        ("soft\u00adhyphen", ["soft\u00adhyphen"]),
        (":\u0301a ;\u0301", [":\u0301", "a", ";\u0301"]),
    ],
)
def test_words_are_those_of_unicode_and_no_letter_loses_its_marks(text, words):
    assert words_of(split_words(text)) == words


@settings(max_examples=400, deadline=None)
@given(st.text() | st.text("aé\u0301ก\u0e33म\u094d我カ-'.,:;1² \u200b\u200d\u00a0👍🏽🇩\u05d0\"\n"))
def test_nothing_but_white_space_is_lost_and_no_letter_is_torn(text):
    words = words_of(split_words(text))
    assert "".join(words) == "".join(text.split())
    assert "" not in words
    ends, at = set(), 0
    for run in text.split():
        for letter in regex.findall(r"\X", run):
            at += len(letter)
            ends.add(at)
    at = 0
    for word in words:
        at += len(word)
        assert at in ends


def test_ordinary_english_is_split_as_by_version_0_1():
    then = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")
    prose = Path(zoo.__file__).parent.parent.joinpath("docs")
    texts = [line for page in sorted(prose.glob("*.md")) for line in page.read_text().splitlines()]
    assert len(texts) > 500
    for text in texts:
        if not re.search(r"\d,\d|[^\x00-\x7f]", text):
            assert words_of(split_words(text)) == then.findall(text)


def test_a_no_break_space_is_part_of_a_word_that_a_table_gives(tmp_path):
    (tmp_path / "t.csv").write_text("tokens,tags\n1\u00a0000 euros,A B\nx\u3000y z,A B\n")
    examples = read_source(tmp_path / "t.csv", WORDS, TAGS)
    assert [words_of(e.raw) for e in examples.items] == [["1\u00a0000", "euros"], ["x\u3000y", "z"]]


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


@pytest.mark.parametrize(
    ("head", "labels", "said"),
    [
        ("multilabel", ["Red|round", "red", "round|big"], ["'Red', 'red'"]),
        ("multilabel", [["a b", "c"], ["a  b"], ["c"]], ["'a  b', 'a b'"]),
        (
            "classification",
            ["good", "good\u200b", "\ufeffbad", "bad", "ba\u00add"],
            [r"'good', 'good\u200b'", r"'bad'"],
        ),
        ("classification", ["good", "'good'", "bad"], ["\"'good'\", 'good'"]),
    ],
)
def test_single_labels_that_look_alike_are_said(tmp_path, capsys, head, labels, said):
    phase = Phase(unfreeze=0, epochs=1, learning_rate=0.1, patience=1)
    rows = [{"text": f"number {number}", "label": label} for number, label in enumerate(labels * 4)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    plan = Plan(backbone="any", data=str(tmp_path / "t.jsonl"), phases=(phase,))
    read_dataset(plan, Layout("text"), make_task(catalog().head(head), {}))
    warned = [line for line in capsys.readouterr().err.splitlines() if "differ only in upper case" in line]
    assert len(warned) == len(said)
    assert all(one in line for one, line in zip(sorted(said), sorted(warned), strict=True))


def test_classes_that_are_numbers_lead_to_regression(tmp_path):
    phase = Phase(unfreeze=0, epochs=1, learning_rate=0.1, patience=1)
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"number {n},{n / 8}\n" for n in range(20)))
    plan = Plan(backbone="any", data=str(tmp_path / "t.csv"), phases=(phase,))
    with pytest.raises(
        zoo.BadData, match=r"numbers with one distinct example \(0\.0, 0\.125, \.\.\.\).*--head regression"
    ):
        read_dataset(plan, Layout("text"), make_task(catalog().head("classification"), {}))


def test_a_head_learns_the_targets_of_the_training_alone(tmp_path, capsys):
    seen = []

    class Remembers(type(make_task(catalog().head("classification"), {}))):
        def learn(self, targets, columns):
            self.learnt = [*getattr(self, "learnt", ()), *targets]
            seen.append(id(self))
            super().learn(targets, columns)

    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40)))
    task = Remembers(hidden="auto", dropout=0.0, label_smoothing=0.0, class_weight="none")
    phase = Phase(unfreeze=0, epochs=1, learning_rate=0.1, patience=1)
    data = read_dataset(Plan(backbone="any", data=str(tmp_path / "t.csv"), phases=(phase,)), Layout("text"), task)
    assert len(task.learnt) == len(data.of("train")) == 32
    assert len(set(seen)) == len(seen), "each object learns once"
    assert "2 classes, a 20, b 20" in capsys.readouterr().err
