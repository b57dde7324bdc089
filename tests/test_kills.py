"""Commands killed with SIGKILL at fifty random moments each lose nothing and leave nothing half done.

The same code as `benchmarks/kills.py`, which kills more often and says how long it takes.
"""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
KILLS = 50


@pytest.fixture(scope="module")
def kills():
    sys.path.insert(0, str(BENCHMARKS))
    import kills

    yield kills
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("name", ["train", "pull", "install", "uninstall", "prune"])
def test_killed_at_fifty_random_moments(kills, tmp_path, name):
    with kills.jobs(tmp_path, KILLS, KILLS) as jobs:
        outcomes = jobs[name]()
    assert outcomes["kills"] >= KILLS
