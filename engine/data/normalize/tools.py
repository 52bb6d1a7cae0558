"""Read the tools a row offers and the calls an assistant makes, in OpenAI's form or a bare one."""

from __future__ import annotations

from typing import Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import as_json, from_cell
from engine.data.normalize.place import Place
from engine.data.types import ToolCall
from engine.data.words import brief, key_list, kind_of
from engine.language import mark, tr

_TOOL = mark("tool {number}")
_ARGUMENTS = mark("arguments of {place}")
_NO_PARAMETERS = {"type": "object", "properties": {}}


def read_tools(value: Any, name: str) -> tuple[dict[str, Any], ...]:
    """Read the tools column: JSON text or objects, in OpenAI's form or bare.

    Raises:
        FaultyRowError: ``bad-tools``, or ``broken-text``.
    """
    if isinstance(value, str) and not value.strip():
        return ()
    offered = from_cell(value)
    if isinstance(offered, dict):
        offered = [offered]
    if not isinstance(offered, list):
        raise _bad(tr("'{name}' is {kind}, not a list of tools", name=name, kind=kind_of(offered)))
    # Objects of a Parquet file bear the keys of all others, as null; JSON text is meant as it is
    kept = offered if isinstance(value, str) else without_nulls(offered, name)
    tools = tuple(
        _tool(one, Place(_TOOL, number=number)) for number, one in enumerate(kept, start=1)
    )
    as_json(tools, name, "bad-tools")
    return tools


def _tool(value: Any, name: Place) -> dict[str, Any]:
    """Bring one tool into OpenAI's form."""
    value = from_cell(value)
    if not isinstance(value, dict):
        raise _bad(tr("{name} is {kind}, not an object", name=name, kind=kind_of(value)))
    function = value.get("function", value)
    if not isinstance(function, dict) or not _is_name(function.get("name")):
        raise _bad(tr("{name} has no name; its keys are {keys}", name=name, keys=key_list(value)))
    # Name and description first: templates write the keys in this order
    known = {"name": function["name"], "description": function.get("description") or ""}
    function = known | {key: item for key, item in function.items() if key not in (*known, "type")}
    function["parameters"] = _parameters(function, name)
    return {"type": "function", "function": function}


def _parameters(function: dict[str, Any], name: Place) -> dict[str, Any]:
    """Take a tool's parameters: a JSON schema, or Anthropic's name for it, or none."""
    schema = from_cell(function.get("parameters", function.pop("input_schema", None)))
    if not schema:
        return dict(_NO_PARAMETERS)
    if not isinstance(schema, dict):
        raise _bad(
            tr(
                "the parameters of {name} are {kind}, not an object",
                name=name,
                kind=kind_of(schema),
            )
        )
    return schema


def read_calls(value: Any, place: Place) -> tuple[ToolCall, ...]:
    """Read an assistant's calls: one or a list, as objects or JSON text.

    Raises:
        FaultyRowError: ``bad-tools``, or ``broken-text``.
    """
    calls = from_cell(value)
    if isinstance(calls, dict):
        calls = [calls]
    if not isinstance(calls, list) or not calls:
        raise _bad(tr("the call in {place} is no JSON: {value}", place=place, value=brief(value)))
    return tuple(_call(from_cell(one), place) for one in calls)


def _call(value: Any, place: Place) -> ToolCall:
    """Read one call: its name, and its arguments as an object wherever they are one."""
    function = value.get("function", value) if isinstance(value, dict) else None
    if isinstance(function, str) and isinstance(value, dict):
        function = {**value, "name": function}
    if not isinstance(function, dict) or not _is_name(function.get("name")):
        raise _bad(tr("the call in {place} has no name: {value}", place=place, value=brief(value)))
    given = function.get("arguments", function.get("parameters"))
    arguments = from_cell(given)
    if not isinstance(given, str):
        arguments = without_nulls(arguments, place)
    as_json([function["name"], arguments], Place(_ARGUMENTS, place=place), "bad-tools")
    if isinstance(arguments, dict):
        return ToolCall(name=function["name"], arguments=arguments)
    if arguments is None or arguments == "":
        return ToolCall(name=function["name"], arguments={})
    if isinstance(given, str):
        return ToolCall(name=function["name"], arguments=given)
    raise _bad(
        tr("the arguments in {place} are {kind}, not an object", place=place, kind=kind_of(given))
    )


def without_nulls(value: Any, name: str | Place) -> Any:
    """Drop the keys of objects whose value is null: columnar files pad all objects to one form."""
    try:
        return _pruned(value)
    except RecursionError:
        raise _bad(tr("'{name}' is nested too deep", name=name)) from None


def _pruned(value: Any) -> Any:
    """Do it at every depth."""
    if isinstance(value, dict):
        return {str(key): _pruned(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value


def _is_name(value: Any) -> bool:
    """Tell whether a value can name a function."""
    return isinstance(value, str) and bool(value.strip())


def _bad(detail: str) -> FaultyRowError:
    """Word a fault of tools or calls."""
    return FaultyRowError("bad-tools", detail)
