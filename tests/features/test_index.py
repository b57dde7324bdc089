"""The index of features: what a dict would say, also while another thread adds."""

import hashlib
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.features.index import Index, keys_of


def content(number: int) -> str:
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=6))
def test_it_says_what_a_dict_would(batches):
    index, known, start = Index(), {}, 0
    for batch in batches:
        index.add(keys_of([content(number) for number in batch]), start)
        known |= {number: start + row for row, number in enumerate(batch)}
        start += len(batch)
    found = index.find(keys_of([content(number) for number in range(51)])).tolist()
    assert found == [known.get(number, -1) for number in range(51)]


def test_it_can_be_searched_while_it_grows():
    index, asked, wrong = Index(), keys_of([content(number) for number in range(2000)]), []
    index.add(asked[:1], 0)
    growing = threading.Event()

    def search() -> None:
        while not growing.is_set():
            try:
                found = index.find(asked)
                if not all(place in (-1, number) for number, place in enumerate(found.tolist())):
                    wrong.append("a place of another key")
            except IndexError as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for start in range(1, 2000):
        index.add(asked[start : start + 1], start)
    growing.set()
    for thread in threads:
        thread.join()
    assert not wrong
