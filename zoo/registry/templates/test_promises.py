"""Everything that the plugin promises by offering what it offers, held against the thing itself."""

import pytest
import zoo.testing


@pytest.mark.parametrize("promise", zoo.testing.promises("$distribution"), ids=str)
def test_promise(promise):
    promise.check()
