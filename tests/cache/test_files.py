"""The directory: who may write it, what is read of it, and what is dropped."""

from __future__ import annotations

import os
import stat
import sys
import time
import warnings

import numpy as np
import pytest

from adcore import cache, cli, grad
from adcore.cache import files, store
from adcore.cache.files import LIMIT, Directory, size_limit


def entry(path):
    """The largest file, which is that of the program."""
    return max(path.glob("*.adcore"), key=lambda p: p.stat().st_size)


@pytest.fixture
def square(modules, outcome):
    """Calls the gradient of x² as a new process would, and says what came of it."""
    modules.write(user="def f(x):\n    return x * x\n")

    def call():
        assert grad(modules.load().f)(3.0) == 6.0
        return outcome()

    return call


def test_only_the_user_may_read_what_is_written(square, place):
    assert square() == "stored"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in place.iterdir()} == {0o600}
    assert {p.suffix for p in place.iterdir()} == {".adcore"}


DAMAGES = {
    "empty": lambda text: b"",
    "half": lambda text: text[: len(text) // 2],
    "a byte less": lambda text: text[:-1],
    "a byte more": lambda text: text + b"\0",
    "another byte in the code": lambda text: text[:-9] + bytes([text[-9] ^ 1]) + text[-8:],
    "another byte in front": lambda text: text[:30] + bytes([text[30] ^ 1]) + text[31:],
    "something else": lambda text: b"nonsense",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_used(damage, square, place):
    assert square() == "stored"
    for path in list(place.iterdir()):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert square() == "stored"
    assert square() == "served"


def test_a_file_under_another_name_is_not_used(square, place, modules, outcome):
    assert square() == "stored"
    first = entry(place)
    kept = first.read_bytes()
    modules.write(other="def f(x):\n    return x * x * x\n")
    assert grad(modules.load("other").f)(3.0) == 27.0
    assert outcome() == "stored"
    second = max((p for p in place.glob("*.adcore") if p != first), key=lambda p: p.stat().st_size)
    second.write_bytes(kept)
    assert grad(modules.load("other").f)(3.0) == 27.0
    assert outcome() == "stored"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners of files here")
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_directory_that_others_may_write_into_is_refused_once(mode, square, place):
    place.mkdir()
    place.chmod(mode)
    with pytest.warns(RuntimeWarning, match="others may write into it"):
        assert square() == "nothing"
    assert square() == "nothing"  # where a further warning would be an error
    assert not list(place.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners of files here")
def test_a_directory_of_another_user_is_refused(square, place, monkeypatch):
    place.mkdir()
    monkeypatch.setattr(files.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert square() == "nothing"


def test_a_symbolic_link_is_refused(square, place, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(RuntimeWarning, match="is a symbolic link"):
        assert square() == "nothing"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_that_others_may_write_is_not_used(square, place):
    assert square() == "stored"
    entry(place).chmod(0o622)
    assert square() == "stored"
    assert square() == "served"


def test_a_file_that_is_a_symbolic_link_is_not_used(square, place, tmp_path):
    assert square() == "stored"
    path = entry(place)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert square() == "stored"
    assert not path.is_symlink()
    assert square() == "served"


@pytest.mark.parametrize("how", ["a file", "no permission", "off", "below a file"])
def test_without_a_directory_all_is_compiled(how, square, place, monkeypatch):
    if how == "a file":
        place.write_text("")
        with pytest.warns(RuntimeWarning, match="is no directory"):
            assert square() == "nothing"
        return
    if how == "no permission":

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
        assert "Permission denied" in square()
        assert square().startswith("refused")
        return
    if how == "off":
        monkeypatch.setenv("ADCORE_CACHE", "0")
    else:
        (place.parent / "file").write_text("")
        monkeypatch.setenv("ADCORE_CACHE_DIR", str(place.parent / "file" / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert square() == "nothing"
    assert not place.exists()


def test_where_the_directory_is(monkeypatch, tmp_path):
    monkeypatch.setenv("ADCORE_CACHE_DIR", str(tmp_path / "given"))
    assert files.place() == tmp_path / "given"
    monkeypatch.delenv("ADCORE_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.place() == tmp_path / "adcore"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the specification says to leave out of account
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert files.place() == tmp_path / "home" / ".cache" / "adcore"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert files.place() == tmp_path / "home" / "Library" / "Caches" / "adcore"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert files.place() is None


SIZES = {"": LIMIT, "1000": 1000, "2K": 2048, "3MB": 3 << 20, " 1g ": 1 << 30, "-1": LIMIT, "many": LIMIT, "1T": LIMIT}


@pytest.mark.parametrize("text", SIZES)
def test_the_limit(text, monkeypatch):
    monkeypatch.setenv("ADCORE_CACHE_SIZE", text)
    assert size_limit() == SIZES[text]


def test_what_was_used_longest_ago_is_dropped(place):
    directory = Directory(place)
    for k in range(10):
        directory.write(f"{k}", bytes(1000))
        os.utime(place / f"{k}.adcore", (k, k))
    assert directory.read("0") is not None  # which uses it
    size = (place / "1.adcore").stat().st_size
    directory.keep_to(10 * size)
    assert len(directory.files()) == 10
    Directory(place).keep_to(5 * size)
    assert [f.key for f in directory.files()] == ["7", "8", "9", "0"]  # there is room for further ones


def test_what_was_never_finished_is_dropped_later(place):
    directory = Directory(place)
    old, new = place / "a.part", place / "b.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 2 * files.ABANDONED,) * 2)
    directory.keep_to(LIMIT)
    assert [p.name for p in place.iterdir()] == ["b.part"]


def test_all_stays_within_the_limit(place, monkeypatch, modules):
    monkeypatch.setenv("ADCORE_CACHE_SIZE", "20K")
    for k in range(12):
        modules.write(user=f"import math\ndef f(x):\n    return math.sin(x * {k}.5) * x\n")
        grad(modules.load().f)(1.0)
        assert sum(p.stat().st_size for p in place.iterdir()) <= 1.06 * (20 << 10)
    assert len(list(place.iterdir())) > 4


def test_what_is_larger_than_the_limit_is_not_kept(square, place, monkeypatch):
    monkeypatch.setenv("ADCORE_CACHE_SIZE", "100")
    assert square() == "nothing"
    assert all(p.stat().st_size < 200 for p in place.iterdir())


def test_a_write_that_fails_leaves_nothing(place, monkeypatch):
    directory = Directory(place)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        directory.write("key", b"text")
    assert not list(place.iterdir())


def test_a_file_that_vanishes_meanwhile_is_no_error(place, monkeypatch):
    directory = Directory(place)
    directory.write("key", b"text")
    seen = directory.files()
    (place / "key.adcore").unlink()
    monkeypatch.setattr(Directory, "files", lambda self: seen)
    directory.keep_to(0)
    directory.clear()
    assert directory.read("key") is None


# The command


def test_the_command_shows_lists_and_clears(square, place, capsys):
    assert cli.main(["cache", "--json"]) == 0
    assert not place.exists()  # which asking does not make
    assert square() == "stored"
    capsys.readouterr()
    assert cli.main(["cache"]) == 0
    assert str(place) in capsys.readouterr().out
    assert cli.main(["cache", "list"]) == 0
    assert "Gradient of f" in capsys.readouterr().out
    assert cli.main(["cache", "clear"]) == 0
    assert "2 files removed" in capsys.readouterr().out
    assert cli.main(["cache", "list"]) == 0
    assert square() == "stored"


def test_the_command_prints_json(square, place, capsys):
    import json

    assert square() == "stored"
    assert cli.main(["cache", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    size = sum(p.stat().st_size for p in place.iterdir())
    wanted = {"directory": str(place), "on": True, "problem": "", "entries": 2, "bytes": size, "limit": LIMIT}
    assert found == wanted
    assert cli.main(["cache", "list", "--json"]) == 0
    assert [set(row) for row in json.loads(capsys.readouterr().out)] == [{"title", "bytes", "used"}] * 2
    assert cli.main(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": 2}


def test_the_command_says_what_is_wrong(place, capsys):
    place.mkdir()
    place.chmod(0o777)
    assert cli.main(["cache"]) == 0
    assert "others may write into it" in capsys.readouterr().out
    assert cli.main(["cache", "clear"]) == 1
    assert "others may write into it" in capsys.readouterr().err


def test_doctor_says_whether_it_is_in_use(place, monkeypatch, capsys):
    assert cli.main(["doctor"]) == 0
    assert "in use      yes" in capsys.readouterr().out
    monkeypatch.setenv("ADCORE_CACHE", "0")
    assert cli.main(["doctor"]) == 0
    assert "turned off by ADCORE_CACHE" in capsys.readouterr().out


def test_code_of_all_programs_is_kept_too(modules, outcome):
    """Memory and the routines of sparse matrices are compiled once for all."""
    titles = set()
    modules.write(user="import numpy as np\ndef f(x):\n    return np.sum(np.outer(x, x))\n")
    grad(modules.load().f)(np.ones(3))
    assert outcome() == "stored"
    titles |= {row["title"] for row in cache.listed()}
    assert "Gradient of f" in titles
    assert store.support("a name", lambda: (b"code", [["needs"]])) == (b"code", [["needs"]])
    assert store.support("a name", lambda: pytest.fail("compiled again")) == (b"code", [["needs"]])
