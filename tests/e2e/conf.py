# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration as its writer meets it: what is told of a mistake, and by which program."""
import os
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Sink, free_port, smarthost, wait_for  # noqa: E402

MESSAGE = "Subject: x\r\n\r\nhello\r\n"


def one_host_twice():
    """Two servers of an upstream may be one host on two ports; both get their share."""
    with Sink() as one, Sink() as two, smarthost(one.port, two.port, extra="queue { per-connection = 1 }\n") as b:
        def both():
            b.send("x@y.example", ["z@far.example"], MESSAGE)
            return one.messages() and two.messages()
        wait_for("mail at both ports", both)
        b.empty()
    with Sink() as sink, smarthost(free_port(["127.0.0.1"]), ("127.0.0.1", sink.port, 'tls = "off" backup = true')) as b:
        b.send("x@y.example", ["z@far.example"], MESSAGE)
        assert b"hello" in sink.messages(1)[0]["text"]


for test in (one_host_twice,):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
