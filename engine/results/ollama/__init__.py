"""Deploying an adapter as a model of Ollama's: pushed, created, asked, and compared."""
