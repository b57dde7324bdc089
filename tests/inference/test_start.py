"""Starting TensorFlow turns on the kernels that fit the processor, unless a person has said otherwise."""

import os
import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="oneDNN is set for x86 alone")
@pytest.mark.parametrize(("own", "on"), [(None, True), ("0", False)])
def test_kernels_of_onednn_are_on_unless_switched_off(own: str | None, on: bool) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    variables |= {"ZOO_DEBUG": "1"} | ({"TF_ENABLE_ONEDNN_OPTS": own} if own else {})
    start = [sys.executable, "-c", "from zoo import engine; engine.start()"]
    done = subprocess.run(start, env=variables, capture_output=True, text=True, check=True)
    assert ("oneDNN custom operations are on" in done.stderr) is on
