"""Asks the server of `stand_in.py` to run a command line of Bakeoff, and ends with its exit code.

It imports next to nothing, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def main(address: str, arguments: list[str]) -> int:
    """Hand on the streams, the folder, the variables and the arguments of this process."""
    with socket.socket(socket.AF_UNIX) as call:
        call.connect(address)
        socket.send_fds(call, [b"3"], [0, 1, 2])
        folder = os.getcwd()  # noqa: PTH109 - pathlib takes longer to import than all else here
        order = {"folder": folder, "variables": dict(os.environ), "arguments": arguments}
        call.sendall(json.dumps(order).encode())
        call.shutdown(socket.SHUT_WR)
        # Without an answer the process has failed, and has said why on standard error.
        return int(call.recv(16) or 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
