"""A column of a table that is longer than the memory could hold as objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.places import utf8
from zoo.structs import as_json

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 10_000  # values


class Column:
    """A column that grows, in arrays of Arrow: of one type, or JSON texts if its values are of several or too large.

    missing  how many rows there were before its first value
    """

    def __init__(self, missing: int) -> None:
        import pyarrow as pa

        self._parts: list[pa.Array] = [pa.nulls(missing)]
        self._type: pa.DataType | None = pa.null()  # None: JSON texts
        self._waiting: list[Any] = []

    def add(self, values: Sequence[Any]) -> None:
        """Add the values of the next rows."""
        self._waiting += values
        if len(self._waiting) >= _AT_ONCE:
            self._convert()

    def _convert(self) -> None:
        import pyarrow as pa

        values, self._waiting = self._waiting, []
        if self._type is not None:
            try:
                part = pa.array(values)
                self._type = _common(self._type, part.type)
                self._parts.append(part)
                return
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                self._become_texts()
        self._parts.append(_as_texts(values))

    def _become_texts(self) -> None:
        self._type = None
        self._parts = [_as_texts(part.to_pylist()) for part in self._parts]

    def whole(self) -> Any:
        """All of it, as a `pa.ChunkedArray`."""
        import pyarrow as pa

        self._convert()
        if self._type is not None:
            try:
                return pa.chunked_array([part.cast(self._type) for part in self._parts], self._type)
            except pa.ArrowException:  # such as whole numbers that are too large for the type of the others
                self._become_texts()
        return pa.chunked_array(self._parts, pa.string())


def _common(one: Any, other: Any) -> Any:
    """The type of Arrow that holds the values of both. Raises `pa.ArrowException`."""
    import pyarrow as pa

    schemas = [pa.schema([("", kind)]) for kind in (one, other)]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0).type


def _as_texts(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    texts = [utf8(json.dumps(value, ensure_ascii=False, default=as_json)) for value in values]
    return pa.array(texts, pa.string())
