"""The catalogues as files: what a translator edits (.po), and what the program reads (.mo)."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from engine.language import DOMAIN, LANGUAGES, LOCALE

if TYPE_CHECKING:
    from pathlib import Path

    from babel.messages.catalog import Catalog

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")


_CHANGING = tuple(
    f'"{name}'.encode()
    for name in ("POT-Creation", "PO-Revision", "Generated-By", "Last-Translator", "Language-Team",
                 "Report-Msgid")
)  # fmt: skip
"""Header lines that change by themselves, or name nobody."""
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)


def po_file(language: str) -> Path:
    """Tell where a language's messages are edited; English has none beside the template."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def template() -> Path:
    """Tell where the English messages are, as they stand in the code."""
    return LOCALE / f"{DOMAIN}.pot"


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else path.parts[-3])


def updated(language: str, messages: Catalog) -> Catalog:
    """Give a language's catalogue with the messages as they are now; what is gone is left out."""
    from babel.messages.catalog import Catalog

    path = po_file(language)
    catalogue = read(path) if path.exists() else Catalog(locale=language, domain=DOMAIN)
    catalogue.fuzzy = False
    catalogue.update(messages, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def po_bytes(catalogue: Catalog) -> bytes:
    """Write a catalogue as text, always in the same way."""
    file = BytesIO()
    catalogue.header_comment = "# What LoRADeck says."
    catalogue.project, catalogue.version = "LoRADeck", ""
    write_po(file, catalogue, width=100, omit_header=False, sort_output=True, include_lineno=False)
    lines = file.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_CHANGING))


def mo_bytes(catalogue: Catalog) -> bytes:
    """Write a catalogue as the program reads it, always in the same way."""
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()
