"""`healthy.py URL`: exit code 0 if a server answers there with anything but a fault of its own.

For the health checks of the image, which has no curl. It asks no proxy, whatever the environment
says, and needs nothing of aigen.
"""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 5.0
_FIRST_FAULT = 500


def main(url: str) -> int:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"{url}: {error}")
        return 1
    print(f"{url}: {status}")
    return 0 if status < _FIRST_FAULT else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
