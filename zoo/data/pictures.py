"""From the bytes of a picture to RGB pixels, for every kind of picture that people have."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import BadData

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 178_956_970  # 2**29 / 3: half a gigabyte of RGB; Pillow's own limit for refusing a decompression bomb


ENOUGH = 512  # pixels of the shorter side, to look at a picture without a network


def read_picture(path: Path, enough: int = ENOUGH) -> np.ndarray:
    """The picture as uint8 RGB (height, width, 3), upright by its EXIF tag, transparency laid onto white.

    A JPEG is decoded at a half, a quarter or an eighth of its size where both sides still have `enough` pixels then.

    The format is told by the bytes, not by the name. Of an animation, the first frame; of 16 bits, the upper 8.
    Raises `BadData` with the reason when the file is no picture, is damaged, or would be too large in memory.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.exists() and not path.is_file():
        raise BadData("not a file")  # a pipe would be waited for
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise BadData(f"too large: {image.width} x {image.height} pixels")
                image.draft(None, (enough, enough))  # only the decoder of JPEG can
                upright = ImageOps.exif_transpose(image)
                return np.asarray(_on_white(upright), "uint8")
    except UnidentifiedImageError:
        raise BadData("empty file" if path.stat().st_size == 0 else "not a picture") from None
    except Image.DecompressionBombError:
        raise BadData("too large: refused as a decompression bomb") from None
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror or error}") from None
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
