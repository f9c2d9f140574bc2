"""Explicit, deterministic coders for the structs that travel between stages."""

import functools
from collections.abc import Iterable
from typing import Any

import msgspec
from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry

# Mappings are written sorted by key, so equal values have equal bytes.
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


@functools.cache
def _decoder(struct: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(struct)


class StructCoder(Coder):
    """MessagePack for one msgspec struct type. Timestamps come back in UTC."""

    def __init__(self, struct: type[msgspec.Struct]) -> None:
        self._struct = struct

    def encode(self, value: msgspec.Struct) -> bytes:
        """Encodes a struct as MessagePack."""
        return _ENCODER.encode(value)

    def decode(self, encoded: bytes) -> msgspec.Struct:
        """Decodes MessagePack to the struct."""
        decoded: msgspec.Struct = _decoder(self._struct).decode(encoded)
        return decoded

    def is_deterministic(self) -> bool:
        """Equal structs have equal bytes, so they may be keys."""
        return True

    def to_type_hint(self) -> type[msgspec.Struct]:
        """The struct type."""
        return self._struct

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:
        """Called by Beam's registry to create the coder of a type."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StructCoder) and self._struct is other._struct

    def __hash__(self) -> int:
        return hash(self._struct)


def register(structs: Iterable[type[msgspec.Struct]]) -> None:
    """Registers StructCoder with Beam for each of these types; called when a graph is built."""
    for struct in structs:
        registry.register_coder(struct, StructCoder)
