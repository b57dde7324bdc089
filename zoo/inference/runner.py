"""Running a network that is not trained, by the engine and in the numeric type that are fastest and near enough."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from zoo.errors import BadPlan
from zoo.inference.folded import Folded
from zoo.inference.openvino import OpenVino
from zoo.inference.precision import Precision, check_precision, resolve
from zoo.progress import say

if TYPE_CHECKING:
    import keras
    import numpy as np

Engine = Literal["auto", "tensorflow", "openvino"]


@dataclass(frozen=True)
class Inference:
    """How a network is to be run. Raises `BadPlan` for what does not exist, or is not installed."""

    precision: Precision = "auto"
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        check_precision(self.precision)
        check_engine(self.engine)


LARGEST = 1_500_000_000  # bytes of weights; a graph with its constants is limited to 2 GB
CHECKED = 8  # examples
LAST_RESORT = ("tensorflow", "float32")
BOUNDS = {"bfloat16": 0.05, "float32": 0.001}  # of a feature's length


def check_engine(name: str) -> Engine:
    """`name`; raises `BadPlan` where there is no such engine, or where it is not installed."""
    if name not in get_args(Engine):
        raise BadPlan(f"--engine {name}: give {', '.join(get_args(Engine))}.")
    if name == "openvino" and not _has_openvino():
        raise BadPlan("--engine openvino: OpenVINO is not installed; pip install 'tfzoo[openvino]' brings it.")
    return name  # type: ignore[return-value]


def resolve_engine(engine: Engine) -> Engine:
    """What "auto" means here: OpenVINO where it is installed and there is no GPU, else TensorFlow."""
    if engine != "auto":
        return engine
    import tensorflow as tf

    return "openvino" if _has_openvino() and not tf.config.list_physical_devices("GPU") else "tensorflow"


class Runner:
    """Calls `model` as it is now, in inference mode: a batch of the given spec -> numpy arrays, nested as its output.

    Before the first batch, as many as `CHECKED` of its examples are also computed in float32 by the model itself. Where
    a row of an output lies further from that than `BOUNDS` of its length, float32 is used in place of bfloat16, or then
    TensorFlow in place of OpenVINO, and that is said.
    """

    def __init__(self, model: keras.Model, spec: Any, how: Inference, fold: bool = True) -> None:
        import tensorflow as tf

        @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
        def infer(batch: tf.Tensor) -> tf.Tensor:
            return model(batch, training=False)

        self._exact = infer.get_concrete_function()
        self._fold = fold and sum(4 * math.prod(weight.shape) for weight in model.weights) <= LARGEST
        self.precision, self.engine = resolve(how.precision), resolve_engine(how.engine)
        self._converted: Any = None
        self._run: Callable[[Any], Any] | None = None

    def __call__(self, batch: Any) -> Any:
        self.settle(batch)
        assert self._run is not None
        return self._run(batch)

    def settle(self, batch: Any) -> Precision:
        """Find out on some examples what to compute with, where that is not known yet; returns the precision."""
        import tensorflow as tf

        if self._run is not None:
            return self.precision
        some = tf.nest.map_structure(lambda tensor: tensor[:CHECKED], batch)
        while self._run is None:
            run = self._start()
            if run is not None and ((self.engine, self.precision) == LAST_RESORT or self._near(run, some)):
                self._run = run
        return self.precision

    def _start(self) -> Callable[[Any], Any] | None:
        """The engine in the precision; None where it cannot run the network, and then another engine is the next."""
        if self.engine == "tensorflow":
            return Folded(self._exact, self.precision, self._fold)
        try:
            self._converted = self._converted or OpenVino.convert(self._exact)
            return OpenVino(self._exact, self._converted, self.precision)
        except Exception as error:  # whatever OpenVINO raises for an operation that it does not know
            reason = str(error).strip().partition("\n")[0]
            say(f"OpenVINO cannot run this network ({reason}): TensorFlow is used.")
            self.engine = "tensorflow"
            return None

    def _near(self, run: Callable[[Any], Any], some: Any) -> bool:
        """Whether what `run` makes of some examples is near enough to float32; if not, what is nearer is next."""
        import tensorflow as tf

        pairs = zip(tf.nest.flatten(run(some)), tf.nest.flatten(self._exact(some)), strict=True)
        worst = max(_distance(fast, exact.numpy()) for fast, exact in pairs)
        if worst <= BOUNDS[self.precision]:
            return True
        if self.precision != "float32":
            say(f"In {self.precision} the features differ by {worst:.1%} from those in float32: float32 is used.")
            self.precision = "float32"
        else:
            say(f"By OpenVINO the features differ by {worst:.1%} from those by TensorFlow: TensorFlow is used.")
            self.engine = "tensorflow"
        return False


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _distance(fast: np.ndarray, exact: np.ndarray) -> float:
    """The largest distance of two rows, as a share of the length of the exact one; infinite where one is no number."""
    import numpy as np

    if fast.shape != exact.shape:
        return math.inf
    a, b = (array.reshape(len(array), -1).astype("float64") for array in (fast, exact))
    shares = np.linalg.norm(a - b, axis=1) / np.maximum(np.linalg.norm(b, axis=1), 1e-12)
    return math.inf if np.isnan(shares).any() else float(shares.max(initial=0.0))
