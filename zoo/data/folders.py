"""Folders of classes, perhaps below folders of splits, as examples. No file is opened."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from zoo.data.examples import Examples, Skipped, Split, add_example
from zoo.data.layout import Layout, split_called
from zoo.data.reader import Targets
from zoo.data.tables import TABLES
from zoo.errors import BadData
from zoo.places import is_local, walk

STRANGERS = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__")
_STRANGE_FILES = ("thumbs.db", "desktop.ini")
_OF_FILES_ABOUT = "md rst txt py sh ipynb zip tar gz csv tsv json jsonl yaml yml pdf html xml"
_ABOUT = {f".{ending}" for ending in _OF_FILES_ABOUT.split()}


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in a fixed order, without hidden ones and those that systems leave behind.

    Follows links, but never in a loop. Raises `BadData` for a folder that cannot be listed, because its files would be
    missed in silence.
    """
    try:
        for at, folders, files in walk(folder):
            folders[:] = [name for name in folders if not _is_strange(name)]
            yield from (at / name for name in files if not _is_strange(name))
    except OSError as error:
        raise BadData(
            f"The folder {error.filename} cannot be listed ({error.strerror}). Make it readable, or remove it."
        ) from None


def read_folder(folder: Path, layout: Layout, targets: Targets) -> Examples:
    """The examples in a folder of classes, or of splits with classes in each.

    Raises `BadData` if there are none, or it is unclear which of both it is.
    """
    examples = Examples(folder, kind="")
    root = _entered(folder, examples)
    splits = _splits_in(root, layout, examples)
    if splits:
        for child, split in splits.items():
            if (inner := _inside(child, split)) != child:
                examples.notes.append(f"the classes are taken from {inner}, the only folder in {inner.parent}")
            _read_classes(inner, split, folder, layout, targets, examples)
    else:
        _read_classes(root, None, folder, layout, targets, examples)
    tables = sorted(path.name for path in root.iterdir() if path.is_file() and path.suffix.lower() in TABLES)
    if tables and len({example.written for example in examples.items}) == 1:
        raise BadData(
            f"{root} has one folder of files and the table {tables[0]}. If the table names the files, give it as DATA: "
            f"{root / tables[0]}"
        )
    if not examples.items:
        found = f"only files outside of any class ({len(examples.skipped)})" if examples.skipped else "nothing"
        raise BadData(f"There are no examples in {folder}: {found}. It needs a sub-folder for each class.")
    return examples


def _is_strange(name: str) -> bool:
    return name.startswith(".") or name.lower() in STRANGERS or name.lower() in _STRANGE_FILES


def _folders_in(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not _is_strange(child.name))


def _has_files(folder: Path) -> bool:
    return any(child.is_file() and not _is_strange(child.name) for child in folder.iterdir())


def _is_about(path: Path) -> bool:
    """Whether a file is about the data, and none of it: a README, an archive, a table."""
    return path.suffix.lower() in _ABOUT or path.stem.lower() in ("readme", "license", "licence")


def _entered(folder: Path, examples: Examples) -> Path:
    """The folder itself, or the lone folder in it that has the classes."""
    if strange := sorted(c.name for c in folder.iterdir() if c.is_dir() and c.name.lower() in STRANGERS):
        examples.notes.append(f"{', '.join(strange)} in {folder} is left out")
    if hidden := sorted(c.name for c in folder.iterdir() if c.is_dir() and c.name.startswith(".")):
        examples.notes.append(f"hidden folders in {folder} are left out: {', '.join(hidden)}")
    root = _inside(folder)
    if root != folder:
        examples.notes.append(f"the classes are taken from {root}, the only folder in {root.parent}")
    return root


def _inside(folder: Path, split: Split | None = None) -> Path:
    """The lone folder in a folder (of a split) that has the classes, at any depth; itself if there is none."""
    root, seen = folder, {folder}
    while len(children := _folders_in(root)) == 1 and _folders_in(children[0]):
        files = [child for child in root.iterdir() if child.is_file() and not _is_strange(child.name)]
        around_itself = is_local(root) and os.path.realpath(children[0]) in map(os.path.realpath, seen)
        if around_itself or split_called(children[0].name) not in (None, split) or not all(map(_is_about, files)):
            break
        root = children[0]
        seen.add(root)
    return root


def _splits_in(root: Path, layout: Layout, examples: Examples) -> dict[Path, Split]:
    """The folders of splits with their splits; {} if the folders are classes. Raises `BadData` if it is unclear."""
    children = _folders_in(root)
    splits = {child: split for child in children if (split := split_called(child.name)) is not None}
    if not splits and layout.folders != "classes":
        splits = _loosely_called(children)
    others = [child for child in children if child not in splits]
    if not splits or layout.folders == "classes":
        return {}
    training = [child for child, split in splits.items() if split == "train"]
    nested = bool(training) and all(map(_folders_in, training))
    if layout.folders == "auto":
        several = len(set(splits.values())) > 1
        if not nested and not several and others:
            return {}  # a class that happens to have the name of a split
        if not nested or (others and not several):
            _ask(root, list(splits), others, bool(training))
    elif not training:
        raise BadData(f"--folders splits: {root} has no folder called train or training.")
    if others:
        counts = ", ".join(f"{child.name} ({_count(child)})" for child in others)
        examples.notes.append(f"folders beside the splits are left out: {counts}")
        examples.skipped += [Skipped(c.relative_to(examples.source).as_posix(), "beside the splits") for c in others]
    for path in sorted(root.iterdir()):
        if path.is_file() and not _is_strange(path.name):
            examples.skipped.append(Skipped(path.relative_to(examples.source).as_posix(), "beside the splits"))
    return splits


