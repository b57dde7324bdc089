"""The conformance kit: the promises that a plugin makes by offering something, each of which can be tested.

In: the name of an installed distribution. Out: for each promise whether it is kept, broken (with what is wrong), or
could not be checked here.

`zoo check DISTRIBUTION` prints them as a table. In a plugin's own tests:

    import pytest
    import zoo.testing

    @pytest.mark.parametrize("promise", zoo.testing.promises("my-distribution"), ids=str)
    def test_promise(promise):
        promise.check()
"""

from zoo.testing.promises import BrokenPromise, NotChecked, Outcome, Promise, outcomes, promises

__all__ = ["BrokenPromise", "NotChecked", "Outcome", "Promise", "outcomes", "promises"]
