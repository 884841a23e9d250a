"""The server's process, with the ARNs of certificates to hold as its arguments: prints its port once it listens, ends when its standard input does.

Unless what it read by then is `STAY`: then it runs until it is killed.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local_aws.certificates import hold_certificate
from local_aws.corrections import correct_moto
from local_aws.local_aws import STAY
from local_aws.retries import OnceOnly
from local_aws.strictness.rules import RULES
from local_aws.strictness.strict import Strict


def serve(certificates: Sequence[str]) -> None:
    """Serve until standard input ends, which is also what a parent that was killed looks like."""
    # Else Werkzeug colours each line of its log.
    logging.getLogger("werkzeug").addHandler(logging.StreamHandler())
    refusals = logging.getLogger(Strict.__module__)
    refusals.addHandler(logging.StreamHandler())
    refusals.setLevel(logging.INFO)
    for arn in certificates:
        hold_certificate(arn)
    server = make_server(
        "127.0.0.1",
        0,
        OnceOnly(Strict(DomainDispatcherApplication(create_backend_app), RULES)),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    os.environ["MOTO_PORT"] = str(server.server_port)
    print(server.server_port, flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve_forever()


def _end_with_parent() -> None:
    if sys.stdin.buffer.read() != STAY:
        os._exit(0)


if __name__ == "__main__":
    correct_moto()
    serve(sys.argv[1:])
