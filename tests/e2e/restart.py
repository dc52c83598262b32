# SPDX-License-Identifier: GPL-3.0-or-later
"""C-16: a hundred thousand messages are in the queue, and whatever delivers them is killed, and stopped, again and again.

usage: restart.py [MESSAGES]
"""
import collections
import json
import os
import re
import signal
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Taker, route, spool, upstream, wait_for  # noqa: E402

SHM = "/dev/shm"
# Octets of memory that a message may take where the spool is no disk.
EACH = 8192
# Deliveries of a runner that are under way when it is killed: so many at most are made twice.
IN_FLIGHT = 40


def messages():
    """How many; and the spool is in memory, since it is not the disk that is tested."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if not os.access(SHM, os.W_OK):
        return min(wanted, 5000)
    v = os.statvfs(SHM)
    tempfile.tempdir = SHM
    return min(wanted, v.f_bavail * v.f_frsize // 2 // EACH)


def kill_runner(b):
    pid = wait_for("both runners", lambda: len(found := b.runners()) == 2 and found)[0]
    os.kill(pid, signal.SIGKILL)
    wait_for("another one", lambda: pid not in b.runners() and len(b.runners()) == 2)


def kill_all(b):
    b.kill()
    b.start()


def stop(b):
    assert b.stop() == 0
    b.start()


def main():
    n = messages()
    steps = ((0.05, kill_runner), (0.3, kill_all), (0.5, stop), (0.7, kill_runner))
    with Taker() as sink, Barid(extra="queue { runners = 2 retry = {5s} }\n" + route("far.example", "far") +
                                upstream("far", ("127.0.0.1", sink.port, 'tls = "off"'))) as b:
        assert b.stop() == 0
        spool(b, "alice@example.test", "u%@far.example", n)
        b.start()
        for part, what in steps:
            wait_for(f"{part:.0%} of {n}", lambda: sink.count() >= part * n, 60)
            print(f"{sink.count()}: {what.__name__}", flush=True)
            what(b)
        wait_for("the rest", lambda: sink.count() >= n and not b.spooled(), 120)
        a = json.loads(b.ctl("--json", "audit").stdout)
        assert a["closes"] and a["wrong"] == 0 and a["ends"]["relayed"] == a["received"] == n, a
        found = collections.Counter(int(re.search(r"<u(\d+)@", line).group(1)) for line in sink.taken())
        lost = [i for i in range(1, n + 1) if not found[i]]
        assert not lost, f"{len(lost)} of {n} lost: {lost[:10]}"
        twice = sum(found.values()) - n
        told = sum(f["kind"] == "twice" for f in a["findings"])
        print(f"{n} messages, {twice} twice, of which the audit found {told}", flush=True)
        # Four runners were killed.
        assert twice <= 4 * IN_FLIGHT, twice
        assert told <= twice


main()
