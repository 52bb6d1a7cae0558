"""A process with a real llama.cpp that serves one GGUF file: a damaged one can only end this."""

from __future__ import annotations

import json
import os
import secrets
import sys


def main(file: str, context: str) -> None:
    """Serve a file until standard input ends, as it does when the process behind it goes.

    Args:
        file: The GGUF file.
        context: Tokens that one request may hold.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp prints where it likes
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx = int(context)
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.verbosity = 1
    params.warmup = False
    params.ui = False
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)
    params.cpuparams.poll = 0
    # Other users of the machine can reach the port too
    key = secrets.token_urlsafe()
    params.api_keys = [key]
    server = xllamacpp.Server(params)
    answers.write(json.dumps({"address": server.listening_address, "key": key}) + "\n")
    answers.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
