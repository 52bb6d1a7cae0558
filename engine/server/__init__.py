"""The engine server, its client and how it is started."""
