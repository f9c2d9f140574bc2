"""Objects that a pipeline in this process shares with it, though its DoFns are pickled."""

from typing import Any, Self
from weakref import WeakValueDictionary

_LIVING: "WeakValueDictionary[int, ByReference]" = WeakValueDictionary()


class ByReference:
    """Its pickled copies, in the same process, are the object itself."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Keeps track of the object for as long as it lives."""
        instance = super().__new__(cls)
        _LIVING[id(instance)] = instance
        return instance

    def __reduce__(self) -> tuple[Any, ...]:
        return _living, (id(self),)


def _living(key: int) -> ByReference:
    return _LIVING[key]
