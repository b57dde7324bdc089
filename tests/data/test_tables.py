"""Tables as people have them: cells are read as they were written, or the file is refused."""

import csv
import datetime
import io
import json
import time

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import zoo
from zoo.compose.head import completed
from zoo.compose.task import Task
from zoo.data.layout import Layout
from zoo.data.sources import read_source as read
from zoo.data.tables import MISSING, BadRow, Dialect, open_table

TEXTS = Layout("text")
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


def rows_of(path, columns=("text", "label"), **dialect):
    table = open_table(path, columns, Dialect(**dialect))
    return list(table.rows(columns)), table


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# Whatever a cell may hold; those that mean "missing" are left out here.
_LETTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufeff")
CELLS = st.text(_LETTERS, min_size=1, max_size=12).filter(
    lambda text: text.strip() and text.strip() not in {*MISSING, "True", "False"}
)
PLAIN = CELLS.filter(lambda text: not set(text) & set("\r\n"))
ROWS = st.lists(st.tuples(CELLS, PLAIN), min_size=1, max_size=8)


@in_one_folder
@given(
    ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_what_was_written_with_quotes_is_read_or_refused(tmp_path, rows, separator, quoting, encoding):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting)
    writer.writerows([("text", "label"), *rows])
    path = written(tmp_path / "t.csv", text.getvalue(), encoding)
    try:
        found, table = rows_of(path)
    except zoo.BadData as error:
        assert "Is it one cell?" in str(error)  # noqa: PT017 - the only doubt that such a file leaves
        found, table = rows_of(path, quotes="cells")
    assert found == rows
    assert (separator if separator != "\t" else "tabs") in table.kind


@in_one_folder
@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_was_written_without_quotes_is_read_or_named(tmp_path, rows, separator):
    rows = [tuple(cell.replace(separator, "/") for cell in row) for row in rows]
    lines = [separator.join(row) for row in [("text", "label"), *rows]]
    path = written(tmp_path / "t.csv", "\n".join(lines) + "\n")
    found, _ = rows_of(path, quotes="text")
    assert found == rows
    try:
        found = rows_of(path)[0]
    except zoo.BadData as error:
        assert "--quotes" in str(error)  # noqa: PT017
        return
    assert len(found) == len(rows)
    for row, truth in zip(found, rows, strict=True):  # a cell that is quoted as a whole is read without the marks
        assert isinstance(row, BadRow) or row == truth or any(cell[0] == '"' for cell in truth)


@in_one_folder
@given(st.lists(st.tuples(CELLS, CELLS | st.integers() | st.booleans() | st.dates()), min_size=1, max_size=8))
def test_a_value_is_the_same_text_in_every_format(tmp_path, rows):
    def plain(value):
        return str(value).lower() if isinstance(value, bool) else str(value)

    texts, labels = [text for text, _ in rows], [plain(label) for _, label in rows]
    objects = [{"text": t, "label": v if isinstance(v, (int, str)) else str(v)} for t, v in rows]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    (tmp_path / "t.json").write_text(json.dumps(objects, indent=1), encoding="utf-8")
    parquet.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "t.parquet")
    for name in ("t.jsonl", "t.json", "t.parquet"):
        assert rows_of(tmp_path / name)[0] == list(zip(texts, labels, strict=True)), name


