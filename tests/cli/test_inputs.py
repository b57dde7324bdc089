"""What is typed after `zoo predict` and `zoo embed`: texts, files and lines; and answers beside the rows of a table."""

import csv
import io
import json
import sys

import pytest
from pyarrow import parquet

import zoo
from zoo.harmless import uncomputed


@pytest.fixture(scope="module")
def runs(tmp_path_factory, tiny_bert):
    """Runs of a text encoder of two layers: of labels and of tags."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "t.csv").write_text(
        "text,label\n" + "".join(f"it was {w} {i},{w}\n" for i in range(9) for w in ("good", "bad"))
    )
    rows = [{"tokens": ["number", str(i)], "tags": ["A", "B"]} for i in range(12)]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"weights": str(tiny_bert), "epochs": 1}
    zoo.train("bert", folder / "t.csv", out=folder / "labels", **options)
    zoo.train("bert", folder / "t.jsonl", head="token_classification", out=folder / "tags", **options)
    return folder


@pytest.fixture
def ask(runs, zoo_here, tmp_path, monkeypatch):
    """Ask a run in a folder with some files: (exit status, JSON or text of the answers, what was said)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("it was good")
    (tmp_path / "good").write_text("no text file")
    (tmp_path / "r.csv").write_text("text,stars\nit was bad,5\n,4\n")

    def asked(*arguments, run="labels", stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status, out, said = zoo_here("predict", runs / run, *arguments, *(() if "--csv" in arguments else ("--json",)))
        return status, list(csv.reader(io.StringIO(out))) if "--csv" in arguments else out and json.loads(out), said

    return asked


def test_what_exists_is_read_and_said_and_the_rest_is_text(ask):
    status, answers, said = ask("docs", "it was good", "e.g. r.csv, say", "and/or", "")
    assert status == 0
    assert [a["input"] for a in answers] == ["docs/a.txt", "it was good", "e.g. r.csv, say", "and/or", ""]
    assert answers[0]["label"] == answers[1]["label"]
    assert answers[4]["error"] == "empty text"
    assert "Reads the folder docs; --text takes it as a text.\n" in said
    _, answers, said = ask("r.csv", "docs", "docs/a.txt", "it was good")
    assert [a["input"] for a in answers] == ["r.csv: row 1", "r.csv: row 2", "docs/a.txt", "docs/a.txt", "it was good"]
    assert "Reads 3 files and folders (r.csv, docs, docs/a.txt); --text takes them as texts." in said


def test_text_and_file_settle_it(ask):
    _, answers, said = ask("docs", "r.csv", "missing.txt", "good", "--text")
    assert [a["input"] for a in answers] == ["docs", "r.csv", "missing.txt", "good"]
    assert "Reads" not in said
    assert all("label" in a for a in answers)
    _, answers, said = ask("docs", "good", "--file")
    assert answers[1]["error"] == "not a .txt file"
    assert "Reads" not in said
    status, _, said = ask("docs", "it was good", "--file")
    assert (status, said) == (1, "zoo: --file: it was good does not exist.\n")
    status, _, said = ask("docs", "--file", "--text")
    assert status == 2
    assert "give either --text or --file" in said


@pytest.mark.parametrize(
    "name",
    [
        "missing.csv",
        "Missing.TXT",
        "report.pdf",
        "docs/b.md",
        "./other",
        "../x",
        "/no/where",
        "my new r.csv",
        "a b.png",
        "new/",
    ],
)
def test_what_looks_like_a_file_but_is_none_is_a_sentence(ask, name):
    status, _, said = ask("it was good", name)
    assert status == 1
    assert said == f"zoo: {name} does not exist. If it is a text and not the name of a file, give --text.\n"


def test_the_standard_input_is_a_text_in_each_line(ask):
    lines = "\ufeffit was good\r\n\ndocs\nGr\u00f6\u00dfe\n".encode() + b"Gr\xf6\xdfe\nlast"
    _, answers, said = ask("first", "-", stdin=lines)
    assert [a["input"] for a in answers] == ["first", "it was good", "line 2", "docs", "Größe", "Gr\\xf6\\xdfe", "last"]
    assert [a["input"] for a in answers if "error" in a] == ["line 2", "Gr\\xf6\\xdfe"]
    assert answers[2]["error"] == "an empty line"
    assert "Reads" not in said
    _, answers, _ = ask("-", "--file", stdin=b"docs/a.txt\nnone.txt\n")
    assert [(a["input"], a.get("error")) for a in answers] == [("docs/a.txt", None), ("none.txt", "does not exist")]
    for stdin, words in ((b"", "There is nothing to read"), ("x".encode("utf-16"), "is UTF-16")):
        status, _, said = ask("-", stdin=stdin)
        assert status == 1
        assert words in said
    status, _, said = ask("-", "-")
    assert status == 1
    assert "can be read only once" in said


def test_pictures_are_paths_also_in_the_lines(finished_run, unseen, zoo_here, monkeypatch):
    lines = f"{unseen / 'pear.png'}\n\n{unseen / 'no such.png'}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    answers = json.loads(zoo_here("predict", finished_run, "-", "--json")[1])
    assert [a.get("label") for a in answers] == ["fruit", None, None]
    assert answers[1] == {"input": "line 2", "error": "an empty line"}
    status, _, said = zoo_here("predict", finished_run, unseen, "--text")
    assert (status, said) == (1, "zoo: --text: this model reads pictures, not texts.\n")


def test_embed_takes_the_same(ask, zoo_here, tiny_bert, tmp_path):
    def embed(*arguments):
        out = tmp_path / f"{len(arguments)}.parquet"
        status, _, said = zoo_here("embed", "bert", *arguments, "--weights", tiny_bert, "--out", out)
        return said if status else (parquet.read_table(out)["input"].to_pylist(), said)

    names, said = embed("docs", "it was good")
    assert names == ["docs/a.txt", "it was good"]
    assert "Reads the folder docs; --text takes it as a text." in said
    assert embed("docs", "r.csv", "--text")[0] == ["docs", "r.csv"]
    assert "r.txt does not exist. If it is a text" in embed("r.txt")


def test_answers_to_a_table_stand_beside_its_rows(ask, tmp_path):
    cells = [["=1+1", "it was good", "-3.5", "x"], ["ok", "", "+4", "y"], ["-a", "it was bad, said he", "-1e5", "@z"]]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "label", "error"], *cells])
    status, rows, _ = ask("t.csv", "--csv", "--top", 1)
    assert status == 0
    ours = ["answer_label", "label_1", "probability_1", "answer_error"]
    assert rows[0] == ["id", "text", "label", "error", *ours]
    assert [row[:4] for row in rows[1:]] == [["'=1+1", *cells[0][1:]], cells[1], ["'-a", *cells[2][1:3], "'@z"]]
    assert [row[-1] for row in rows[1:]] == ["", "the column text is empty", ""]
    assert rows[2][4:7] == ["", "", ""]
    assert {rows[1][4], rows[3][4]} <= {"good", "bad"}
    by_name = {a["input"]: a.get("label", "") for a in ask("t.csv")[1]}
    assert [row[4] for row in rows[1:]] == list(by_name.values())


