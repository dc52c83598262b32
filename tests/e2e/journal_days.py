# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal over several days: the audit closes, also when the first of them have been removed."""
import os
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Clock, wait_for  # noqa: E402
from journaltest import World  # noqa: E402

DAY = 86400
RCPTS = (["alice@example.test"], ["ok@far.example"], ["no@far.example"], ["wait@far.example"],
         ["ok@far.example", "wait@far.example", "alice@example.test", "no@far.example"])


class Load:
    """Mail of every kind, all the time."""

    def __init__(self, w):
        self.w, self.stop, self.n = w, threading.Event(), 0
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]

    def run(self):
        while not self.stop.is_set():
            self.n += 1
            self.w.send(*RCPTS[self.n % len(RCPTS)], sender="" if self.n % 17 == 0 else "bob@example.test")

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for t in self.threads:
            t.join()


def days_of(w):
    return sorted({os.path.basename(p)[:10] for p in w.files()})


def runners_of(w, day=""):
    return {os.path.basename(p).split(".")[1] for p in w.files() if os.path.basename(p).startswith(day)}


def midnight(w, clock):
    """Another day begins while mail flows."""
    n = len(days_of(w))
    clock.set(clock.ahead + DAY - (clock.now() + 2) % DAY)
    with Load(w):
        wait_for("another day", lambda: len(days_of(w)) > n)
        end = time.monotonic() + 1.5
        wait_for("some of its mail", lambda: time.monotonic() > end)
    # One that is at work begins its day a little later.
    wait_for("every runner's day", lambda: runners_of(w, days_of(w)[-1]) == runners_of(w))
    wait_for("what is under way", lambda: not [p for p, _ in w.b.spooled() if p == "new"])


def main():
    clock = Clock()
    with World(extra="journal { keep = 30d }\n", users=("alice", "bob"), folder=clock.folder, env=clock.env) as w:
        for _ in range(3):
            midnight(w, clock)
        a = w.audit()
        print(f"{len(days_of(w))} days, {a['messages']} messages", flush=True)
        while len(days_of(w)) > 1:
            first = days_of(w)[0]
            for path in w.files():
                if os.path.basename(path).startswith(first):
                    os.unlink(path)
            a = w.audit()
            print(f"without {first}: {a['messages']} messages, {a['older']} older", flush=True)


main()