def test_types_of_parquet_are_the_texts_of_a_csv(tmp_path):
    day = datetime.date(2020, 1, 1)
    columns = {
        "bool": [True, None],
        "day": [day, None],
        "midnight": [datetime.datetime(2020, 1, 1), None],
        "time": [datetime.datetime(2020, 1, 1, 10, 30), None],
        "small": pa.array([0.1, None], pa.float32()),
        "big": [2**62, None],
        "whole": [3.0, float("nan")],
        "half": [2.5, float("nan")],
        "list": [["a", "b"], None],
        "picture": [{"bytes": b"x", "path": "a.png"}, None],
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    (first, second), table = rows_of(tmp_path / "t.parquet", tuple(columns))
    expected = ["true", "2020-01-01", "2020-01-01", "2020-01-01 10:30:00", "0.1", str(2**62), "3", "2.5", ["a", "b"]]
    assert list(first) == [*expected, {"bytes": b"x", "path": "a.png"}]
    assert set(second) == {None}
    assert table.notes == ["the numbers in whole are whole, and some are missing, so 1.0 is read as 1"]


def test_a_quotation_mark_that_does_not_close_swallows_nothing(tmp_path):
    lines = [f"text {i}\tgood" for i in range(30)]
    lines[4], lines[20] = '"unfinished\tgood', 'and "another"\tgood'
    found, table = rows_of(written(tmp_path / "t.tsv", "\n".join(["text\tlabel", *lines])))
    assert [cells[0] for cells in found] == [line.partition("\t")[0] for line in lines]
    assert "quotation marks are read as text" in table.notes[0]
    lines[20] = '"He said ""no"", and left"\tbad'  # quoting is used as well
    found, table = rows_of(written(tmp_path / "t.tsv", "\n".join(["text\tlabel", *lines])))
    assert (found[4], found[20]) == (('"unfinished', "good"), ('He said "no", and left', "bad"))
    assert table.notes == ["row 5 has a quotation mark that does not close, which is read as text"]
    lines[10] = 'closes here"\tbad'  # as if the rows from 5 to 11 were one cell
    found, _ = rows_of(written(tmp_path / "t.tsv", "\n".join(["text\tlabel", '"x\tgood"y', *lines])))
    assert len(found) == 31


def test_one_cell_or_several_rows_is_a_question(tmp_path):
    path = written(tmp_path / "t.csv", 'text,label\n"Dear Sir,\nthank you",good\nfine,good\n')
    with pytest.raises(
        zoo.BadData, match=r"row 1: .* opens at line 2 and closes at line 3.*--quotes cells.*--quotes text"
    ):
        rows_of(path)
    assert rows_of(path, quotes="cells")[0][0] == ("Dear Sir,\nthank you", "good")
    assert [row[0] if isinstance(row, tuple) else row for row in rows_of(path, quotes="text")[0]][1:] == [
        'thank you"',
        "fine",
    ]
    proper = written(tmp_path / "u.csv", path.read_text() + '"a, b",bad\n')  # this writer quotes as it should
    assert rows_of(proper)[0][0] == ("Dear Sir,\nthank you", "good")


def test_quotation_marks_with_a_backslash(tmp_path):
    path = written(tmp_path / "t.csv", 'text,label\n"He said \\"no\\", and left",good\nfine,bad\n')
    found, table = rows_of(path)
    assert found[0] == ('He said "no", and left', "good")
    assert table.notes == ['\\" in a quoted cell is read as "']


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("text;label\na, b;x\nc;1,5\n", "CSV separated by ';'"),
        ("sep=;\ntext;label\na, b;x\n", "CSV separated by ';'"),
        ("sep=|\r\ntext|label\r\na, b|x\r\n", "CSV separated by '|'"),
        ("text\tlabel\na, b\tx\n", "CSV separated by tabs"),
        ('id, text, label\n1, "a, b", x\n', "CSV separated by ','"),
        ('label,text,,\nx,"a, b",,\n', "CSV separated by ','"),
        ("text,text,label,label\n1,2,3,4\n", "twice"),
    ],
)
def test_separators_are_found_out_and_said(tmp_path, content, kind):
    path = written(tmp_path / "t.csv", content)
    if kind == "twice":
        with pytest.raises(zoo.BadData, match="2 columns called 'text'"):
            rows_of(path)
        return
    found, table = rows_of(path)
    assert (found[0], table.kind) == (("a, b", "x"), kind)


def test_a_column_of_texts_alone_has_no_separator(tmp_path):
    path = written(tmp_path / "t.csv", 'text\nHello, world\n"quoted, too"\nplain\n')
    found, table = rows_of(path, ("text",))
    assert (found, table.kind) == ([("Hello, world",), ("quoted, too",), ("plain",)], "CSV")


def test_rows_that_do_not_fit_are_named(tmp_path):
    path = written(tmp_path / "t.csv", "text,label\na,x\nb, c,y\nd\ne,y,,\n")
    examples = read(path, TEXTS, Task())
    assert [e.raw for e in examples.items] == ["a", "e"]
    assert [(s.input, s.reason) for s in examples.skipped] == [
        ("row 2", "it has 3 cells, but the table has 2 columns"),
        ("row 3", "it has only 1 of 2 cells"),
    ]


def test_names_with_commas(tmp_path):
    path = written(tmp_path / "t.csv", 'text,"good, bad",x\na,1,2\nb,2,3\n')
    exact = read(path, Layout("text", target_column="good, bad"), Task())
    assert [e.target for e in exact.items] == ["1", "2"]
    assert exact.columns == ("good, bad",)
    both = read(path, Layout("text", target_column=("good, bad", "x")), Task())
    assert [e.target for e in both.items] == [("1", "2"), ("2", "3")]


