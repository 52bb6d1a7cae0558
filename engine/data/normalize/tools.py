"""Read the tools a row offers and the calls an assistant makes, in OpenAI's form or a bare one."""

from __future__ import annotations

from typing import Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import as_json, from_cell
from engine.data.types import ToolCall
from engine.data.words import brief, key_list, kind_of

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
        raise _bad(f"'{name}' is {kind_of(offered)}, not a list of tools")
    # Objects of a Parquet file bear the keys of all others, as null; JSON text is meant as it is
    kept = offered if isinstance(value, str) else without_nulls(offered, name)
    tools = tuple(_tool(one, f"tool {number}") for number, one in enumerate(kept, start=1))
    as_json(tools, name, "bad-tools")
    return tools


def _tool(value: Any, name: str) -> dict[str, Any]:
    """Bring one tool into OpenAI's form."""
    value = from_cell(value)
    if not isinstance(value, dict):
        raise _bad(f"{name} is {kind_of(value)}, not an object")
    function = value.get("function", value)
    if not isinstance(function, dict) or not _is_name(function.get("name")):
        raise _bad(f"{name} has no name; its keys are {key_list(value)}")
    # Name and description first: templates write the keys in this order
    known = {"name": function["name"], "description": function.get("description") or ""}
    function = known | {key: item for key, item in function.items() if key not in (*known, "type")}
    function["parameters"] = _parameters(function, name)
    return {"type": "function", "function": function}


def _parameters(function: dict[str, Any], name: str) -> dict[str, Any]:
    """Take a tool's parameters: a JSON schema, or Anthropic's name for it, or none."""
    schema = from_cell(function.get("parameters", function.pop("input_schema", None)))
    if not schema:
        return dict(_NO_PARAMETERS)
    if not isinstance(schema, dict):
        raise _bad(f"the parameters of {name} are {kind_of(schema)}, not an object")
    return schema


def read_calls(value: Any, place: str) -> tuple[ToolCall, ...]:
    """Read an assistant's calls: one or a list, as objects or JSON text.

    Raises:
        FaultyRowError: ``bad-tools``, or ``broken-text``.
    """
    calls = from_cell(value)
    if isinstance(calls, dict):
        calls = [calls]
    if not isinstance(calls, list) or not calls:
        raise _bad(f"the call in {place} is no JSON: {brief(value)}")
    return tuple(_call(from_cell(one), place) for one in calls)


def _call(value: Any, place: str) -> ToolCall:
    """Read one call: its name, and its arguments as an object wherever they are one."""
    function = value.get("function", value) if isinstance(value, dict) else None
    if isinstance(function, str) and isinstance(value, dict):
        function = {**value, "name": function}
    if not isinstance(function, dict) or not _is_name(function.get("name")):
        raise _bad(f"the call in {place} has no name: {brief(value)}")
    given = function.get("arguments", function.get("parameters"))
    arguments = from_cell(given)
    if not isinstance(given, str):
        arguments = without_nulls(arguments, place)
    as_json([function["name"], arguments], f"arguments of {place}", "bad-tools")
    if isinstance(arguments, dict):
        return ToolCall(name=function["name"], arguments=arguments)
    if arguments is None or arguments == "":
        return ToolCall(name=function["name"], arguments={})
    if isinstance(given, str):
        return ToolCall(name=function["name"], arguments=given)
    raise _bad(f"the arguments in {place} are {kind_of(given)}, not an object")


def without_nulls(value: Any, name: str) -> Any:
    """Drop the keys of objects whose value is null: columnar files pad all objects to one form."""
    try:
        return _pruned(value)
    except RecursionError:
        raise _bad(f"'{name}' is nested too deep") from None


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
