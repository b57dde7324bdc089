"""Pictures: reads files of all common formats as upright RGB pixels."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from zoo.data.reader import Augmentation, Form, Reader, Shown, digest, one_file
from zoo.errors import BadData

if TYPE_CHECKING:
    import keras
    import numpy as np
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 178_956_970  # 2**29 / 3: half a gigabyte of RGB; Pillow's own limit for refusing a decompression bomb
ENOUGH = 512  # pixels of the shorter side, if no network says how many it needs
_SHOWN = 320  # pixels of the longer side, on a page


class Pictures(Reader):
    """RGB pixels 0..255, uint8 (height, width, 3), of any size."""

    unit = "pictures"
    dtype = "uint8"
    shape = (None, None, 3)
    augmentations = ("light", "strong")

    @functools.cached_property
    def forms(self) -> Mapping[str, Form]:
        return {"single": one_file("image")}

    def decode(self, file: BinaryIO, wanted: Any = None) -> np.ndarray:
        if wanted is None:
            return decode_picture(file)
        return decode_picture(file, 2 * max(wanted.shape[1:3]))  # resizing twice the size gives the same picture

    def checked(self, value: Any) -> np.ndarray:
        import numpy as np

        if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.shape[2:] != (3,) or not value.size:
            raise BadData("not a picture: give a file, its bytes, or RGB pixels as uint8 (height, width, 3)")
        return value

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
    """A picture as uint8 RGB (height, width, 3), turned upright by its EXIF tag, transparency laid over white.

    A JPEG is decoded at a half, a quarter or an eighth of its size if both sides then still have `enough` pixels.

    The format is recognised by the bytes, not by the name. An animation gives its first frame, 16 bits the upper 8.
    Raises `BadData` with the reason if the file is not a picture, is damaged, or would be too large in memory.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadData(f"too large: {image.width} x {image.height} pixels")
            image.draft(None, (enough, enough))  # only affects JPEG
            upright = ImageOps.exif_transpose(image)
            return np.asarray(_on_white(upright), "uint8")
    except UnidentifiedImageError:
        raise BadData("not a picture" if file.seek(0) or file.read(1) else "empty file") from None
    except Image.DecompressionBombError:
        raise BadData("too large: refused as a decompression bomb") from None
    except (SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError, OverflowError) as error:
        raise BadData(f"damaged picture: {error or type(error).__name__}") from None


def _on_white(image: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits, or 16 bits in 32
        image = Image.fromarray((np.asarray(image).astype("int64") >> 8).clip(0, 255).astype("uint8"))
    if image.mode == "F":
        raise BadData("floating-point pixels, which have no defined range")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        background.alpha_composite(image)
        image = background
    return image.convert("RGB")