def test_a_record_of_any_length(tmp_path):
    long = "a very long story. " * 160_000
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": long, "label": "x"}))
    (tmp_path / "t.json").write_text(json.dumps([{"text": long, "label": "x"}, {"text": "b", "label": 2}]))
    written(tmp_path / "t.csv", f'text,label\n"{long}",x\n')
    for name in ("t.jsonl", "t.json", "t.csv"):
        assert rows_of(tmp_path / name)[0][0] == (long, "x")


def test_what_is_no_json_is_named_by_its_line(tmp_path):
    written(tmp_path / "t.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": \n')
    with pytest.raises(zoo.BadData, match="line 2 is not JSON"):
        rows_of(tmp_path / "t.jsonl")
    written(tmp_path / "t.json", '[{"text": "a", "label": 1}, {"text": ')
    with pytest.raises(zoo.BadData, match="after element 1"):
        rows_of(tmp_path / "t.json")


def test_the_first_sheet_of_an_excel_file(tmp_path):
    workbook(tmp_path / "t.xlsx", [["text", "label"], ["a", 1.0], ["b", 2.5], ["c", ""]])
    found, table = rows_of(tmp_path / "t.xlsx")
    assert found == [("a", "1"), ("b", "2.5"), ("c", None)]
    assert table.kind == "the sheet 'Data' of an Excel file"


def workbook(path, rows):
    """A workbook as Excel writes it, with texts inline."""
    import zipfile

    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{kinds}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
            f'ContentType="{kinds}.worksheet+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rels}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {space} xmlns:r="{rels}"><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rels}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>")


def test_conll_is_parted_at_its_own_separators(tmp_path):
    path = written(tmp_path / "t.conll", "# newdoc\n# sentence 1\nNew\u00a0York B-LOC\nis O\n\nEU B-ORG\n# O\n")
    found = list(open_table(path).rows(("tokens", "tags")))
    assert found == [(["New\u00a0York", "is"], ["B-LOC", "O"]), (["EU", "#"], ["B-ORG", "O"])]
    path = written(tmp_path / "t.txt", "New York\tB-LOC\nis\tO\n")
    words = Layout("text", "words", "tokens")
    task = completed(Task(), "words")
    assert read(path, words, task).items[0].raw == "New\u00a0York is"
    with pytest.raises(zoo.BadData, match="name its column with --input"):
        read(path, Layout("text", "words"), task)


LINES = st.lists(
    st.tuples(
        st.sampled_from(["fine", '"a, b"', '"say ""hi"""', '"open', 'end"', 'in "the" middle', '"x"y']), st.just("z")
    ),
    min_size=1,
    max_size=12,
)


@in_one_folder
@given(LINES, st.sampled_from(["auto", "cells"]))
def test_no_row_is_swallowed_wherever_a_quotation_mark_opens(tmp_path, rows, quotes):
    path = written(tmp_path / "t.csv", "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    try:
        found, table = rows_of(path, quotes=quotes)
    except zoo.BadData as error:
        assert "Is it one cell" in str(error) or "do not fit" in str(error)  # noqa: PT017
        return
    texts = [text for text, _ in rows]
    if '"open' in texts and 'end"' in texts[texts.index('"open') :]:
        return  # a cell of several lines, as far as one can tell
    assert len(found) == len(rows)
    if any(text == '"open' for text, _ in rows) and quotes == "auto":
        assert table.notes


def test_an_open_quotation_mark_in_a_long_file_is_one_row(tmp_path):
    lines = ["fine,x", '"a, b",q', '"never closes,y', *(f"more {n},z" for n in range(300_000))]
    found, table = rows_of(written(tmp_path / "t.csv", "\n".join(["text,label", *lines])))
    assert len(found) == 300_003
    assert found[2] == ('"never closes', "y")
    assert table.notes == ["row 3 has a quotation mark that does not close, which is read as text"]


@pytest.mark.parametrize("line", ['he said ""no"" again\n', 'x","y\n', '\\"x\\"\n'])
def test_a_long_cell_with_quotation_marks_is_read_in_one_go(tmp_path, line):
    path = written(tmp_path / "t.csv", f'text,label\n"{line * 8000}",a\n"x","b"\n')
    start = time.process_time()
    rows, _ = rows_of(path)
    assert time.process_time() - start < 4, "four times as long takes a minute if each line is looked at for each"
    assert rows[-1] == ("x", "b")


def test_a_header_in_quotes_after_spaces(tmp_path):
    path = written(tmp_path / "t.csv", '"id", "text", "label"\n1, "a, b", "x"\n2, c, y\n')
    assert rows_of(path)[0] == [("a, b", "x"), ("c", "y")]


def test_backslashes_that_escape_nothing_stay(tmp_path):
    path = written(tmp_path / "t.csv", 'text,label\n"he said \\"hi, you\\" in C:\\new\\dir",x\nC:\\other,y\n')
    assert rows_of(path)[0] == [('he said "hi, you" in C:\\new\\dir', "x"), ("C:\\other", "y")]


BIO = "B-GENRE\tfunny\nO\tfilms\nO\tby\n\nO\twith\nB-ACTOR\tTom\nI-ACTOR\tHanks\n"
CONLLU = (
    "# sent_id = 1\n# text = I don't go\n1\tI\ti\tPRON\t_\t_\t3\tnsubj\t_\t_\n2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "2\tdo\tdo\tAUX\t_\t_\t0\troot\t_\t_\n3\tn't\tnot\tPART\t_\t_\t2\tadvmod\t_\t_\n\n"
    "1\tYes\tyes\tINTJ\t_\t_\t0\troot\t_\t_\n1.1\tno\tno\tINTJ\t_\t_\t0\troot\t_\t_\n\n"
)


def test_conll_with_tags_before_words_is_refused_until_its_columns_are_named(tmp_path):
    table = open_table(written(tmp_path / "t.bio", BIO))
    with pytest.raises(zoo.BadData, match=r"first column has tags such as 'B-GENRE'.*--input tags --target tokens \("):
        table.rows(("tokens", "tags"))
    with pytest.raises(zoo.BadData, match=r"Say so: --input tags \("):
        table.rows(("tokens",))
    first = (["funny", "films", "by"], ["B-GENRE", "O", "O"])
    assert next(table.rows(("tags", "tokens"))) == first
    usual = "".join("\t".join(reversed(line.split("\t"))) + "\n" for line in BIO.splitlines())
    assert next(open_table(written(tmp_path / "u.bio", usual)).rows(("tokens", "tags"))) == first
    both = written(tmp_path / "b.bio", "B-x B-x\nO O\nO B-y\nO O\n")  # both may be tags
    assert len(list(open_table(both).rows(("tokens", "tags")))) == 1


def test_conll_u_is_refused_until_its_columns_are_named(tmp_path):
    table = open_table(written(tmp_path / "t.conll", CONLLU))
    with pytest.raises(zoo.BadData, match=r"numbers, as in CoNLL-U\. .*: --input 2 --target 4$"):
        table.rows(("tokens", "tags"))
    with pytest.raises(zoo.BadData, match=r"--input 2$"):
        table.rows(("tokens",))
    assert list(table.rows(("2", "4"))) == [(["I", "do", "n't"], ["PRON", "AUX", "PART"]), (["Yes"], ["INTJ"])]
    assert table.notes[-1] == "2 lines with a number such as 1-2 or 8.1 stand for no word of their own"


@pytest.mark.parametrize("start", [0, 1])
def test_conll_whose_first_column_counts(tmp_path, start):
    lines = "\n".join("\n".join(f"{n + start} w{n} O" for n in range(3)) + "\n" for _ in range(3))
    with pytest.raises(zoo.BadData, match=r"running numbers.*as in --input 2 --target tags\. .*: 2, tags$"):
        open_table(written(tmp_path / "t.conll", lines)).rows(("tokens", "tags"))
    words = written(tmp_path / "u.conll", "1 CD\nof DT\n2 CD\nis VBZ\n\n3 CD\n")
    assert next(open_table(words).rows(("tokens",))) == (["1", "of", "2", "is"],)


@pytest.mark.parametrize("end", ["", "\n\n"])
def test_conll_without_blank_lines_is_refused(tmp_path, end):
    lines = "-DOCSTART- O\n\n" + "a O\nb B-x\n" * 200
    table = open_table(written(tmp_path / "t.conll", lines + end))
    with pytest.raises(zoo.BadData, match="no blank lines between sentences, so 400 words would be one sentence"):
        list(table.rows(("tokens",)))
    table = open_table(written(tmp_path / "t.conll", f"{lines}\nc O\n"))
    assert [len(words) for (words,) in table.rows(("tokens",))] == [400, 1]


def test_a_line_of_conll_in_which_nothing_is_seen_ends_a_sentence(tmp_path):
    table = open_table(written(tmp_path / "t.conll", "a O\n\u00a0\nb O\n \u200b\ufeff\nc O\n\u3000\t\r\n"))
    assert list(table.rows(("tokens",))) == [(["a"],), (["b"],), (["c"],)]


@pytest.mark.parametrize("head", ["token\ttag", "Word\tNER", "words\tlabels", "# newdoc\nWord\tPOS"])
def test_a_line_of_conll_that_names_the_columns_is_no_word(tmp_path, head):
    table = open_table(written(tmp_path / "t.conll", f"{head}\na\tO\nb\tB-x\n"))
    assert list(table.rows(("tokens", "tags"))) == [(["a", "b"], ["O", "B-x"])]
    number = head.count("\n") + 1
    assert (
        f"line {number} names the columns ({head.splitlines()[-1].replace(chr(9), ' ')}), and is no word" in table.notes
    )


def test_a_word_of_conll_that_could_name_a_column_is_one_if_its_tag_occurs_again(tmp_path):
    table = open_table(written(tmp_path / "t.conll", "word\tpos\nis\tneg\ngood\tpos\n"))
    assert next(table.rows(("tokens",))) == (["word", "is", "good"],)
    assert not table.notes


def test_words_that_begin_with_a_number_sign_are_words(tmp_path):
    lines = "# sent_id = 1\n#win\tHT\n#\tO\nand\tO\n\n#lost\tHT\n"
    table = open_table(written(tmp_path / "t.conll", lines))
    assert list(table.rows(("tokens",))) == [(["#win", "#", "and"],), (["#lost"],)]
    assert table.notes == ["lines that begin with # and are comments: 1"]
    spaced = open_table(written(tmp_path / "u.conll", "# newdoc\n# O\n#tag HT\n"))
    assert list(spaced.rows(("tokens", "tags"))) == [(["#", "#tag"], ["O", "HT"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"text": "a", "label": 1}]\n[{"text": "b", "label": 2}]', "after element 1, something follows the end"),
        ('[{"text": "a", "label": 1} {"text": "b", "label": 2}]', "after element 1, there is no comma"),
        ('[{"text": "a", "label": 1},,]', "after element 1, Expecting value"),
        ('[{"text": "a", "label": 1}', "it ends too early"),
    ],
)
def test_what_is_no_array_is_refused(tmp_path, content, said):
    with pytest.raises(zoo.BadData, match=said):
        rows_of(written(tmp_path / "t.json", content))


def test_a_column_that_comes_late_is_there(tmp_path):
    rows = [{"text": f"t{n}", "label": "x"} for n in range(1500)] + [{"text": "last", "label": "y", "split": "test"}]
    written(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows)))
    assert [e.split for e in read(tmp_path / "t.jsonl", TEXTS, Task()).items][-1] == "test"


