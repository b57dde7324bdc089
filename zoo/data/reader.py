"""What differs between modalities: how examples are found, read, compared, put into batches, and shown."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from zoo.catalog import catalog
from zoo.catalog.imports import resolve_import
from zoo.data.cells import plain
from zoo.data.spool import held
from zoo.errors import BadData
from zoo.places import is_local, is_place, place_seen_from, read_remote, shown_in_full

if TYPE_CHECKING:
    import keras

_DATA_ADDRESS = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")

Raw = Any  # an example that has not been read: a place, bytes or a value; for a pair, two of these
Value = Any  # an example that has been read
Target = Any  # what a head makes of the cells in its columns; the host compares targets by the text the head writes


class Targets(Protocol):
    """Reads and writes targets: the task of a head."""

    def read_target(self, cells: Sequence[Any], raw: Raw) -> Target:
        """The target in the cells of its columns; raises `BadData` with the reason if it cannot be used."""

    def write_target(self, target: Target) -> str:
        """The target as text."""


@dataclass(frozen=True)
class Form:
    """What one example consists of, in a table.

    columns    the columns that hold it, unless the user names others
    target     the column of its target, unless the user names another
    from_cells turns the cells of those columns, and the folder of the table, into the raw; raises `BadData`
    from_text  turns typed text into the raw, if an example can be typed
    folders    whether such examples can also be files, sorted into one folder for each class
    """

    columns: tuple[str, ...]
    target: str
    from_cells: Callable[[Sequence[Any], Path], Raw]
    from_text: Callable[[str], Raw] | None = None
    folders: bool = True


@dataclass(frozen=True)
class Shown:
    """An example that a web page can show: `content` of the media type `mime`, such as text/plain or image/png."""

    mime: str
    content: bytes


@dataclass(frozen=True)
class Seen:
    """What reading an example showed.

    value    the value that `read` gives; None if it would have to be read again for that
    content  its fingerprint
    facts    what it says about how the examples of its data set have to be read; None: nothing
    """

    value: Any
    content: str
    facts: Any = None


class Augmentation:
    """Changes values at random, for training only. The same key gives the same change."""

    def __call__(self, value: Any, key: Any) -> Any:
        """Change a tensor with the shape of one value, by a key, int64 (2,); called while a graph is being built."""
        raise NotImplementedError


class Reader:
    """Reads the examples of a modality. A plugin's modality names a subclass; one object serves all threads.

    unit           the plural of an example: "pictures"
    dtype, shape   type and shape of a value, as TensorFlow writes them: "uint8", (None, None, 3). Values without a None
                   in their shape are preprocessed in batches, others one by one
    suffixes       suffixes of the files that can hold a value; (): any file
    in_memory      whether a value is kept once it has been read, like a text; others are read again when needed
    augmentations  the levels that `augmentation` accepts
    together       whether backbone and head are fine-tuned together from the start, as for language models;
                   otherwise the backbone is fine-tuned after the head
    depths         what a user may say with `--depth`, besides auto
    edition        changes whenever the same file would get another fingerprint; with it, the fingerprints of files on
                   this disk are remembered from one training to the next. "": they are not
    """

    unit = "examples"
    dtype = "float32"
    shape: tuple[int | None, ...] = ()
    suffixes: tuple[str, ...] = ()
    in_memory = False
    augmentations: tuple[str, ...] = ()
    together = False
    depths: tuple[str, ...] = ()
    edition: str = ""

    @functools.cached_property
    def forms(self) -> Mapping[str, Form]:
        """The forms an example can have, by the names that `Backbone.reads` uses; "single" is one file or value."""
        raise NotImplementedError

    def decode(self, file: BinaryIO, wanted: Any = None) -> Value:
        """The value in an open file.

        wanted  output of the preprocessing, as Keras tensors: a reader may read a smaller value that gives the same

        Raises `BadData` with the reason in a few words if the file holds no value, and `OSError`.
        """
        raise NotImplementedError

    def checked(self, value: Value) -> Value:
        """A value passed in from Python, in the form that `decode` returns; raises `BadData` if it is not one."""
        raise NotImplementedError

    def fingerprint(self, value: Value) -> str:
        """32 hexadecimal digits that depend only on the content, not on the name or how it is stored."""
        raise NotImplementedError

    def length(self, raw: Raw) -> int | None:
        """The length by which similar examples are put into one batch; None if that does not matter."""
        return None

    def samples(self, count: int) -> list[Value]:
        """Fixed values of one shape, all different: for checks, and to distinguish preprocessings."""
        raise NotImplementedError

    def sizes(self, raw: Raw) -> Mapping[str, float]:
        """How large an example is, by what is measured: {"width": 640, "height": 480}, for a report. {}: nothing is.

        Raises `BadData`, as `read` does; a reader may look at the beginning of a file alone.
        """
        return {}

    def show(self, value: Value) -> Shown:
        """The value in a form that a web page can show, in a few kilobytes."""
        raise NotImplementedError

    def augmentation(self, level: str, preprocess: keras.Model) -> Augmentation:
        """The augmentation at one of the levels in `augmentations`; it changes values before they are preprocessed."""
        raise NotImplementedError

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was decided for a data set, as JSON: a run keeps it, and gives it to `configured`. Most have nothing."""
        return {}

    @property
    def depth(self) -> str:
        """The one of `depths` with which the same would be decided again; "auto" if none says it."""
        return "auto"

    def configured(self, settings: Mapping[str, Any] | None) -> Reader:
        """The reader with these settings; {}: nothing was decided. None: a run from before there were settings."""
        return self

    def survey(self, raw: Raw, wanted: Any = None) -> Seen:
        """Read an example of a data set about which nothing is decided yet. Raises `BadData`, as `read` does.

        wanted  as in `decode`; the fingerprint does not depend on it
        """
        value = self.read(raw)
        return Seen(value, self.fingerprint(value))

    def settled(self, facts: Sequence[Any], depth: str) -> Reader:
        """The reader for a data set with these facts, None where an example has none; says what was decided.

        depth  "auto", or one of `depths`

        Raises `BadData` if the data leaves a doubt, with the option that settles it.
        """
        return self

    def scaled(self, facts: Any) -> str:
        """How an example with such facts is read, in a few letters: the same content read otherwise is another input.

        Raises `BadData` with the reason if this reader cannot read it.
        """
        return ""

    def read(self, raw: Raw, wanted: Any = None) -> Value:
        """The value, or one for each part of a tuple; raises `BadData` with the reason if it cannot be read."""
        if isinstance(raw, tuple):
            return tuple(self.read(part, wanted) for part in raw)
        raw = held(raw)
        return self.opened(raw, lambda file: self.decode(file, wanted), self.checked)

    def opened(self, raw: Raw, decode: Callable[[BinaryIO], Value], checked: Callable[[Value], Value]) -> Value:
        """What `decode` makes of the file that `raw` is, or `checked` of the value. Raises `BadData`."""
        try:
            if is_place(raw):
                return self._from_place(raw, decode)
            if isinstance(raw, (bytes, bytearray, memoryview)):
                return decode(io.BytesIO(raw))
        except FileNotFoundError:
            raise BadData(f"cannot be read: no file {shown_in_full(raw)}") from None
        except OSError as error:
            raise BadData(f"cannot be read: {error.strerror or error}") from None
        return checked(raw)

    def _from_place(self, path: Path, decode: Callable[[BinaryIO], Value]) -> Value:
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            raise BadData(f"not a {' or '.join(self.suffixes)} file")
        if not is_local(path):
            content = io.BytesIO(read_remote(path))
            content.name = path.name
            return decode(content)
        if "\0" in str(path):
            raise BadData("not a path: it contains a null character")
        if path.is_dir():
            raise BadData(f"a folder, not a file: {shown_in_full(path)}")
        if path.exists() and not path.is_file():
            raise BadData("not a file")  # opening a pipe could block forever
        with path.open("rb") as file:
            return decode(file)


