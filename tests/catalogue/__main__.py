"""Bring the catalogues up to date with the code, and say what is not translated yet."""

from __future__ import annotations

from tests.catalogue.collect import collect
from tests.catalogue.files import TRANSLATED, mo_bytes, po_bytes, po_file, template, updated


def main() -> None:
    """Write the template and every language's two files."""
    messages = collect()
    template().write_bytes(po_bytes(messages))
    for language in TRANSLATED:
        catalogue = updated(language, messages)
        path = po_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po_bytes(catalogue))
        path.with_suffix(".mo").write_bytes(mo_bytes(catalogue))
        missing = sum(not message.string for message in catalogue if message.id)
        print(f"{language}: {len(catalogue)} messages, {missing} not translated")  # noqa: T201


if __name__ == "__main__":
    main()
