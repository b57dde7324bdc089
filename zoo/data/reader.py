"""What is special to a modality: how its examples are found, read, compared, put into batches, and shown."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.catalog import catalog
from zoo.catalog.imports import resolve_import
from zoo.errors import BadData
from zoo.places import is_place

if TYPE_CHECKING:
    import keras

Raw = Any  # what stands for an example until it is read: a place, bytes, a value; of a pair, two of these
Value = Any  # an example, read


@dataclass(frozen=True)
class Form:
    """What one example is made of, in a table.

    columns    that hold it, where a person names no others
    target     column of its target, likewise
    from_cells from the cells of those columns, and the folder of the table, to the raw; raises `BadData` with a reason
    from_text  from what a person types to the raw, where an example can be typed
    folders    whether a folder of files, sorted into classes, can hold such examples
    """

    columns: tuple[str, ...]
    target: str
    from_cells: Callable[[Sequence[Any], Path], Raw]
    from_text: Callable[[str], Raw] | None = None
    folders: bool = True


@dataclass(frozen=True)
class Shown:
    """An example as a page can show it: `content` of the media type `mime`, such as text/plain or image/png."""

    mime: str
    content: bytes


class Augmentation:
    """Changes values at random, for training alone. The same key, the same change."""

    def __call__(self, value: Any, key: Any) -> Any:
        """A tensor of the shape of one value, and a key, int32 (2,) -> a changed one; called while a graph is made."""
        raise NotImplementedError


class Reader:
    """How examples of a modality are read. A plugin's modality names a subclass; one object serves all threads.

    unit           what several examples are called: "pictures"
    dtype, shape   of a value, as TensorFlow has them: "uint8", (None, None, 3). Values without a None in their shape go
                   through the preprocessing in batches, others one by one
    suffixes       of the files that hold one; (): any file may
    in_memory      whether a value is kept once it is read, as texts are; others are read again when they are needed
    augmentations  the levels that `augmentation` knows
    together       whether backbones are fine-tuned together with the head from the start, as language models are; else
                   after it
    """

    unit = "examples"
    dtype = "float32"
    shape: tuple[int | None, ...] = ()
    suffixes: tuple[str, ...] = ()
    in_memory = False
    augmentations: tuple[str, ...] = ()
    together = False

    @functools.cached_property
    def forms(self) -> Mapping[str, Form]:
        """What an example may be, by the names that `Backbone.reads` uses; "single" is one file or value."""
        raise NotImplementedError

    def decode(self, file: BinaryIO, wanted: Any = None) -> Value:
        """The value that an open file holds.

        wanted  what the preprocessing gives, as Keras tensors: a reader may read a smaller value that gives the same

        Raises `BadData` with the reason in a few words, where it holds none, and `OSError`.
        """
        raise NotImplementedError

    def checked(self, value: Value) -> Value:
        """A value that a program gave, in the form that `decode` gives; raises `BadData` where it is none."""
        raise NotImplementedError

    def fingerprint(self, value: Value) -> str:
        """32 hexadecimal digits from the content alone: not from the name, nor from how it is stored."""
        raise NotImplementedError

    def length(self, raw: Raw) -> int | None:
        """By which examples are put into batches with others like them; None where that does not matter."""
        return None

    def samples(self, count: int) -> list[Value]:
        """Fixed values of one shape, each unlike the others: for checks, and to tell one preprocessing from another."""
        raise NotImplementedError

    def show(self, value: Value) -> Shown:
        """The value as a page can show it, in a few kilobytes."""
        raise NotImplementedError

    def augmentation(self, level: str, preprocess: keras.Model) -> Augmentation:
        """What changes values before they go through `preprocess`, at one of the levels in `augmentations`."""
        raise NotImplementedError

    def read(self, raw: Raw, wanted: Any = None) -> Value:
        """The value, or of a tuple each; raises `BadData` with the reason where it cannot be read."""
        if isinstance(raw, tuple):
            return tuple(self.read(part, wanted) for part in raw)
        try:
            if is_place(raw):
                return self._from_place(raw, wanted)
            if isinstance(raw, (bytes, bytearray, memoryview)):
                return self.decode(io.BytesIO(raw), wanted)
        except OSError as error:
            raise BadData(f"cannot be read: {error.strerror or error}") from None
        return self.checked(raw)

    def _from_place(self, path: Path, wanted: Any) -> Value:
        if path.exists() and not path.is_file():
            raise BadData("not a file")  # a pipe would be waited for
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            raise BadData(f"not a {' or '.join(self.suffixes)} file")
        with path.open("rb") as file:
            return self.decode(file, wanted)


@functools.cache
def reader(modality: str) -> Reader:
    """The reader of a modality; raises `UnknownName` where no plugin offers it."""
    spec = catalog().modality(modality)
    made: Reader = resolve_import(spec.build, f"modality {modality}")()
    return made


def digest(content: bytes) -> str:
    """A fingerprint of bytes, as `Reader.fingerprint` gives it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def plain(cell: Any) -> str:
    """The text of a cell that holds text or a number; raises `BadData` for anything else."""
    for kind, word in ((bytes, "bytes"), (list, "a list"), (dict, "an object")):
        if isinstance(cell, kind):
            raise BadData(f"{word}, where a text or a number was expected")
    return str(cell)


def one_file(column: str) -> Form:
    """The form of examples that are files: a column holds paths, as seen from the folder of the table."""
    return Form((column,), "label", lambda cells, folder: folder / plain(cells[0]))
