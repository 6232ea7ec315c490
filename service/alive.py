"""``python -m service.alive``: does the web server of this container answer; for a health check."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

HEALTH = "http://127.0.0.1:8000/healthz"


def main() -> int:
    try:
        with urllib.request.urlopen(sys.argv[1] if len(sys.argv) > 1 else HEALTH, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
