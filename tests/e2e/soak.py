# SPDX-License-Identifier: GPL-3.0-or-later
"""C-22: many messages to a smarthost where one transaction in ten goes wrong.

SOAK messages (4,000; a real soak has 1,000,000: `make check ONLY=soak
SOAK=1000000 CHECK_TIMEOUT=7200`).  In the first half a runner is killed now
and then.  It ends with an empty spool, with memory and descriptors that did
not grow, and with the journal and the spool in agreement.
"""
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import OBJ, smarthost, wait_for  # noqa: E402

SOAK = int(os.environ.get("SOAK", "4000"))
# A quarter of an hour for a million; for a few, enough for the last retries.
PATIENCE = 120 + SOAK // 100
EXTRA = """queue { retry = {1s, 2s, 5s} lifetime = 30d delay-notice = {29d} runners = 2 }
limits { connections = 3000 connections-in = 2000 connections-per-address = 1000 }
"""
PAGE = os.sysconf("SC_PAGESIZE")


class Watch(threading.Thread):
    """Looks at the processes every second, and kills a runner while it may."""

    def __init__(self, b):
        super().__init__(daemon=True)
        self.b, self.samples, self.killed = b, [], 0
        self.may_kill, self.over = True, threading.Event()

    def name_of(self, pid):
        return self.b.read(f"/proc/{pid}/comm").strip()

    def runners(self):
        return [p for p in self.b.processes() if self.name_of(p) == "barid-runner"]

    def sample(self):
        """{process: (resident octets, descriptors)} of the master and the runners."""
        found = {}
        for pid in [self.b.process.pid] + self.runners():
            try:
                fds = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
            statm = self.b.read(f"/proc/{pid}/statm").split()
            if statm:
                found[pid] = (int(statm[1]) * PAGE, fds)
        return found

    def run(self):
        while not self.over.wait(1):
            runners = self.runners()
            if self.may_kill and runners and random.random() < 0.2:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(random.choice(runners), signal.SIGKILL)
                    self.killed += 1
            elif not self.may_kill:
                self.samples.append(self.sample())

    def growth(self):
        """How much each process that was there all the time grew: (pid, which, before, after)."""
        third = len(self.samples) // 3
        if third < 5:
            return []
        found = []
        for pid in set.intersection(*(set(s) for s in self.samples)):
            for i, which in enumerate(("octets", "descriptors")):
                before, after = [statistics.median(s[pid][i] for s in part) for part in
                                 (self.samples[third:2 * third], self.samples[-third:])]
                found.append((pid, which, before, after))
        return found


def load(*args):
    return [f"{OBJ}/tools/load", *args]


def send(b, n):
    r = subprocess.run(load("send", "-n", str(n), "-s", "20", "-d", "-l", "2000", "-f", "alice@example.test",
                            "-t", "u%@far.example", "-b", "1000", "127.0.0.1", str(b.port["smtp"])),
                       capture_output=True, text=True)
    assert r.returncode == 0, (r.stdout, r.stderr)


def reports(b):
    """The reports in alice's box, and those that are on the way."""
    return len(b.mailbox("alice"))


def main():
    sink = subprocess.Popen(load("sink", "-x", "10", "0"), stdout=subprocess.PIPE, text=True)
    port = int(sink.stdout.readline().split()[1])
    try:
        with smarthost(port, extra=EXTRA) as b:
            watch = Watch(b)
            watch.start()
            send(b, SOAK // 2)
            watch.may_kill = False
            send(b, SOAK - SOAK // 2)
            began = time.monotonic()
            b.empty(PATIENCE)
            watch.over.set()
            watch.join()
            sink.send_signal(signal.SIGTERM)
            took = json.loads(sink.communicate()[0].splitlines()[-1])
            got = reports(b)
            print(f"{SOAK} messages, {watch.killed} runners killed, {took['messages']} taken, {got} reports, "
                  f"empty {time.monotonic() - began:.0f} s after the last; growth {watch.growth()}")
            audit = json.loads(b.ctl("audit", "--json").stdout)
            ends = audit["ends"]
            print(f"audit: {audit['received']} received, {ends}")
            assert audit["closes"] and audit["wrong"] == 0, audit["findings"][:20]
            assert ends["relayed"] + ends["bounced"] == SOAK, ends
            # Every report is a message, too; a runner that was killed may have sent one twice.
            assert audit["received"] == SOAK + ends["delivered"] and ends["delivered"] >= ends["bounced"], ends
            if watch.killed == 0:
                assert ends["delivered"] == ends["bounced"], ends
            # What was cut when it was taken came twice; nothing came less than once.
            assert took["messages"] + got >= SOAK, (took, got)
            for pid, which, before, after in watch.growth():
                slack = 4 << 20 if which == "octets" else 200
                assert after <= before * 1.2 + slack, (watch.name_of(pid), which, before, after)
    finally:
        sink.kill()


main()
