"""The report of a run: its numbers are those of the run, it needs nothing from elsewhere, and obeys nobody's text."""

import json
import re
import shutil
from itertools import pairwise

import pytest
from PIL import Image
from sklearn import metrics as theirs

import zoo
from zoo.reports.blocks import rendered
from zoo.reports.page import Part, page
from zoo.reports.section import Section


@pytest.fixture(scope="module")
def reported(finished_run, tmp_path_factory):
    return zoo.report(finished_run, out=tmp_path_factory.mktemp("report") / "report.html")


def test_every_number_is_that_of_the_run(finished_run, reported, page):
    run, shown = zoo.load_run(finished_run), page(reported)
    summary = json.loads((finished_run / "metrics.json").read_text())
    wanted = [*run.metrics.values(), *summary["baseline"]["metrics"].values(), *summary["constant"]["metrics"].values()]
    wanted += summary["intervals"]["accuracy"]
    table = run.predictions.to_pylist()
    true, given = [row["target"] for row in table], [row["label"] for row in table]
    labels = sorted(set(true))
    for values in theirs.precision_recall_fscore_support(true, given, labels=labels, zero_division=0)[:3]:
        wanted += [float(value) for value in values]
    assert theirs.accuracy_score(true, given) == pytest.approx(run.metrics["accuracy"])
    for value in wanted:
        assert any(number == pytest.approx(value, abs=1e-12) for number in shown.numbers), value
    matrix = re.search(r"<table class=matrix>.*?</table>", shown.source, re.DOTALL)[0]
    counts = [int(cell) for cell in re.findall(r"<td class=\"(?:right|wrong|none)\"[^>]*>(\d+)", matrix)]
    assert counts == theirs.confusion_matrix(true, given, labels=labels).ravel().tolist()
    wrong = sum(a != b for a, b in zip(true, given, strict=True))
    assert f"{wrong} of {len(table)} answers are wrong" in shown.text


def test_the_mistakes_are_shown_the_most_confident_first(finished_run, reported, page):
    table = zoo.load_run(finished_run).predictions.to_pylist()
    wrong = [row for row in table if row["label"] != row["target"]]
    wrong.sort(key=lambda row: -row[f"probability {row['label']}"])
    text = page(reported).text
    places = [text.index(row["input"]) for row in wrong[:8]]
    assert places == sorted(places)
    assert "Grad-CAM" in text


def test_it_needs_nothing_from_elsewhere(reported, page):
    shown = page(reported)
    assert not {"script", "iframe", "object", "link", "form", "base"} & {tag for tag, _ in shown.tags}
    addresses = [attrs.get("src") or attrs.get("href") for tag in ("img", "a") for attrs in shown.named(tag)]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"url\((?!['\"]?(?:#|data:))", shown.source)
    assert "default-src 'none'" in shown.source
    assert reported.stat().st_size < 3_000_000


def test_it_is_made_of_headings_in_order_and_tables_with_headers(reported, page):
    shown = page(reported)
    levels = [int(tag[1]) for tag, _ in shown.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attrs for attrs in shown.named("th"))
    assert all(attrs.get("aria-label") for attrs in shown.named("svg"))
    assert all("alt" in attrs for attrs in shown.named("img"))
    ids = [attrs["id"] for tag, attrs in shown.tags if tag in ("section", "h2", "main") and attrs.get("id")]
    assert len(set(ids)) == len(ids)


def test_without_its_data_a_report_names_the_examples(own_run, page):
    plan = (own_run / "plan.toml").read_text()
    (own_run / "plan.toml").write_text(re.sub(r"^data = .*$", 'data = "gone"', plan, flags=re.MULTILINE))
    shown = page(zoo.report(own_run))
    assert "gone does not exist" in shown.text
    assert not shown.named("img")
    assert "answers are wrong" in shown.text


