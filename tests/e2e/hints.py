# SPDX-License-Identifier: GPL-3.0-or-later
"""New mail starts at once over a reload and a crash of the runner: no hint is lost with the one that read it.

The wall clock stands still, so that what a scan takes for too young stays
too young: what is delivered here was hinted at, or asked for.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Clock, Sink, route, upstream, wait_for  # noqa: E402

MESSAGE = "Subject: x\r\n\r\nhello\r\n"
# Behind the times that the kernel gives to new files, but by less than makes them old.
AHEAD = 3


def status(b, name):
    return json.loads(b.ctl("--json", "status").stdout)[name]


def runner(b):
    return int([h for h in status(b, "helper") if h.startswith("barid-runner ")][0].split("pid=")[1])


def ready(b):
    return b.log().count(" is ready: ")


class Waiting:
    """A Barid whose runner reads hints and does nothing with them, and a clock that stands still."""

    def __init__(self, extra=""):
        self.clock = Clock()
        self.extra = "queue { runners = 1 }\n" + extra
        self.b = Barid(folder=self.clock.folder, env=dict(self.clock.env, NO_FAKE_STAT="1"),
                       extra=self.extra + "queue { deliver = false }\n", relay=("127.0.0.0/8",))

    def __enter__(self):
        wait_for("the first scan", lambda: ready(self.b) == 1)
        self.clock.freeze(AHEAD)
        return self.b

    def __exit__(self, *exc):
        self.b.__exit__(*exc)

    def deliver(self):
        self.b.write_conf(self.extra)


def send(b, n):
    for _ in range(n):
        b.send("x@y.example", ["alice@example.test"], MESSAGE)


def reload():
    """What the old runner had read and not begun is told to the new one."""
    w = Waiting()
    with w as b:
        send(b, 3)
        wait_for("the hints to be read", lambda: status(b, "runner-queued") == 3)
        w.deliver()
        b.reload()
        b.mail("alice", 3)
        b.empty()


def more_than_fit():
    """What finds no room in the channel is found by a scan that is asked for."""
    # A new runner that reads as fast as the old one tells finds room for all: then once more.
    assert any(handed_over(700) for _ in range(5)), "a test of a channel that has no end"


def handed_over(count):
    """So many hints, from one runner to the next; true if a scan was asked for."""
    w = Waiting()
    with w as b:
        with b.smtp() as c:
            for _ in range(count):
                c.sendmail("x@y.example", ["alice@example.test"], MESSAGE)
        wait_for("the hints to be read", lambda: status(b, "runner-queued") == count)
        w.deliver()
        b.reload()
        b.mail("alice", count, 60)
        return status(b, "scan-wanted") > 0


def crash():
    """A runner that was killed had read hints; the next one looks for what they told of."""
    w = Waiting()
    with w as b:
        send(b, 3)
        wait_for("the hints to be read", lambda: status(b, "runner-queued") == 3)
        old = runner(b)
        os.kill(old, signal.SIGKILL)
        wait_for("the next one", lambda: runner(b) not in (0, old))
        w.deliver()
        b.reload()
        b.mail("alice", 3)


def while_it_ends():
    """Mail that comes while the old runner finishes what it has begun is left for the new one."""
    with Sink(rules=["RCPT /stall/=stall"]) as sink:
        clock = Clock()
        with Barid(folder=clock.folder, env=dict(clock.env, NO_FAKE_STAT="1"), relay=("127.0.0.0/8",),
                   extra=upstream("up", sink.port) + route("far.example", "up") + "queue { runners = 1 }\n") as b:
            wait_for("the first scan", lambda: ready(b) == 1)
            b.send("x@y.example", ["stall@far.example"], MESSAGE)
            wait_for("the delivery", lambda: status(b, "runner-active") == 1)
            clock.freeze(AHEAD)
            old = runner(b)
            b.reload()
            send(b, 3)
            # It has up to ten seconds for what it has begun.
            wait_for("the new runner", lambda: runner(b) not in (0, old))
            b.mail("alice", 3)


for test in (reload, more_than_fit, crash, while_it_ends):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
