from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Shape, Value
from amaranth.lib import stream, wiring

from .words import word_count


@dataclass(frozen=True)
class StreamPort:
    """A stream port of a component, as the engines see it.

    Attributes
    ----------
    name : str
        Member name; members of nested interfaces and of arrays are joined by ``__``, as in the
        exported Verilog.
    is_input : bool
        Whether the component consumes the stream.
    width : int
        Payload width in bits.
    """

    name: str
    is_input: bool
    width: int

    @property
    def words(self) -> int:
        """uint32 words of one payload."""
        return word_count(self.width)


@dataclass(frozen=True)
class PlainPort:
    """A port that belongs to no stream: ``name``, direction and ``width`` in bits."""

    name: str
    is_input: bool
    width: int

    @property
    def words(self) -> int:
        """uint32 words of one value."""
        return word_count(self.width)


@dataclass(frozen=True)
class Ports:
    """All ports of a component: ``streams`` and ``plain`` ports by name, in signature order.

    Plain ports of no bits are left out.
    """

    streams: dict[str, StreamPort]
    plain: dict[str, PlainPort]

    @classmethod
    def of(cls, component: wiring.Component) -> "Ports":
        """Discover the ports of ``component`` from its signature.

        Raises
        ------
        TypeError
            If ``component`` is not a component.
        ValueError
            If a stream is ``always_valid`` or ``always_ready``, which Amaranth cannot export, or
            has an empty payload.
        """
        if not isinstance(component, wiring.Component):
            raise TypeError(f"Component must be a wiring.Component, not {component!r}")
        ports = list(_ports((), component.signature, component))
        return cls(
            {port.name: port for port in ports if isinstance(port, StreamPort)},
            {port.name: port for port in ports if isinstance(port, PlainPort)},
        )


def lookup(component: wiring.Component, name: str) -> object:
    """Return the interface or signal of ``component`` behind a port name."""
    found = component
    for part in name.split("__"):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    return found


def _ports(
    path: tuple, signature: wiring.Signature, interface: object
) -> Iterator[StreamPort | PlainPort]:
    for name, member in signature.members.items():
        for index, value in _elements(getattr(interface, name), member.dimensions):
            where = (*path, name, *index)
            if member.is_port:
                width = Shape.cast(Value.cast(value).shape()).width
                if width:
                    yield PlainPort("__".join(map(str, where)), member.flow is wiring.In, width)
            elif isinstance(_unflipped(member.signature), stream.Signature):
                yield _stream("__".join(map(str, where)), member.flow is wiring.In, value)
            else:
                yield from _ports(where, member.signature, value)


def _unflipped(signature: wiring.Signature) -> wiring.Signature:
    return signature.flip() if isinstance(signature, wiring.FlippedSignature) else signature


def _elements(value: object, dimensions: tuple) -> Iterator[tuple[tuple, object]]:
    if not dimensions:
        yield (), value
        return
    for index, element in enumerate(value):
        for rest, leaf in _elements(element, dimensions[1:]):
            yield (index, *rest), leaf


def _stream(name: str, is_input: bool, interface: stream.Interface) -> StreamPort:
    signature = _unflipped(interface.signature)
    width = Value.cast(interface.payload).shape().width
    if signature.always_valid or signature.always_ready:
        raise ValueError(f"Stream {name} must have both valid and ready signals")
    if not width:
        raise ValueError(f"Payload of stream {name} must have at least one bit")
    return StreamPort(name, is_input, width)
