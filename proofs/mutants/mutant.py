"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant"]


@dataclass(frozen=True)
class Mutant:
    """A fragment of a module and what it is replaced by.

    Attributes:
        name: unique; `--only` takes it.
        module: the module's path from the root of the repository.
        fragment: text that stands in the module exactly once.
        replacement: what to write in its place.
        breaks: what is then wrong.
    """

    name: str
    module: str
    fragment: str
    replacement: str
    breaks: str

    def applied(self, text: str) -> str:
        """The module's text with the mutation.

        Raises:
            LookupError: the fragment is not there exactly once.
        """
        found = text.count(self.fragment)
        if found != 1:
            raise LookupError(f"mutant {self.name!r}: its fragment is {found} times in {self.module}")
        return text.replace(self.fragment, self.replacement)

    def apply(self, root: Path) -> None:
        """Write the mutated module below a root."""
        file = root / self.module
        file.write_text(self.applied(file.read_text()))

    @property
    def area(self) -> str:
        """The package that the module belongs to: it decides which tests are asked first."""
        parts = Path(self.module).parts
        return parts[0] if parts[0] == "adcore" else parts[1]