@functools.cache
def reader(modality: str) -> Reader:
    """The reader of a modality; raises `UnknownName` if no plugin offers it."""
    offer = catalog().modality(modality)
    made: Reader = resolve_import(offer.spec.build, offer.plugin, f"modality {modality}")()
    return made


def digest(content: bytes) -> str:
    """A fingerprint of bytes, in the form that `Reader.fingerprint` returns."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def one_file(column: str, suffixes: Sequence[str] = ()) -> Form:
    """The form of examples that are files: a column holds their paths, or their content as bytes.

    suffixes  those that a path may lack, if only one such file has its name
    """
    return Form((column,), "label", lambda cells, folder: _file_in(cells[0], folder, tuple(suffixes)))


def _file_in(cell: Any, folder: Path, suffixes: tuple[str, ...]) -> Raw:
    if isinstance(cell, Mapping) and ("bytes" in cell or "path" in cell):  # as the package `datasets` writes files
        cell = cell.get("bytes") or cell.get("path")
        if cell is None:
            raise BadData("an object whose bytes and path are both empty")
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return cell
    text = plain(cell)
    if match := _DATA_ADDRESS.match(text):
        try:
            return base64.b64decode(text[match.end() :], validate=True)
        except ValueError:
            raise BadData("a data: address that is not valid base64") from None
    return place_seen_from(folder, text, suffixes)
