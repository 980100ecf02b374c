import json

import pytest

from golden import InputError
from sim.accuracy.store import Store


def fail():
    raise AssertionError("computed again")


def test_results_are_computed_once(tmp_path):
    path = tmp_path / "new" / "results.jsonl"
    assert Store(path).get({"a": 1, "b": 2}, lambda: {"x": 3}) == {"x": 3}
    assert Store(path).get({"b": 2, "a": 1}, fail) == {"x": 3}


def test_another_key_is_another_result(tmp_path):
    store = Store(tmp_path / "results.jsonl")
    store.get({"tokens": 1}, lambda: {"x": 1})
    assert store.get({"tokens": 2}, lambda: {"x": 2}) == {"x": 2}


def test_one_line_each(tmp_path):
    path = tmp_path / "results.jsonl"
    store = Store(path)
    for n in range(3):
        store.get({"n": n}, lambda n=n: {"square": n * n})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["result"]["square"] for line in lines] == [0, 1, 4]


def test_nothing_is_written_when_the_computation_fails(tmp_path):
    path = tmp_path / "results.jsonl"
    with pytest.raises(AssertionError):
        Store(path).get({"n": 0}, fail)
    assert not path.exists()


def test_a_line_cut_short_is_computed_again(tmp_path):
    path = tmp_path / "results.jsonl"
    store = Store(path)
    store.get({"n": 0}, lambda: {"x": 0})
    store.get({"n": 1}, lambda: {"x": 1})
    path.write_text(path.read_text()[:-5])
    store = Store(path)
    assert store.get({"n": 0}, fail) == {"x": 0}
    assert store.get({"n": 1}, lambda: {"x": 10}) == {"x": 10}
    assert Store(path).get({"n": 1}, fail) == {"x": 10}


@pytest.mark.parametrize("content", ["text\n", "[1]\n", '{"key": {}}\n'])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "results.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"^Cannot read results from {path}: .*$"):
        Store(path)
    assert path.read_text() == content
