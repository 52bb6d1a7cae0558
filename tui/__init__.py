"""The app: entry point, command line, app shell, theme and widgets."""