def test_a_split_column_is_seen_with_a_space_or_in_another_case(tmp_path):
    for name in ("Split", "split ", "SPLIT"):
        path = written(tmp_path / "t.csv", f"text,label,{name}\na,x,dev\nb,y,train\n")
        assert [e.split for e in read(path, TEXTS, Task()).items] == ["validation", "train"]
    with pytest.raises(zoo.BadData, match="no column 'fold'"):
        read(path, Layout("text", split_column="fold"), Task())
    assert [e.split for e in read(path, Layout("text", split_column="none"), Task()).items] == [None, None]


def test_every_cell_of_a_row_is_kept_for_the_answers(tmp_path):
    path = written(tmp_path / "t.csv", "id,text,note\n1,hello,null\n2,bye\n3,a,b,c\n")
    assert list(open_table(path, ("text",)).every_row()) == [["1", "hello", "null"], ["2", "bye", None], list("3abc")]


def test_parquet_with_one_name_twice_and_moments_beyond_python(tmp_path):
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array(["x"])], names=["text", "n", "n"])
    parquet.write_table(twice, tmp_path / "t.parquet")
    assert rows_of(tmp_path / "t.parquet", ("text",))[0] == [("a",)]
    assert list(open_table(tmp_path / "t.parquet").every_row()) == [("a", "b", "x")]
    moments = pa.array([1_577_836_800_000_000_001, 1_577_836_800_500_000_000], pa.timestamp("ns"))
    late = pa.array([400_000_000_000, 0], pa.timestamp("s"))
    parquet.write_table(pa.table({"text": moments, "label": late}), tmp_path / "m.parquet")
    found, _ = rows_of(tmp_path / "m.parquet")
    assert [row[0] for row in found] == ["2020-01-01 00:00:00.000000001", "2020-01-01 00:00:00.5"]
    assert [row[1][:5] for row in found] == ["14645", "1970-"]


