"""A folder of interchangeable parts is its own registry: file `xr_frames.py` is the part `xr-frames`, its `PART`."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from ranpilot.errors import ConfigError, UnknownNameError

__all__ = ["Family"]

Part = TypeVar("Part")


class Family(Generic[Part]):
    """The parts of one kind: the files of a package, entry points `ranpilot.<family>`, and what was registered."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._registered: dict[str, Part] = {}

    def names(self) -> list[str]:
        """Every known name, sorted."""
        return sorted({*self._in_folder(), *self._registered, *self._entry_points()})

    def register(self, name: str, part: Part) -> None:
        """Add a part at run time. Raises ConfigError where the name is taken."""
        if name in self.names():
            raise ConfigError(f"{self.kind} name", name, f"a new name (taken: {', '.join(self.names())})")
        self._registered[name] = part

    def load(self, name: str) -> Part:
        """The part called `name`. Raises UnknownNameError, which lists the known names."""
        if name in self._registered:
            return self._registered[name]
        if name in self._in_folder():
            part: Part = importlib.import_module(f"{self.package}.{name.replace('-', '_')}").PART
            return part
        for point in entry_points(group=self._group()):
            if point.name == name:
                loaded: Part = point.load()
                return loaded
        raise UnknownNameError(self.kind, name, self.names())

    def _group(self) -> str:
        return f"ranpilot.{self.package.rsplit('.', 1)[-1]}"

    def _entry_points(self) -> list[str]:
        return [point.name for point in entry_points(group=self._group())]

    def _in_folder(self) -> list[str]:
        folder = importlib.import_module(self.package).__path__
        return [m.name.replace("_", "-") for m in pkgutil.iter_modules(folder) if not m.name.startswith("_")]
