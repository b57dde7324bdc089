"""--precision: what the steps of a training compute in."""

import json

import zoo


def test_float16_without_a_gpu_is_refused_before_anything_is_made(zoo_command, few_pictures, tmp_path):
    options = ["--precision", "float16", "--unfreeze", 1, "--engine", "tensorflow", "--out", tmp_path / "run"]
    result = zoo_command("train", "efficientnet_lite0", few_pictures, *options, CUDA_VISIBLE_DEVICES="-1")
    assert result.returncode == 1
    assert "--precision float16: tensorflow computes in it only on a GPU. Give bfloat16 or float32." in result.stderr
    assert not (tmp_path / "run").exists()


def test_steps_in_bfloat16_leave_float32_weights_and_near_figures(few_pictures, tmp_path):
    figures = {}
    for precision in ("float32", "bfloat16"):
        out = tmp_path / precision
        options = {"unfreeze": 1, "epochs": 2, "precision": precision, "engine": "tensorflow"}
        run = zoo.train("efficientnet_lite0", few_pictures, out=out, **options)
        assert {weight.dtype for weight in run.model.weights} == {"float32"}
        figures[precision] = json.loads((out / "metrics.json").read_text())["metrics"]["cross_entropy"]
    assert abs(figures["float32"] - figures["bfloat16"]) < 0.05
