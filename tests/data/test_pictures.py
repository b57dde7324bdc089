"""Pictures of every kind that people have become upright RGB, and what is no picture is told with its reason."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.picture_depth import Depth
from zoo.data.pictures import Pictures, decode_picture

RED, WHITE = (255, 0, 0), (255, 255, 255)
read_picture = Pictures().read


def _rgb(width=8, height=4):
    """Red on the left, blue on the right."""
    pixels = np.zeros((height, width, 3), "uint8")
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("name", "image", "options"),
    [
        ("rgb.png", _rgb(), {}),
        ("palette.png", _rgb().convert("P", palette=Image.Palette.ADAPTIVE), {}),
        ("opaque.png", _rgb().convert("RGBA"), {}),
        ("picture.gif", _rgb(), {}),
        ("picture.bmp", _rgb(), {}),
        ("picture.webp", _rgb(), {"lossless": True}),
        ("picture.tif", _rgb(), {}),
    ],
)
def test_lossless_formats_give_the_same_pixels(tmp_path, name, image, options):
    image.save(tmp_path / name, **options)
    pixels = read_picture(tmp_path / name)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.asarray(_rgb()))


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_jpeg_of_every_colour_space(tmp_path, mode):
    _rgb(64, 32).convert(mode).save(tmp_path / "picture.jpg", quality=95)
    pixels = read_picture(tmp_path / "picture.jpg").astype(int)
    assert pixels.shape == (32, 64, 3)
    left, right = pixels[:, :24].mean((0, 1)), pixels[:, 40:].mean((0, 1))
    wanted = ((76, 76, 76), (29, 29, 29)) if mode == "L" else ((254, 0, 0), (0, 0, 254))
    assert np.abs(left - wanted[0]).max() < 8
    assert np.abs(right - wanted[1]).max() < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(tmp_path, mode):
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    if mode == "P":
        paletted = Image.new("P", (4, 4), 0)
        paletted.putpalette([10, 20, 30])
        paletted.save(tmp_path / "picture.png", transparency=0)
    else:
        image.convert(mode).save(tmp_path / "picture.png")
    assert (read_picture(tmp_path / "picture.png") == 255).all()


def test_half_transparent_is_mixed_with_white(tmp_path):
    Image.new("RGBA", (2, 2), (255, 0, 0, 128)).save(tmp_path / "picture.png")
    assert read_picture(tmp_path / "picture.png")[0, 0].tolist() == [255, 127, 127]


def test_sixteen_bits_keep_their_grey_levels(tmp_path):
    levels = np.array([[0, 256 * 10, 256 * 100, 65535]], "uint16")
    Image.fromarray(levels).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 10, 100, 255]


def test_a_dark_sixteen_bit_picture_is_not_made_bright(tmp_path):
    Image.fromarray(np.full((2, 2), 200, "uint16")).save(tmp_path / "dark.png")
    for sixteen in (Pictures(Depth(16)), Pictures(None)):
        assert (sixteen.read(tmp_path / "dark.png") == 0).all()
    with pytest.raises(zoo.BadData, match="16 bits with values up to 200, so the value of white is not known"):
        read_picture(tmp_path / "dark.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_of_all_eight_kinds(tmp_path, orientation):
    upright = _rgb(64, 32)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turn[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels = read_picture(tmp_path / "turned.jpg").astype(int)
    assert pixels.shape == (32, 64, 3)
    assert pixels[:, :24, 0].mean() > 240
    assert pixels[:, 40:, 2].mean() > 240


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for name in ("moving.gif", "moving.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert read_picture(tmp_path / name)[0, 0].tolist() == list(RED)


def test_the_bytes_tell_the_format_and_not_the_name(tmp_path):
    _rgb().save(tmp_path / "picture.png")
    (tmp_path / "picture.png").rename(tmp_path / "picture.txt")
    assert read_picture(tmp_path / "picture.txt").shape == (4, 8, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"These are words.", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not a picture|damaged|cannot be read"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path, content, said):
    (tmp_path / "picture.png").write_bytes(content)
    with pytest.raises(zoo.BadData, match=said):
        read_picture(tmp_path / "picture.png")


@pytest.mark.parametrize("name", ["picture.png", "picture.jpg", "picture.webp", "picture.gif"])
def test_a_picture_cut_short_is_refused(tmp_path, name):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), "uint8")).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(zoo.BadData):
        read_picture(tmp_path / name)


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path):
    Image.new("1", (50_000, 10_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 1e6
    with pytest.raises(zoo.BadData, match="too large"):
        read_picture(tmp_path / "bomb.png")


def test_a_large_jpeg_is_decoded_small_and_gives_the_same_picture_in_the_end(tmp_path):
    waves = np.sin(np.linspace(0, 9, 3000))[:, None] * np.cos(np.linspace(0, 7, 4000))[None, :]
    pixels = (127 + 120 * np.stack([waves, waves[::-1], -waves], axis=-1)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "large.jpg", quality=95)
    whole = np.asarray(Image.open(tmp_path / "large.jpg"))
    with (tmp_path / "large.jpg").open("rb") as file:
        small, full = decode_picture(file, 448), decode_picture(file, 3000)
    assert small.shape == (750, 1000, 3)  # a quarter; an eighth would be too small
    assert full.shape == whole.shape
    resized = [
        np.asarray(Image.fromarray(p).resize((224, 224), Image.Resampling.BILINEAR), "int") for p in (whole, small)
    ]
    assert np.abs(resized[0] - resized[1]).max() <= 3