def _loosely_called(children: Sequence[Path]) -> dict[Path, Split]:
    """The splits of folders such as train2017 and seg_test, if all have such names and folders in them."""
    found = {}
    for child in children:
        match = re.fullmatch(r"(?:.*[_ -])?([a-z]+?)[_ -]?\d*", child.name.lower())
        if match is None or (split := split_called(match[1])) is None or not _folders_in(child):
            return {}
        found[child] = split
    return found if len(set(found.values())) > 1 and "train" in found.values() else {}


def _ask(root: Path, splits: Sequence[Path], others: Sequence[Path], training: bool) -> None:
    names = " and ".join(f"{child.name!r}" for child in splits)
    shown = ", ".join(child.name for child in others[:3]) + (", ..." if len(others) > 3 else "")
    beside = f" beside {shown}" if others else ""
    if not training:
        what = "but none called train"
    elif others:
        what = "which could be splits or classes"
    else:
        what = "which have the names of splits but no sub-folders for classes"
    raise BadData(
        f"{root} has folders called {names}{beside}, {what}. --folders splits reads them as splits, each with a "
        "sub-folder for each class, and leaves out all others; --folders classes reads every folder as a class."
    )


def _count(folder: Path) -> str:
    count = sum(1 for _ in files_below(folder))
    return f"{count} file{'' if count == 1 else 's'}"


def _read_classes(
    folder: Path, split: Split | None, root: Path, layout: Layout, targets: Targets, examples: Examples
) -> None:
    classes = _folders_in(folder)
    for child in classes:
        _refuse_unwritable(child)
    within = _splits_within(folder, classes, layout, examples) if split is None else False
    counts: Counter[str] = Counter()
    for path in files_below(folder):
        parts = path.relative_to(folder).parts
        name = path.relative_to(root).as_posix()
        if len(parts) == 1:
            examples.skipped.append(Skipped(name, "not in the folder of a class"))
            continue
        counts[parts[0]] += 1
        inner = split_called(parts[1]) if within else split
        add_example(examples, name, path, parts[:1], inner, targets)
    places: dict[str, str] = {}
    for child in classes:
        same = places.setdefault(os.path.realpath(child) if is_local(child) else str(child), child.name)
        if not counts[child.name]:
            reason = f"the same folder as {same}" if same != child.name else "no files"
            examples.lost[child.relative_to(root).as_posix()] = reason


def _splits_within(root: Path, classes: Sequence[Path], layout: Layout, examples: Examples) -> bool:
    """Whether the classes have folders of splits, and nothing else. Raises `BadData` if only some of them do."""
    inner = {child: _folders_in(child) for child in classes}
    names = {folder.name for folders in inner.values() for folder in folders if split_called(folder.name)}
    if layout.folders == "classes":
        return False
    if not names:
        _refuse_the_same_in_each(root, inner)
        return False
    regular = all(folders and all(split_called(folder.name) for folder in folders) for folders in inner.values())
    if not regular or any(map(_has_files, classes)) or "train" not in map(split_called, names):
        with_splits = [child.name for child in classes if any(split_called(folder.name) for folder in inner[child])]
        raise BadData(
            f"Some folders in {root} have sub-folders called {', '.join(sorted(names))} "
            f"({', '.join(with_splits[:3])}), but not every class has these and nothing else. --folders classes takes "
            "all files below a folder for examples of that class."
        )
    examples.notes.append(f"each class has its own splits: {', '.join(sorted(names))}")
    return True


def _refuse_the_same_in_each(root: Path, inner: Mapping[Path, Sequence[Path]]) -> None:
    """Raise `BadData` if every class has folders of the same names, which may be the classes."""
    sets = {tuple(folder.name for folder in folders) for folders in inner.values()}
    if len(inner) > 1 and len(sets) == 1 and len(same := sets.pop()) > 1 and not any(map(_has_files, inner)):
        outer = ", ".join(child.name for child in list(inner)[:3])
        raise BadData(
            f"Each folder in {root} ({outer}) has the same folders in it: {', '.join(same[:5])}. If these are the "
            f"classes, put the files of each into one folder; if {outer} are the classes: --folders classes"
        )


def _refuse_unwritable(folder: Path) -> None:
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        shown = folder.name.encode("utf-8", "backslashreplace").decode()
        raise BadData(
            f"The name of the folder {shown} in {folder.parent} is not valid UTF-8, so it cannot be the name of a "
            "class. Rename it."
        ) from None
