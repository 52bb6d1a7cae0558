"""A language for tests, in which everything is shouted."""

from __future__ import annotations

import gettext
import re
from typing import TYPE_CHECKING

from engine import language

if TYPE_CHECKING:
    import pytest


class _Loud(gettext.NullTranslations):
    """Shouts all but the names in braces."""

    def gettext(self, message: str) -> str:
        """Shout."""
        return re.sub(r"{.*?}", lambda name: name[0].lower(), message.upper())

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Shout, without a plural."""
        return self.gettext(many)


def let_chinese_be_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put this language in Chinese's place."""
    loud, plain = _Loud(), gettext.NullTranslations()
    monkeypatch.setattr(language, "_catalogue", lambda name: loud if name == "zh_CN" else plain)
