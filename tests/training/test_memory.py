"""When TensorFlow says that the memory is not enough: the data is not read again, and there is one model at a time."""

import weakref

import tensorflow as tf

import zoo
from zoo.training import fit, job


def test_a_smaller_batch_takes_neither_the_data_nor_a_second_model(few_pictures, tmp_path, monkeypatch, capsys):
    datasets, models, alive = [], [], []
    read, build, compose, go = job.read_dataset, job.encoder_of, job.compose, fit.PhaseFit._go_through_epochs

    def reading(*arguments):
        datasets.append(read(*arguments))
        return datasets[-1]

    def building(*arguments):
        alive.append(sum(model() is not None for model in models))
        return build(*arguments)

    def composing(*arguments):
        composed = compose(*arguments)
        models.append(weakref.ref(composed.network))
        return composed

    def short_of_memory(self, best):
        if self._session.job.plan.batch_size > 3:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        go(self, best)

    monkeypatch.setattr(job, "read_dataset", reading)
    monkeypatch.setattr(job, "encoder_of", building)
    monkeypatch.setattr(job, "compose", composing)
    monkeypatch.setattr(fit.PhaseFit, "_go_through_epochs", short_of_memory)
    run = zoo.train("efficientnet_lite0", few_pictures, epochs=2, batch_size=12, out=tmp_path / "run")
    said = capsys.readouterr().err
    assert "Out of memory with 12 examples at a time" in said
    assert "Out of memory with 6 examples at a time" in said
    assert run.plan.batch_size == 3
    assert len(run.history) == 2
    assert len(datasets) == 1
    assert len(models) == 3
    assert alive == [0, 0, 0]
