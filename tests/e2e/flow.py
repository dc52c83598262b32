# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand messages flow in and out while barid is reloaded, restarted, and killed: none is lost, and what comes twice
was in flight."""
import collections
import contextlib
import os
import re
import signal
import smtplib
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import wait_for  # noqa: E402
from journaltest import SENDER, World  # noqa: E402

COUNT, CLIENTS, WAYS = 1000, 4, 3
# The connections to the smarthost are what can be in flight.
CONF = f"queue {{ retry = {{1s}} per-destination = {WAYS} per-connection = 20 }}\n"


class Flow:
    """Clients that send COUNT messages, each again until it was taken; and where they arrive."""

    def __init__(self, w):
        self.w, self.lock = w, threading.Lock()
        self.left = list(range(COUNT))
        # Messages whose client was told nothing, at the end of their text: they may have been taken as well.
        self.unsure, self.refused, self.taken = collections.Counter(), 0, 0
        self.threads = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def client(self):
        while True:
            try:
                with self.w.b.smtp() as c:
                    # A few on each connection: sessions end at any time, as those of the world do.
                    for _ in range(7):
                        if (n := self.next()) is None:
                            return
                        self.one(c, n)
            except (OSError, smtplib.SMTPException):
                pass

    def next(self):
        with self.lock:
            return self.left.pop() if self.left else None

    def one(self, c, n):
        sure = True
        try:
            c.ehlo_or_helo_if_needed()
            for code, _ in (c.mail(SENDER), c.rcpt(f"n{n}@far.example"), c.docmd("DATA")):
                if code >= 400:
                    raise smtplib.SMTPResponseException(code, b"")
            sure = False
            c.send(f"Subject: x\r\nX-Number: {n}\r\n\r\ntext\r\n.\r\n".encode())
            code, _ = c.getreply()
            sure = True
            if code != 250:
                raise smtplib.SMTPResponseException(code, b"")
            with self.lock:
                self.taken += 1
        except (OSError, smtplib.SMTPException) as e:
            with self.lock:
                self.left.append(n)
                self.unsure[n] += not sure
                self.refused += isinstance(e, OSError)
            raise

    def wait(self, share):
        """Until so many have been taken."""
        wait_for(f"{share} messages", lambda: self.taken >= share)

    def end(self):
        """All have been taken, and have arrived; how often too often each did."""
        for t in self.threads:
            t.join()
        self.w.b.empty(60)
        arrived = collections.Counter()
        for m in self.w.sink.messages(COUNT, 60):
            arrived[int(re.search(rb"X-Number: (\d+)", m["text"]).group(1))] += 1
        assert sorted(arrived) == list(range(COUNT)), sorted(set(range(COUNT)) - set(arrived))
        assert self.w.b.mailbox("alice") == []
        print(f"  {self.taken} taken, {sum(self.unsure.values())} without a word, {sum(arrived.values())} arrived")
        return {n: k - 1 - self.unsure[n] for n, k in arrived.items() if k > 1 + self.unsure[n]}


def reloaded():
    """C-15: nobody who connects is refused, no session ends early, nothing comes twice."""
    with World(CONF, rules=()) as w:
        f = Flow(w)
        for n in range(10):
            f.wait(COUNT * n // 12)
            w.b.reload()
        again = f.end()
        assert not again and not f.unsure and not f.refused, (again, f.unsure, f.refused)
        # A reload that comes before the runners of the last one have ended has new ones with it.
        assert w.b.log().count("started barid-runner") >= 4, "the runners went on"
        assert w.ends() == {"relayed": COUNT}, w.ends()


def restarted():
    """C-16, C-18: the clients are told so, or told nothing; what was given to the smarthost is known to have been."""
    with World(CONF, rules=()) as w:
        f = Flow(w)
        for n in range(1, 7):
            f.wait(COUNT * n // 8)
            assert w.b.stop() == 0
            w.b.start()
        again = f.end()
        assert not again, (again, f.unsure)
        audit = w.audit()
        assert audit["ends"]["relayed"] == audit["received"], audit


def killed():
    """C-01: everything at once, without a word; twice comes at most what was in flight, or not yet known to be gone."""
    with World(CONF, rules=()) as w:
        f = Flow(w)
        for n in range(1, 5):
            f.wait(COUNT * n // 6)

            def runners():
                # One that is down is pid=0.
                found = re.findall(r"(?m)^helper barid-runner.*pid=([1-9]\d*)", w.b.ctl("status").stdout)
                return len(found) == 2 and [int(pid) for pid in found]
            for pid in wait_for("two runners", runners):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            w.b.kill()
            w.b.start()
        for t in f.threads:
            t.join()
        # A session outlives its master, and the runner that it told of its mail: the next scan finds that.  It is now.
        w.b.reload()
        again = f.end()
        # On each connection one in flight, and those that the journal was not yet written for in that turn of the loop.
        assert sum(again.values()) <= 4 * 2 * 2 * WAYS, again
        audit = w.audit()
        assert audit["received"] >= COUNT and sum(audit["ends"].values()) == audit["received"], audit


def main():
    for test in (reloaded, restarted, killed):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
