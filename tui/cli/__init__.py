"""The command line: ``loradeck`` opens the dashboard, ``loradeck COMMAND`` does one thing.

The dashboard needs none of what commands are made of, and opens without it.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from engine.errors import LoraDeckError
from tui.cli.language import command_of, speak_as_set


def main() -> None:
    """Run the command line; what the user can mend ends with its words and exit status 2."""
    sys.excepthook = _print_fault
    try:
        _run()
    except LoraDeckError as error:
        from tui.cli.output import print_error

        print_error(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away: nothing to tell it
        sys.exit(1)


def _run() -> None:
    """Open the dashboard, or do what is asked for."""
    speak_as_set()
    if len(sys.argv) > 1:
        from tui.cli.commands import app

        command_of(app)()
    else:
        gc.disable()  # nothing of what is made up to the first frame is garbage
        from tui.run import open_dashboard

        open_dashboard()


def _print_fault(*fault: Any) -> None:
    """Print a traceback whose words may come from a file or a model."""
    import traceback

    from engine.text import visible

    sys.stderr.write(visible("".join(traceback.format_exception(*fault))))
