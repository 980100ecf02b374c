import multiprocessing

import pytest

from golden import InputError
from sim.engines import cache, compiler, errors


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("M2XFP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(text):
    return lambda folder: (folder / "result").write_text(text)


def test_where_it_is(home, tmp_path, monkeypatch):
    assert cache.cache_dir() == home
    monkeypatch.delenv("M2XFP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_dir() == tmp_path / "m2xfp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert cache.cache_dir() == tmp_path / "me" / ".cache" / "m2xfp"


def test_builds_once():
    folder = cache.cached("kind", ["a", "b"], write("first"))
    assert cache.cached("kind", ["a", "b"], write("second")) == folder
    assert (folder / "result").read_text() == "first"
    assert folder.name.startswith("kind-")


def test_every_ingredient_counts():
    recipes = (["a", "b"], ["ab", ""], ["a", "c"], ["a"])
    assert len({cache.cached("kind", recipe, write("")) for recipe in recipes}) == 4


def test_a_failed_build_leaves_nothing(home):
    def fail(folder):
        (folder / "half").write_text("")
        raise errors.BuildError("no")

    with pytest.raises(errors.BuildError):
        cache.cached("kind", ["a"], fail)
    assert list(home.iterdir()) == []


def test_the_slower_of_two_builds_gives_way(home):
    def build(folder):
        cache.cached("kind", ["a"], write("faster"))
        (folder / "result").write_text("slower")

    folder = cache.cached("kind", ["a"], build)
    assert (folder / "result").read_text() == "faster"
    assert list(home.iterdir()) == [folder]


def build_in_process(number):
    return (cache.cached("kind", ["a"], write(str(number))) / "result").read_text()


def test_parallel_processes_share(home):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(build_in_process, range(16)))) == 1
    assert len(list(home.iterdir())) == 1


def test_unwritable(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("M2XFP_CACHE_DIR", str(tmp_path / "file" / "cache"))
    message = r"^Cannot write the cache .*cache: Not a directory; set M2XFP_CACHE_DIR$"
    with pytest.raises(InputError, match=message):
        cache.cached("kind", ["a"], write(""))


def test_tools_that_fail_and_tools_that_are_missing(tmp_path):
    with pytest.raises(errors.BuildError, match=r"^false failed on a component:"):
        compiler.run(["false"], tmp_path)
    with pytest.raises(InputError, match=r"^Program no-such-tool is needed to compile a component"):
        compiler.run(["no-such-tool"], tmp_path)
