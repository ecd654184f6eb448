"""Take the tensors out of nested arguments, and put others in their places."""

from collections.abc import Iterator
from typing import Any, cast

# what a tensor must have in common with another to stand in for it
Form = tuple[Any, ...]


class UnknownKind(Exception):
    """An argument holds something that has neither a value nor known parts."""


def flatten(value: object, tensor: type) -> tuple[list[Any], Form]:
    """Collect the tensors of ``value`` in order, with the form that :func:`rebuild` needs.

    Args:
        value: tensors, plain values, lists, tuples, and objects with ``__slots__``.
        tensor: ``torch.Tensor``.

    Returns:
        The tensors, and a hashable form: equal for arguments that differ only in the values of
        their tensors.

    Raises:
        UnknownKind: something else is in it.
    """
    found: list[Any] = []
    return found, _form(value, tensor, found)


def rebuild(form: Form, tensors: Iterator[Any]) -> Any:
    """Build the value of ``form`` anew from ``tensors``, in the order of :func:`flatten`."""
    kind, what = form[0], form[1]
    if kind == "tensor":
        return next(tensors)
    if kind == "value":
        return form[2]
    parts = [rebuild(part, tensors) for part in form[2]]
    if kind == "sequence":
        return what(parts)
    made = what.__new__(what)
    for name, part in zip(form[3], parts, strict=True):
        setattr(made, name, part)
    return made


def kind_of(form: Form) -> Form:
    """Return ``form`` without its sizes, but for the last ones, and for which are 1: repeated."""
    kind = form[0]
    if kind == "tensor":
        return ("tensor", tuple(size == 1 for size in form[1]), form[1][-1:], form[3])
    if kind == "value":
        return ("value", form[1], form[2] == 1 if form[1] is int else form[2])
    if kind in ("sequence", "object"):
        return (kind, form[1], tuple(kind_of(part) for part in form[2]), *form[3:])
    return form


def _form(value: object, tensor: type, found: list[Any]) -> Form:
    if isinstance(value, tensor):
        entry = cast("Any", value)
        found.append(entry)
        return ("tensor", tuple(entry.shape), tuple(entry.stride()), entry.dtype, entry.device)
    if value is None or isinstance(value, bool | int | float | str):
        return ("value", type(value), value)
    if type(value) in (list, tuple):
        parts = cast("list[object]", value)
        return ("sequence", type(value), tuple(_form(part, tensor, found) for part in parts))
    names: tuple[str, ...] | None = getattr(type(value), "__slots__", None)
    if not names or hasattr(value, "__dict__"):
        raise UnknownKind(type(value).__name__)
    parts = tuple(_form(getattr(value, name), tensor, found) for name in names)
    return ("object", type(value), parts, tuple(names))
