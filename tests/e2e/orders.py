# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders survive: what `baridctl queue` was told is done, whoever is killed right behind the answer."""
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Hosts, Sink, halt, route, upstream, wait_for  # noqa: E402

SENDER = "alice@origin.example"
TEXT = "From: alice@origin.example\r\nTo: you@far.example\r\nSubject: x\r\n\r\nbody\r\n"


class World(Hosts):
    """The first connection to far.example, which stores its message, never gets an answer to the dot; others do."""

    def __init__(self, rules=("DOT @1=store; stall",), conf="queue { retry = {1h} runners = 1 }\n"):
        self.far, self.origin = Sink(rules=list(rules)), Sink()
        self.around = self.far, self.origin
        self.b = Barid(relay=("127.0.0.0/8",), extra=conf + upstream("far", self.far.port) +
                       route("far.example", "far") + upstream("origin", self.origin.port) +
                       route("origin.example", "origin"))

    def send(self, rcpt="a@far.example", sender=SENDER):
        self.b.send(sender, [rcpt], TEXT)
        return wait_for("the message", lambda: [n for p, n in self.b.spooled() if p in ("new", "cur")])[0]

    def under_way(self):
        """A message whose text is at the peer, which says nothing."""
        name = self.send()
        self.far.messages(1)
        return name

    def order_and_kill(self, *orders, master=False):
        pid = wait_for("the runner", self.b.runner)
        for o in orders:
            self.b.ctl("queue", *o)
        if master:
            self.b.kill()
            self.b.start()
        else:
            os.kill(pid, signal.SIGKILL)
            wait_for("another runner", lambda: self.b.runner() not in (0, pid))

    def active(self):
        return self.b.ctl("--json", "queue", "list", "--state", "active").stdout

    def orders(self):
        return sorted(os.listdir(self.b.dir + "/spool/orders"))

    def at_rest(self, *places):
        wait_for(f"messages in {places}", lambda: sorted(p for p, _ in self.b.spooled()) == sorted(places))
        wait_for("no order to be left", lambda: not self.orders())


def deleted():
    for master in (False, True):
        with World() as w:
            name = w.under_way()
            w.order_and_kill(("delete", name), master=master)
            w.at_rest()
            assert len(w.far.messages()) == 1 and w.origin.messages() == []


def held():
    with World() as w:
        name = w.under_way()
        w.order_and_kill(("hold", name))
        w.at_rest("hold")
        assert len(w.far.messages()) == 1
        w.b.ctl("queue", "release", name)
        w.far.messages(2)
        w.b.empty()


def returned():
    with World() as w:
        name = w.under_way()
        w.order_and_kill(("bounce", name))
        text = w.origin.messages(1)[0]["text"]
        assert b"returned by the administrator" in text, text
        w.at_rest()
        assert len(w.far.messages()) == 1


def changed_mind():
    """The last order counts, and one that was taken back does not."""
    with World() as w:
        name = w.under_way()
        w.order_and_kill(("delete", name), ("bounce", name), ("hold", name))
        w.at_rest("hold")
    with World() as w:
        name = w.under_way()
        w.order_and_kill(("hold", name), ("release", name))
        w.far.messages(2)
        w.at_rest()


def not_under_way():
    """What waits, is held or dead, and is to be returned or released: the same."""
    with World(rules=["RCPT /^wait/=450 4.2.1 not now", "RCPT /^dead/=550 5.1.1 no"]) as w:
        for how in ("waiting", "held"):
            name = w.send("wait@far.example")
            wait_for("it in cur/", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
            wait_for("the end of the attempt", lambda: not w.active())
            if how == "held":
                w.b.ctl("queue", "hold", name)
            w.order_and_kill(("bounce", name))
            w.origin.messages(1 if how == "waiting" else 2)
            w.at_rest()
        assert w.b.log().count("status=deferred") == 2
        w.b.send("", ["dead@far.example"], TEXT)
        wait_for("the alarm", lambda: "kept in dead/" in w.b.log())
        # It is said before it is so, and nothing else than what is there can be released.
        wait_for("it in dead/", lambda: [p for p, _ in w.b.spooled()] == ["dead"])
        w.order_and_kill(("release", w.b.spooled()[0][1]))
        # One more if the runner was killed behind its attempt, and before the message was in dead/ again.
        wait_for("another attempt", lambda: w.b.log().count("to=<dead@") >= 2)
        w.at_rest("dead")


def hurried():
    """What is to be tried now is tried now, by the runner that comes after, too."""
    for order in ("flush", "retry"):
        # The second attempt is answered late: by then its runner is dead.  It may have died before that attempt said
        # anything, and then the late answer is for the attempt of the next runner.
        with World(rules=["RCPT @1=450 4.2.1 later", "MAIL @2=delay 4000"],
                   conf="queue { retry = {1h} runners = 1 idle-connection = 100ms }\n") as w:
            name = w.send()
            wait_for("it in cur/", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
            w.far.connections(1)
            w.order_and_kill((order, *([name] if order == "retry" else [])))
            w.far.messages(1)
            w.at_rest()


def carried_out():
    """An attempt that ends carries its order out and leaves none; one that delivers leaves nothing to be ordered."""
    with World(rules=["RCPT /^wait/=450 4.2.1 later"]) as w:
        for rcpt, order, left in (("wait@far.example", "hold", ["hold"]), ("a@far.example", "delete", [])):
            # The peer stands still until the order is given.
            halt(w.far.process.pid)
            try:
                name = w.send(rcpt)
                wait_for("the attempt", w.active)
                w.b.ctl("queue", order, name)
            finally:
                os.kill(w.far.process.pid, signal.SIGCONT)
            w.at_rest(*left)
            if left:
                w.b.ctl("queue", "delete", name)
        assert len(w.far.messages(1)) == 1


def main():
    for test in (deleted, held, returned, changed_mind, not_under_way, hurried, carried_out):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
