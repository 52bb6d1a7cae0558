"""The names that dataset files have."""

from __future__ import annotations

import re

ENDINGS = (
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".parquet", ".pq", ".arrow", ".feather",
    ".ipc", ".txt", ".text", ".md", ".markdown",
)  # fmt: skip
PACKED = (".gz", ".zst")
_ABOUT = re.compile(r"(?:readme|licen[cs]e|changelog|notice)\b", re.IGNORECASE)


def is_dataset_name(name: str) -> bool:
    """Tell whether a file's name is one that datasets have; a README is none."""
    plain = name.lower()
    for packed in PACKED:
        plain = plain.removesuffix(packed)
    return plain.endswith(ENDINGS) and _ABOUT.match(name) is None
