"""Explains the answers of a model: asks it, lets the head say what is explained, and finds the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zoo.compose.explained import Measure
from zoo.compose.model import Parts
from zoo.data.inputs import Entry
from zoo.data.reader import Raw
from zoo.errors import BadData, BadPlan
from zoo.inference.arrays import at
from zoo.inference.memory import with_fewer_where_needed
from zoo.prediction.explanation import GRAD_CAM, OCCLUSION, Explanation
from zoo.prediction.heat import grad_cam, laid_over, occluded
from zoo.prediction.integrated import Integrated
from zoo.prediction.predictor import Predictor, ask
from zoo.prediction.shares import WordShares, measured
from zoo.progress import progress

if TYPE_CHECKING:
    import numpy as np

EXPLAINED = ("image", "text")  # modalities

_BATCH = 8
_TOP = 3  # probabilities in an answer

Aim = tuple[str, Measure]


def refuse_modality(modality: str) -> None:
    """Raise `BadPlan` if nothing is known that could be covered or changed in such an example."""
    if modality not in EXPLAINED:
        raise BadPlan(
            f"This run reads examples of the modality {modality!r}, but only answers about pictures and texts can be "
            "explained. To see the answers: zoo predict"
        )


class Explainer:
    """Explains the answers of a predictor. Thread-safe.

    modality  "image" or "text"
    tagged    whether the head gives each word of a text its own answer
    copy      makes the parts of the model anew, for methods that change its variables
    """

    def __init__(self, predictor: Predictor, modality: str, tagged: bool, copy: Callable[[], Parts]) -> None:
        self._predictor, self._pictures = predictor, modality == "image"
        self._shares = WordShares(predictor, Integrated(copy), tagged)

    def explain(self, entries: Sequence[Entry], target: str) -> list[Explanation]:
        """The explanations for the entries, in order; an entry that cannot be read or explained has its reason.

        target  what is explained instead of the answer: a label or column; "": the answer

        Raises `BadData` if none of the entries can be read, and `BadPlan` for a target that the head does not know.
        """
        made, raws, errors = ask(self._predictor, entries)
        task = self._predictor.task
        answers = self._predictor.decode(made, raws)
        names = [name for number, (name, _, _) in enumerate(entries) if number not in errors]
        numbers = [number for number in range(len(entries)) if number not in errors]
        found = {number: Explanation(entries[number][0], error=reason) for number, reason in errors.items()}
        waiting: list[tuple[int, Raw, Explanation, Measure]] = []
        for place, (row, number, name, answer) in enumerate(zip(made.rows, numbers, names, answers, strict=True)):
            raw = raws[row]
            held = self._predictor.reader.read(raw) if self._predictor.reader.in_memory else raw
            try:
                about, measure = task.explained(at(made.arrays, place), held, target)
            except BadData as error:
                found[number] = Explanation(name, error=str(error))
                continue
            words = task.in_words(task.only_top(answer, _TOP))
            waiting.append((number, held, Explanation(name, words, about), measure))
        size = self._predictor.reader.length
        waiting.sort(key=lambda one: size(one[1]) or 0)  # a batch is as long as its longest text
        with progress("Explaining", len(waiting), self._predictor.reader.unit) as advance:
            explain = self._picture if self._pictures else self._text

            def run(batch_size: int) -> None:
                for start in range(0, len(waiting), batch_size):
                    batch = [one for one in waiting[start : start + batch_size] if one[0] not in found]
                    if batch:
                        known, measures = [one[2] for one in batch], [one[3] for one in batch]
                        explained = explain([one[1] for one in batch], known, measures)
                        found.update(zip([one[0] for one in batch], explained, strict=True))
                        advance(len(batch))

            with_fewer_where_needed(_BATCH, run)
        return [found[number] for number in range(len(entries))]

    def _text(
        self, raws: Sequence[Raw], known: Sequence[Explanation], measures: Sequence[Measure]
    ) -> list[Explanation]:
        return [
            Explanation(one.input, one.answer, one.about, shares.method, texts=shares.texts, note=shares.note)
            for one, shares in zip(known, self._shares(raws, measures), strict=True)
        ]

    def _picture(
        self, raws: Sequence[Raw], known: Sequence[Explanation], measures: Sequence[Measure]
    ) -> list[Explanation]:
        import numpy as np
        import tensorflow as tf

        preprocessing = self._predictor.preprocessing
        values = [preprocessing.read(raw) for raw in raws]
        each = [preprocessing([value]) for value in values]
        prepared = tf.nest.map_structure(lambda *parts: np.concatenate(parts), *each)
        cams = grad_cam(self._predictor.parts, prepared, measures)
        made = []
        for row, (one, (value,)) in enumerate(zip(known, values, strict=True)):
            method, grid = (
                (GRAD_CAM, cams[row]) if cams is not None else (OCCLUSION, self._covered(value, measures[row]))
            )
            picture, heat, grid = laid_over(value, grid)
            note = "" if grid.any() else "Nothing in the picture speaks for it."
            made.append(Explanation(one.input, one.answer, one.about, method, heat, picture, grid, note=note))
        return made

    def _covered(self, value: np.ndarray, measure: Measure) -> np.ndarray:
        return occluded(value, lambda pictures: measured(self._predictor, pictures, measure))
