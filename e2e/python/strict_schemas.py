"""Random JSON schemas of the strict kind that structured outputs take, written from OpenAI's guide."""

from __future__ import annotations

from random import Random
from typing import Any

Schema = dict[str, Any]
MAX_DEPTH = 3


def strict_schema(random: Random) -> Schema:
    """An object at the root, and a list that refers to itself under `$defs`."""
    node = {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}
    return {**_object(random, 0), "$defs": {"node": _closed(node)}}


def _closed(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _object(random: Random, depth: int) -> Schema:
    return _closed({_word(random): _any(random, depth + 1) for _ in range(random.randint(1, 4))})


def _word(random: Random) -> str:
    return "".join(random.choice("abcdefgh_") for _ in range(random.randint(1, 8)))


def _any(random: Random, depth: int) -> Schema:
    kind = random.choice(["text", "number", "plain", "node", "object", "array", "any_of"])
    if depth >= MAX_DEPTH and kind in ("object", "array", "any_of"):
        kind = "text"
    if kind == "object":
        return _object(random, depth)
    if kind == "array":
        least = random.randint(0, 2)
        return {
            "type": "array",
            "items": _any(random, depth + 1),
            "minItems": least,
            "maxItems": least + random.randint(0, 3),
        }
    if kind == "any_of":
        return {"anyOf": [_any(random, depth + 1) for _ in range(random.randint(1, 3))]}
    if kind == "node":
        return {"$ref": "#/$defs/node"}
    return {"text": _text, "number": _number, "plain": _plain}[kind](random)


def _text(random: Random) -> Schema:
    least = random.randint(0, 5)
    return random.choice(
        [
            {"type": "string", "minLength": least, "maxLength": least + random.randint(0, 20)},
            {"type": "string", "format": random.choice(["date", "email", "ipv4", "ipv6", "uuid", "date-time"])},
            {"type": "string", "pattern": random.choice(["^[a-z]{3,8}$", r"^\d{3}-\d{4}$", "^(on|off)$"])},
            {"type": "string", "enum": sorted({_word(random) for _ in range(3)})},
        ]
    )


def _number(random: Random) -> Schema:
    least = random.randint(-1000, 1000)
    return random.choice(
        [
            {"type": "integer", "minimum": least, "maximum": least + random.randint(0, 500)},
            {"type": "number", "exclusiveMinimum": least, "maximum": least + random.randint(1, 500)},
            {"type": "integer", "multipleOf": random.randint(2, 30)},
        ]
    )


def _plain(random: Random) -> Schema:
    return random.choice(
        [{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"const": _word(random)}]
    )
