"""A cache of its own for each test, and modules that are written, imported, changed and imported again."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from adcore.cache import COUNTS


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """The directory of the test's cache."""
    monkeypatch.setenv("ADCORE_CACHE", "1")
    monkeypatch.setenv("ADCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ADCORE_CACHE_SIZE", raising=False)
    return tmp_path / "cache"


class Modules:
    """Modules in files, which are imported anew each time, as another process would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: set[str] = set()

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
            self.names.add(name)

    def load(self, name: str = "user") -> ModuleType:
        for each in self.names:
            sys.modules.pop(each, None)
        importlib.invalidate_caches()
        spec = importlib.util.spec_from_file_location(name, self.folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made


@pytest.fixture
def modules(tmp_path, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # whose times are too coarse for changes this quick
    found = Modules(folder)
    yield found
    for name in found.names:
        sys.modules.pop(name, None)


class Outcome:
    """What the cache did since it was asked last."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.before = COUNTS.served, COUNTS.stored, len(COUNTS.refused)

    def __call__(self) -> str:
        served, stored, refused = COUNTS.served, COUNTS.stored, COUNTS.refused
        found = served - self.before[0], stored - self.before[1], refused[self.before[2] :]
        self.reset()
        assert not (found[0] and found[1]), "one thing at a time"
        if found[2]:
            return f"refused: {found[2][0]}"
        return "served" if found[0] else "stored" if found[1] else "nothing"


@pytest.fixture
def outcome() -> Outcome:
    return Outcome()