def test_a_table_with_lists_and_numbers_keeps_them(ask, tmp_path):
    rows = [{"text": "it was good", "n": -3, "tags": ["a", "b"], "gone": None, "t": "=x"}, {"text": None, "n": 4}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    header, first, second = ask("t.jsonl", "--csv")[1]
    assert header[:5] == ["text", "n", "tags", "gone", "t"]
    assert first[:5] == ["it was good", "-3", '["a", "b"]', "", "'=x"]
    assert (second[:5], second[-1]) == (["", "4", "", "", ""], "the column text is empty")


def test_a_tag_for_each_word_is_one_row_for_each_row_of_a_table(ask, tmp_path):
    (tmp_path / "t.csv").write_text("tokens,words\nnumber 5,x\n,y\nnumber 1 2,z\n")
    header, *rows = ask("t.csv", "--csv", run="tags")[1]
    assert header == ["tokens", "words", "answer_words", "tags", "error"]
    assert [row[2] for row in rows] == ["number 5", "", "number 1 2"]
    assert [len(row[3].split()) for row in rows] == [2, 0, 3]
    assert len(ask("number 5", "number 1 2", "--csv", run="tags")[1]) == 1 + 2 + 3


def test_several_inputs_have_a_column_with_their_names(ask):
    header, *rows = ask("r.csv", "=it was good", "--csv")[1]
    assert header[0] == "input"
    assert [row[0] for row in rows] == ["r.csv: row 1", "r.csv: row 2", "'=it was good"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1", "-x", "+49 170 1"]
)
def test_a_text_that_a_spreadsheet_would_compute_is_quoted(text):
    assert uncomputed(text) == f"'{text}"


@pytest.mark.parametrize(
    "cell", ["-3.5", "+4", "-1e5", "-1,234.5", "-.5", "-5%", "-", "+", "a=1", "", " x", "1-2", -3, 2.5]
)
def test_numbers_and_ordinary_texts_stay(cell):
    assert uncomputed(cell) == cell
