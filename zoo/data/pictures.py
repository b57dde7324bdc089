"""Pictures: reads files of all common formats as upright RGB pixels."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.data.picture_depth import BITS, Depth, Facts, Wide, told
from zoo.data.picture_files import size_of
from zoo.data.picture_values import read_picture
from zoo.data.reader import Augmentation, Form, Reader, Seen, Shown, digest, one_file
from zoo.data.spool import held
from zoo.errors import BadData
from zoo.progress import say

if TYPE_CHECKING:
    import keras
    import numpy as np

ENOUGH = 512  # pixels of the shorter side, if no network says how many it needs
_ENDINGS = """
    jpg jpeg jpe jfif mpo png apng gif bmp dib webp tif tiff avif heic heif jp2 j2k jpf jpx ppm pgm pbm pnm pfm tga
    ico icns dds pcx psd sgi rgb qoi
"""
SUFFIXES = tuple(f".{ending}" for ending in _ENDINGS.split())
_UNDECIDED = Depth()
_SHOWN = 320  # pixels of the longer side, on a page


class Pictures(Reader):
    """RGB pixels 0..255, uint8 (height, width, 3), of any size.

    depth  how pictures of more than 8 bits are scaled; None: the upper 8 of 16 bits, as before there was a choice
    """

    unit = "pictures"
    dtype = "uint8"
    shape = (None, None, 3)
    augmentations = ("light", "strong")
    depths = (*map(str, BITS), "float")

    def __init__(self, depth: Depth | None = _UNDECIDED) -> None:
        self._depth = depth

    @functools.cached_property
    def forms(self) -> Mapping[str, Form]:
        return {"single": one_file("image", SUFFIXES)}

    def decode(self, file: BinaryIO, wanted: Any = None) -> np.ndarray:
        return self._pixels(read_picture(file, _enough(wanted), upper=self._depth is None))

    def checked(self, value: Any) -> np.ndarray:
        from zoo.data.picture_arrays import from_value

        found = from_value(value)
        bits = self._depth.integers if self._depth is not None else None
        if bits is not None and isinstance(found, Wide) and found.values.dtype.kind == "f" and found.values.max() > 1:
            high = f"{found.values.max():g}"
            raise BadData(f"floats up to {high}, where pictures are read as {bits} bits: give them as uint16")
        return self._pixels(found)

    @property
    def edition(self) -> str:  # type: ignore[override]
        from PIL import __version__

        return f"1 pillow {__version__}{' upper' if self._depth is None else ''}"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {} if self._depth is None else self._depth.settings

    @property
    def depth(self) -> str:
        known = list(self.settings.values())
        return str(known[0]) if len(known) == 1 else "auto"

    def configured(self, settings: Mapping[str, Any] | None) -> Pictures:
        return Pictures(None if settings is None else Depth.of_settings(settings))

    def survey(self, raw: Any, wanted: Any = None) -> Seen:
        from zoo.data.picture_arrays import from_value

        if self._depth is None:
            return super().survey(raw, wanted)
        found = self.opened(held(raw), lambda file: read_picture(file, ENOUGH), lambda value: from_value(value))
        if not isinstance(found, Wide) or found.declared:
            value = self._pixels(found)
            return Seen(value if _as_wanted(value, wanted) else None, self.fingerprint(value))
        alpha = b"" if found.alpha is None else found.alpha.tobytes()
        stored = f"{found.values.shape} {found.values.dtype.str} {found.inverted} {found.upper}".encode()
        return Seen(None, digest(stored + found.values.tobytes() + alpha), Facts.of(found))

    def settled(self, facts: Sequence[Facts | None], depth: str) -> Pictures:
        wide = [one for one in facts if one is not None]
        if self._depth is None or not (wide or depth != "auto"):
            return self
        decided = Depth.decided(wide, depth)
        for line in told(wide, decided, len(facts) - len(wide)) if depth == "auto" else ():
            say(line)
        return Pictures(decided)

    def scaled(self, facts: Facts) -> str:
        return str((self._depth or _UNDECIDED).scale(facts))

    def _pixels(self, found: np.ndarray | Wide) -> np.ndarray:
        return (self._depth or Depth(16)).pixels(found) if isinstance(found, Wide) else found

    def fingerprint(self, value: np.ndarray) -> str:
        return digest(repr(value.shape).encode() + value.tobytes())

    def samples(self, count: int) -> list[np.ndarray]:
        """Smooth waves with the full range of values, 97 pixels high and 160 wide."""
        import numpy as np

        y, x = np.mgrid[0:1:97j, 0:1:160j]
        pictures = []
        for number in range(count):
            waves = [np.sin(2 * np.pi * (f * x + g * y + number / 7)) for f, g in ((1, 2), (3, 1), (0.5, 4 + number))]
            pictures.append(((np.stack(waves, -1) + 1) * 127.5).astype("uint8"))
        return pictures

    def sizes(self, raw: Any) -> Mapping[str, float]:
        height, width = self.opened(held(raw), size_of, lambda value: self.checked(value).shape[:2])
        return {"width": width, "height": height}

    def show(self, value: np.ndarray) -> Shown:
        from PIL import Image

        image, file = Image.fromarray(value), io.BytesIO()
        image.thumbnail((_SHOWN, _SHOWN))
        image.save(file, "WEBP", quality=80)
        return Shown("image/webp", file.getvalue())

    def augmentation(self, level: str, preprocess: keras.Model) -> Augmentation:
        from zoo.data.augment import PictureAugmentation

        return PictureAugmentation(level, preprocess.output.shape[1:3])


def decode_picture(file: BinaryIO, enough: int = ENOUGH) -> np.ndarray:
    """A picture of at most 8 bits as uint8 RGB (height, width, 3); of one with more, the upper 8 of 16 bits.

    Otherwise as `read_picture`.
    """
    found = read_picture(file, enough, upper=True)
    assert not isinstance(found, Wide)
    return found


def _enough(wanted: Any) -> int:
    """The pixels that the shorter side needs: resizing twice the size of the network gives the same picture."""
    return ENOUGH if wanted is None else max(ENOUGH, 2 * max(wanted.shape[1:3]))


def _as_wanted(pixels: np.ndarray, wanted: Any) -> bool:
    """Whether a picture that was decoded for `ENOUGH` pixels is also what is decoded for a network.

    A JPEG may have been decoded at a part of its size, but never below `ENOUGH`.
    """
    shorter = min(pixels.shape[:2])
    return bool(shorter < ENOUGH or shorter >= _enough(wanted))
