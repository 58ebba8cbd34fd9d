"""A server that answers as an engine does: health and completions, on loopback.

Started as the engine's own command, with its arguments. It knows the port, and one pair of values
for which it has no memory.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTING = 0.2  # seconds until it is ready


def value_of(flag: str) -> str:
    """What an argument is set to."""
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else ""


class Engine(BaseHTTPRequestHandler):
    """Answers `/health` and `/v1/completions`."""

    began = time.monotonic()

    def answer(self, code: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        ready = time.monotonic() - self.began > STARTING
        self.answer(200 if ready and self.path == "/health" else 503, {})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tokens = asked["max_tokens"]
        time.sleep(0.01)
        self.answer(200, {"usage": {"completion_tokens": tokens}, "choices": [{"text": "a " * 5}]})

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    if value_of("--kv-cache-dtype") == "fp8" and value_of("--max-num-seqs") == "128":
        print("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB", flush=True)
        raise SystemExit(1)
    ThreadingHTTPServer(("127.0.0.1", int(value_of("--port"))), Engine).serve_forever()
