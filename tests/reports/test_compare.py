"""Runs beside each other: what is more than chance, and what only one gets right."""

import json
import re
import shutil

import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.stats import binomtest

import zoo
from zoo.catalog import catalog
from zoo.compose.head import make_task


def _worse(run, count):
    """Make the answers to some examples wrong in the table of predictions."""
    table = parquet.read_table(run / "predictions.parquet")
    columns = {name: table[name].to_pylist() for name in table.column_names}
    labels = [name.removeprefix("probability ") for name in columns if name.startswith("probability ")]
    right = [row for row, label in enumerate(columns["label"]) if label == columns["target"][row]]
    for row in right[:count]:
        other = next(label for label in labels if label != columns["target"][row])
        mine, its = (f"probability {label}" for label in (columns["target"][row], other))
        columns[mine][row], columns[its][row] = columns[its][row], columns[mine][row]
        columns["label"][row] = other
    parquet.write_table(pa.table(columns), run / "predictions.parquet")
    return [columns["input"][row] for row in right[:count]]


@pytest.mark.parametrize("count", [3, 20])
def test_a_difference_is_more_than_chance_only_if_there_is_enough_of_it(finished_run, tmp_path, count, page):
    worse = shutil.copytree(finished_run, tmp_path / "worse")
    changed = _worse(worse, count)
    out = tmp_path / "compare.html"
    found = zoo.compare(finished_run, worse, out=out, timed=False)
    (pair,) = found.pairs.values()
    value, (low, _) = pair.differences["accuracy"]
    examples = zoo.load_run(finished_run).summary["examples"]["validation"]
    assert value == pytest.approx(count / examples)
    assert pair.p == pytest.approx(binomtest(count, count).pvalue)
    assert sorted(name for name, _, _ in pair.only_first) == sorted(changed)
    assert pair.only_second == []
    assert (low > 0) == (pair.p < 0.05) == (count == 20)
    shown = page(out)
    assert all(name in shown.text for name in changed[:12])
    assert not shown.named("script")
    assert len(shown.named("img")) >= min(count, 12)


def test_a_run_is_no_better_than_itself_and_takes_some_time(finished_run, tmp_path, zoo_command):
    done = zoo_command("compare", finished_run, finished_run, "--out", tmp_path / "c.html", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    (pair,) = said["pairs"]
    assert pair["p"] == 1
    for value, ends in pair["differences"].values():
        assert value == 0
        assert ends is None or ends[0] <= 0 <= ends[1]
    assert all(0 < run["milliseconds"] < 1_000 for run in said["runs"])
    assert said["runs"][0]["intervals"]["accuracy"][0] < said["runs"][0]["metrics"]["accuracy"]


def test_other_examples_are_not_compared_one_by_one(finished_run, tmp_path):
    other = shutil.copytree(finished_run, tmp_path / "other")
    rows = (other / "split.csv").read_text().replace(",validation,", ",test,")
    (other / "split.csv").write_text(rows)
    table = parquet.read_table(other / "predictions.parquet")
    names = pa.array([f"new/{name}" for name in table["input"].to_pylist()])
    parquet.write_table(table.set_column(0, "input", names), other / "predictions.parquet")
    assert list(zoo.compare(finished_run, other, timed=False).pairs.values()) == [None]


def test_numbers_are_not_right_or_wrong():
    task = make_task(catalog().head("regression"), {})
    assert not task.is_right_or_wrong()


def test_a_page_takes_the_place_of_a_page_alone(finished_run, tmp_path):
    (tmp_path / "mine.html").write_text("<p>my work of an hour</p>")
    with pytest.raises(zoo.BadRun, match="no page that zoo wrote"):
        zoo.report(finished_run, out=tmp_path / "mine.html")
    assert "an hour" in (tmp_path / "mine.html").read_text()
    for _ in range(2):
        zoo.compare(finished_run, finished_run, out=tmp_path / "c.html", timed=False)


def test_one_run_is_no_comparison(finished_run):
    with pytest.raises(zoo.BadRun, match="at least two runs"):
        zoo.compare(finished_run)


def test_the_page_says_what_is_known_of_each(finished_run, tmp_path, page):
    again = shutil.copytree(finished_run, tmp_path / "again")
    zoo.compare(finished_run, again, out=tmp_path / "c.html", timed=False)
    text = re.sub(r"\s+", " ", page(tmp_path / "c.html").text)
    value = zoo.load_run(finished_run).metrics["accuracy"]
    assert f"{value:.3f} (" in text
    assert "2 runs compared" in text