def test_the_number_of_broken_rows_is_said_in_one_note(tmp_path):
    path = written(tmp_path / "t.csv", 'text,label\n"a, b",x\n' + '"open,z\n' * 20_000)
    _, table = rows_of(path)
    assert table.notes == ["row 2 has a quotation mark that does not close, which is read as text; such rows: 20000"]


def test_true_and_false_and_missing_values_are_the_same_in_every_format(tmp_path):
    written(tmp_path / "t.csv", "text,label\na,True\nb,False\nc,\nd,null\ne,NaN\n")
    labels = ["true", "false", "null", '"null"', "NaN"]
    lines = [f'{{"text": "{text}", "label": {label}}}' for text, label in zip("abcde", labels, strict=True)]
    written(tmp_path / "t.jsonl", "\n".join([*lines, '{"text": "f"}']))
    parquet.write_table(
        pa.table({"text": list("abcde"), "label": pa.array([True, False, None, None, None])}), tmp_path / "t.parquet"
    )
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        assert [row[1] for row in rows_of(tmp_path / name)[0]][:5] == ["true", "false", None, None, None], name
    assert rows_of(written(tmp_path / "n.csv", "text,label\na,None\n"))[0] == [("a", "None")]


def test_a_cell_in_quotes_after_a_space(tmp_path):
    path = written(tmp_path / "t.csv", 'text,label\n"great film", "good"\nHe said, "no"\n')
    assert rows_of(path)[0] == [("great film", "good"), ("He said", "no")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "t.csv",
            "text^label\na^x\n",
            r"no column 'text'\. It has text\^label .*The first line must have.*--separator",
        ),
        ("t.json", '{"version": 1, "data": [{"text": "a"}]}', r"one object with version, data\. It must be an array"),
        ("t.json", '{\n "text": {"0": "a"}\n}', "There must be an object on each line, or one array of objects"),
        ("t.json", '[["a", 1], ["b", 2]]', "has no object"),
        ("t.csv", b"\x1f\x8b\x08\x00aaaa", r"is compressed\. Unpack it first"),
        ("t.csv", "text,label\na,x\n".encode("utf-16-le"), "If it is UTF-16, save it as UTF-8"),
    ],
)
def test_what_is_no_such_table_is_a_sentence_that_helps(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(zoo.BadData, match=said):
        rows_of(path)


def test_names_of_files_are_no_texts(tmp_path):
    for n in range(3):
        written(tmp_path / f"txt{n}.txt", "a text")
    path = written(tmp_path / "t.csv", "text,label\n" + "".join(f"txt{n}.txt,x\n" for n in range(3)))
    with pytest.raises(zoo.BadData, match=r"names of files \(txt0\.txt\)"):
        read(path, TEXTS, Task())


def test_a_column_that_may_be_the_split_is_named(tmp_path):
    path = written(tmp_path / "t.csv", "text,label,set\na,x,train\nb,y,val\n")
    assert any("--split-column set" in note for note in read(path, TEXTS, Task()).notes)
    assert [e.split for e in read(path, Layout("text", split_column="set"), Task()).items] == ["train", "validation"]


def test_a_file_whose_cells_are_all_quoted_leaves_no_doubt(tmp_path):
    rows = [*((f"text {n}", "neg") for n in range(300)), ("Hello, dear\nBest", "pos")]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *rows])
    assert rows_of(written(tmp_path / "t.csv", text.getvalue()))[0] == rows


def test_comments_of_conll_are_no_words_however_long(tmp_path):
    lines = "# doc7\n## doc\n###MEDLINE:9\n#\tfrom 2009\nEU B-ORG\n#x O\n# O\n\n# O\n"
    table = open_table(written(tmp_path / "t.conll", lines))
    assert list(table.rows(("tokens",))) == [(["EU", "#x", "#"],), (["#"],)]
    assert table.notes == ["lines that begin with # and are comments: 4"]


def test_one_object_with_a_list_of_objects_is_a_row(tmp_path):
    path = written(tmp_path / "t.jsonl", '{"text": "nice", "label": "good", "spans": [{"s": 1}]}\n')
    assert rows_of(path)[0] == [("nice", "good")]
