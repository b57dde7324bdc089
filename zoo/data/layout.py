"""How the user's data is laid out: what an example is, and where it, its target and its split are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from zoo.data.examples import Split
from zoo.data.reader import Form, Reader, reader
from zoo.data.tables import AUTO, Dialect
from zoo.errors import BadData

Columns = str | tuple[str, ...]  # names separated by commas, unless a column has this very name; or one by one
Folders = Literal["auto", "classes", "splits"]

SPLIT_COLUMN, NO_COLUMN = "split", "none"
_ENDINGS = ("", "set", "_set", "-set", " set", "_data", "-data", " data", "_images", "_split")
_WORDS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "validate", "dev", "eval", "evaluation"),
    "test": ("test", "testing"),
}
_SPLITS = {f"{word}{end}": split for split, words in _WORDS.items() for word in words for end in _ENDINGS}


def split_called(word: str) -> Split | None:
    """The split that a folder or a cell names, in any case: train, training, val, dev, eval, test, ...; or None."""
    return _SPLITS.get(word.strip().lower())


@dataclass(frozen=True)
class Layout:
    """What to look for in the user's data.

    input_column   "": the default of the form (`image` or `text`; for pairs `text,text_b`; for words `tokens`)
    target_column  "": the default of the form (`label`; for words `tags`)
    split_column   the column with the split of each row; "": `split`, if there is one; "none": no column
    group          the column with what must not be parted by the split, such as a patient; "": none
    folders        whether the folders in a folder are classes or splits
    dialect        how a delimited file is written
    reading        the settings of the reader, as in `Reader.configured`
    """

    modality: str = "image"
    form_name: str = "single"
    input_column: Columns = ""
    target_column: Columns = ""
    split_column: str = ""
    group: str = ""
    folders: Folders = "auto"
    dialect: Dialect = AUTO
    reading: Mapping[str, Any] | None = field(default_factory=dict, hash=False)

    @property
    def reader(self) -> Reader:
        return reader(self.modality).configured(self.reading)

    @property
    def form(self) -> Form:
        """The form of the examples. Raises `BadData` if the modality has no such form."""
        forms = self.reader.forms
        if self.form_name not in forms:
            raise BadData(f"The modality {self.modality} has no examples of the form {self.form_name!r}.")
        return forms[self.form_name]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of an example. Raises `BadData` if `input_column` names too few or too many."""
        wanted = self.form.columns
        if not self.input_column:
            return wanted
        one = len(wanted) == 1 and isinstance(self.input_column, str)
        names = (str(self.input_column),) if one else _parted(self.input_column)
        if len(names) != len(wanted):
            raise BadData(
                f"--input {','.join(names)}: an example has {len(wanted)} column{'s' if len(wanted) > 1 else ''}. "
                f"Name that many, for example {','.join(wanted)}."
            )
        return names

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the target."""
        return _parted(self.target_column or self.form.target)

    def in_table(self, names: Sequence[str]) -> Layout:
        """The layout for a table with these columns: one that has a comma in its name is not parted at it."""
        exact = {
            field: (name,)
            for field in ("input_column", "target_column")
            if (name := getattr(self, field)) and isinstance(name, str) and name in names
        }
        return replace(self, **exact)  # type: ignore[arg-type]


def _parted(names: Columns) -> tuple[str, ...]:
    return tuple(names.split(",")) if isinstance(names, str) else names
