"""Pictures of more than 8 bits: one depth for a whole data set decides how their values become 0 to 255."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from zoo.errors import BadData

if TYPE_CHECKING:
    import numpy as np

BITS = (8, 10, 12, 14, 16)
_SURE = 2**14  # only a picture that uses all of its 16 bits has values from here
_FAULTY = 1e-3  # of a picture's values may lie beyond the depth, as those of faulty pixels do
_UNCLEAR = 16  # floats up to a value between 1 and this one are neither shares of 1 nor of 255
_LIMITS = (1 + 1e-6, *(2**bits - 1 for bits in BITS))
Scale = int | Literal["float"]  # the bits that are used, or floats from 0 to 1


@dataclass(frozen=True)
class Wide:
    """Pixels as they are stored, in more than 8 bits.

    values    integers or floats, (height, width) or (height, width, 3); in one type for all files that hold the same
    alpha     opacity (height, width), of the same type, or uint8; None: opaque
    declared  the bits that are used, if the file says so
    inverted  whether 0 is white
    upper     whether only the upper 8 of 16 bits could be read
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    declared: int | None = None
    inverted: bool = False
    upper: bool = False

    @property
    def floats(self) -> bool:
        return self.values.dtype.kind == "f"


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides the depth: the largest value, and the share of values above 1 and above 8, 10, ... bits."""

    floats: bool
    upper: bool
    high: float
    above: tuple[float, ...]

    @classmethod
    def of(cls, wide: Wide) -> Facts:
        """Raises `BadData` for values that no picture has."""
        import numpy as np

        values = wide.values
        low, high = values.min().item(), values.max().item()
        if not np.isfinite([low, high]).all():
            raise BadData("pixels that are not numbers (NaN or infinity). Replace them, and save it again")
        if low < 0 or high >= 2**16:
            right = "0 to 1" if wide.floats and high <= 1 else "0 to 65535"
            raise BadData(f"values from {low:g} to {high:g}, where a picture has {right}. Shift or scale all pictures")
        above = tuple(float((values > limit).mean()) if high > limit else 0.0 for limit in _LIMITS)
        return cls(wide.floats, wide.upper, high, above)


@dataclass(frozen=True)
class Depth:
    """How the integers and the floats of a data set are scaled; None: there were none."""

    integers: int | None = None
    floats: Scale | None = None

    @classmethod
    def decided(cls, facts: Sequence[Facts], wish: str) -> Depth:
        """One depth for all; `wish` is "auto" or what the user says. Raises `BadData` if it is in doubt."""
        integers, floats = (_high([f for f in facts if f.floats == kind]) for kind in (False, True))
        if wish == "float":
            return cls(_smallest(integers), "float")
        if wish != "auto":
            wished = int(wish)
            if floats is None:
                return cls(wished)
            scale: Scale = "float" if floats <= _LIMITS[0] else wished
            return cls(None if integers is None else wished, scale)
        if floats is not None and (found := _scale_of_floats(floats)) is None:
            raise BadData(
                f"The pictures are floats with values up to {floats:g}, which are neither 0 to 1 nor 0 to 255. "
                "Say which with --depth float or --depth 8."
            )
        return cls(_smallest(integers), None if floats is None else found)

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Depth:
        """What `settings` of an earlier process says; raises `ValueError` for anything else."""
        for name, scale in settings.items():
            if name not in ("integers", "floats") or scale not in (*BITS, "float"):
                raise ValueError(f"{name} is {scale!r}")
        return cls(settings.get("integers"), settings.get("floats"))

    @property
    def settings(self) -> dict[str, Any]:
        known = {"integers": self.integers, "floats": self.floats}
        return {name: scale for name, scale in known.items() if scale is not None}

    def scale(self, facts: Facts) -> Scale:
        """The scale of a picture; raises `BadData` if it is in doubt, or if the picture does not fit it."""
        known = (self.floats if facts.floats else self.integers) or _certain(facts)
        if known is None:
            raise BadData(
                f"{'floats' if facts.floats else '16 bits'} with values up to {facts.high:g}, so the value of white is "
                "not known: the model was not trained on such pictures. Save it with 8 bits; embed has --depth"
            )
        if facts.upper and known != 16:
            raise BadData(f"16 bits, of which only the upper 8 can be read, where {known} are used. Save it as PNG")
        at = 0 if known == "float" else 1 + BITS.index(known)
        if facts.above[at] > _FAULTY:
            raise BadData(f"values up to {facts.high:g}, where pictures are read as {_words(known)}")
        return known

    def pixels(self, wide: Wide) -> np.ndarray:
        """uint8 RGB (height, width, 3), transparency laid over white. Raises `BadData`, as `scale` does."""
        import numpy as np

        scale = wide.declared or self.scale(Facts.of(wide))
        grey = _eight(wide.values, scale)
        grey = 255 - grey if wide.inverted else grey
        rgb = np.repeat(grey[..., None], 3, axis=-1) if grey.ndim == 2 else grey
        if wide.alpha is None:
            return rgb
        alpha = wide.alpha if wide.alpha.dtype == np.uint8 else _eight(wide.alpha, _scale_of_alpha(wide.alpha, scale))
        share = alpha[..., None] / 255
        return np.rint(rgb * share + 255 * (1 - share)).astype("uint8")


def told(facts: Sequence[Facts], depth: Depth, others: int) -> list[str]:
    """What is said of the depth that was decided for pictures of these facts, beside `others` of 8 bits."""
    lines = []
    for floats, scale, name in ((False, depth.integers, "16 bits"), (True, depth.floats, "floating-point numbers")):
        some = [f for f in facts if f.floats == floats]
        if not some or scale is None:
            continue
        high = _high(some) or 0
        lines.append(
            f"Pictures of {name}: the largest value is {high:g}, so they are read as {_words(scale)}; "
            "--depth settles it."
        )
        if usual := _usual(some, scale):
            lines.append(
                f"Warning: hardly any value is above {2**usual - 1}. If those are faulty pixels: --depth {usual}"
            )
    if lines and others:
        lines.append(f"Pictures of 8 bits beside them: {others}. These are read as they are.")
    return lines


def _usual(facts: Sequence[Facts], scale: Scale) -> int | None:
    """The depth that holds nearly all values of each picture, if it is smaller than the decided one."""
    if scale == "float":
        return None
    share = [sum(f.above[1 + at] for f in facts) / len(facts) for at in range(len(BITS))]
    found = next((bits for bits, above in zip(BITS, share, strict=True) if above <= _FAULTY), 16)
    return found if found < scale else None


def _high(facts: Sequence[Facts]) -> float | None:
    return max((f.high for f in facts), default=None)


def _smallest(high: float | None) -> int | None:
    return None if high is None else next(bits for bits in BITS if high < 2**bits)


def _scale_of_floats(high: float) -> Scale | None:
    if high <= _LIMITS[0]:
        return "float"
    return None if high < _UNCLEAR else _smallest(high)


def _certain(facts: Facts) -> Scale | None:
    """The scale of a picture of which nothing is known but itself, if there is no doubt."""
    if facts.floats:
        return _scale_of_floats(facts.high) if facts.high <= 255 else None
    return 16 if facts.high >= _SURE else None


def _scale_of_alpha(alpha: np.ndarray, scale: Scale) -> Scale:
    """Some programs write opacity in all 16 bits beside values of fewer."""
    return 16 if scale != "float" and alpha.max() >= 2**scale else scale


def _eight(values: np.ndarray, scale: Scale) -> np.ndarray:
    import numpy as np

    if scale == "float":
        eight = np.rint(values.clip(0, 1) * 255)
    elif scale == 8:
        eight = np.rint(values.clip(0, 255))
    else:
        eight = values.clip(0, 2**scale - 1).astype("uint16") >> (scale - 8)
    return np.asarray(eight, "uint8")


def _words(scale: Scale) -> str:
    return "floats from 0 to 1" if scale == "float" else f"{scale} bits"
