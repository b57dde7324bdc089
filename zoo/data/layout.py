"""How the user's data is laid out: what an example is, and which columns of a table hold it and its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.data.reader import Form, Reader, reader
from zoo.errors import BadData


@dataclass(frozen=True)
class Layout:
    """What to look for in the user's data.

    input_column   "": the default of the form (`image` or `text`; for pairs `text,text_b`; for words `tokens`)
    target_column  "": the default of the form (`label`; for words `tags`); several are separated by commas
    reading        the settings of the reader, as in `Reader.configured`
    """

    modality: str = "image"
    form_name: str = "single"
    input_column: str = ""
    target_column: str = ""
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
        if not self.input_column or len(wanted) == 1:
            return (self.input_column,) if self.input_column else wanted
        names = tuple(self.input_column.split(","))
        if len(names) != len(wanted):
            raise BadData(
                f"--input {self.input_column}: an example has {len(wanted)} columns. "
                f"Name that many, for example {','.join(wanted)}."
            )
        return names

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the target."""
        return tuple((self.target_column or self.form.target).split(","))