def test_a_picture_that_has_changed_is_not_shown_as_if_it_were_the_same(own_run, tmp_path, page, finished_run):
    data = tmp_path / "data"
    plan = (own_run / "plan.toml").read_text()
    shutil.copytree(re.search(r'^data = "(.*)"$', plan, re.MULTILINE)[1], data)
    (own_run / "plan.toml").write_text(re.sub(r"^data = .*$", f'data = "{data}"', plan, flags=re.MULTILINE))
    worst = json.loads((own_run / "mistakes.json").read_text())["validation"]["worst"][0]["input"]
    Image.new("RGB", (40, 40), "red").save(data / worst)
    assert "changed since the training" in page(zoo.report(own_run)).text


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egpj.$x^2$ &lt;\x1b]0;t\x07'


def test_hostile_names_labels_and_texts_do_nothing(own_run, page):
    content = json.loads((own_run / "mistakes.json").read_text())
    content["validation"]["worst"][0] |= {"input": HOSTILE, "target": HOSTILE, "in_words": HOSTILE}
    (own_run / "mistakes.json").write_text(json.dumps(content))
    figures = json.loads((own_run / "figures.json").read_text())
    for figure in figures["validation"]:
        figure["title"] = figure["note"] = HOSTILE
    figures["validation"][0]["labels"][0] = HOSTILE
    figures["validation"][1]["rows"][0][0] = HOSTILE
    figures["validation"].append({"kind": "bars", "title": HOSTILE, "labels": [HOSTILE], "values": {HOSTILE: [1.0]}})
    figures["validation"].append({"kind": HOSTILE})
    figures["validation"].append({"kind": "matrix", "labels": [HOSTILE], "values": HOSTILE})
    (own_run / "figures.json").write_text(json.dumps(figures))
    shown = page(zoo.report(own_run))
    assert not shown.named("script")
    assert not any(name.startswith("on") for _, attrs in shown.tags for name in attrs)
    assert "\u202e" not in shown.source
    assert "\x1b" not in shown.source
    assert "<script>alert(1)</script>" in shown.text  # as text


@pytest.mark.parametrize(
    "figure",
    [
        {"kind": "matrix", "title": "m", "labels": [f"class {i}" for i in range(100)], "values": [[1] * 100] * 100},
        {"kind": "matrix", "title": "m", "labels": ["a", "b"], "values": [[5, 0], [1, 4]]},
        {"kind": "bars", "title": "b", "labels": [str(i) for i in range(200)], "values": {"n": list(range(200))}},
        {"kind": "scatter", "title": "s", "x": [1.0] * 20_000, "y": [2.0] * 20_000, "names": ["x", "y"]},
        {"kind": "curve", "title": "c", "lines": {"a": {"x": [0, 1], "y": [0, None]}}, "names": ["x", "y"]},
        {"kind": "histogram", "title": "h", "values": {"n": [1.0, 1.0]}, "names": ["x", "y"]},
        {"kind": "table", "title": "t", "columns": ["a", "b"], "rows": [[str(i), i / 7] for i in range(300)]},
    ],
    ids=lambda figure: figure["kind"],
)
def test_figures_of_all_sizes_are_drawn_in_little_room(figure):
    drawn = rendered(figure)
    assert "cannot be drawn" not in drawn
    assert len(drawn) < 400_000


def test_a_figure_that_cannot_be_drawn_is_a_sentence_and_stops_nothing():
    assert "KeyError" in rendered({"kind": "bars"})
    assert "unknown kind" in rendered({"kind": "pie"})


def test_sections_of_plugins_are_escaped_and_listed():
    section = Section("Ours <b>", [{"kind": "text", "text": "<i>"}, {"kind": "facts", "facts": {"<u>": 0.5}}])
    made = page("t", Part.of(section).content, [Part.of(section)])
    assert "<b>" not in made
    assert "<i>" not in made
    assert "&lt;u&gt;" in made


def test_the_command_writes_it_and_says_where(own_run, zoo_command):
    done = zoo_command("report", own_run, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["report"] == str(own_run / "report.html")
    assert said["bytes"] == (own_run / "report.html").stat().st_size
    refused = zoo_command("report", own_run, "--out", own_run / "nowhere/report.html")
    assert refused.returncode == 1
    assert "Name another file with --out" in refused.stderr
