# SPDX-License-Identifier: GPL-3.0-or-later
"""C-14: the wall clock is set while mail waits; N-16: five days for which the peer is down."""
import contextlib
import email
import email.utils
import os
import re
import socketserver
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Clock, Hosts, Sink, route, upstream, wait_for  # noqa: E402

HOUR, DAY, YEAR = 3600, 86400, 365.25 * 86400
MESSAGE = "From: alice@origin.example\r\nTo: you@far.example\r\nSubject: {}\r\n\r\nbody\r\n"
SENDER = "alice@origin.example"


class World(Hosts):
    """A barid with a clock of its own, a peer for mail and one for reports."""

    def __init__(self, extra="", rules=()):
        self.clock = Clock()
        self.far, self.origin = Sink(rules=rules), Sink()
        self.around = self.far, self.origin
        self.b = Barid(relay=("127.0.0.0/8",), folder=self.clock.folder, env=self.clock.env,
                       extra="queue { runners = 1 idle-connection = 0 }\n" + extra +
                       upstream("far", self.far.port) + route("far.example", "far") +
                       upstream("origin", self.origin.port) + route("origin.example", "origin"))

    def send(self, *rcpts, subject="x"):
        self.b.send(SENDER, list(rcpts), MESSAGE.format(subject))

    def attempts(self):
        return self.b.log().count("status=deferred")


def times(w):
    """When the messages in cur/ are due, by the file system."""
    found = []
    for d, _, names in os.walk(w.b.dir + "/spool/cur"):
        for n in names:
            with contextlib.suppress(FileNotFoundError):
                found.append(os.stat(f"{d}/{n}").st_mtime)
    return found


def jumps():
    """Nothing that waits is tried or given up because the clock was set, by however much."""
    extra = "queue { retry = {1h} delay-notice = {4h} lifetime = 5d }\n"
    with World(extra, rules=["RCPT /^wait/=450 4.2.1 not now"]) as w:
        for n in range(20):
            w.send(f"wait{n}@far.example")
        wait_for("20 deferrals", lambda: w.attempts() == 20)
        ids, arrived = set(), 0
        steps = [-HOUR, DAY, 10 * YEAR, 2147483640 - time.time(), 0]
        for step in steps:
            said = w.b.log().count("what waits goes along")
            w.clock.set(step)
            wait_for("the jump", lambda: w.b.log().count("what waits goes along") > said)
            # A message that comes now is delivered now: the runner has been round since.
            for _ in range(3):
                w.send("now@far.example", subject=f"step {step}")
                arrived += 1
                m = w.far.messages(arrived)[-1]
                text = email.message_from_bytes(m["text"])
                stamp = email.utils.parsedate_to_datetime(text["Received"].rsplit(";", 1)[1].strip()).timestamp()
                assert abs(stamp - w.clock.now()) < 60, (step, text["Received"])
                ids.add(re.search(r"\sid\s+([0-9A-F]{19})", text["Received"]).group(1))
            assert len(ids) == arrived, "an id came twice"
            assert w.attempts() == 20, (step, w.b.log()[-3000:])
            wait_for("20 that wait", lambda: len(w.b.spooled()) == 20)
        assert w.origin.messages() == [] and "expired" not in w.b.log()
        # The peer is well again: all go, once.
        w.far.stop()
        w.far.__init__()
        w.b.write_conf("queue { runners = 1 idle-connection = 0 }\n" + extra + upstream("far", w.far.port) +
                       route("far.example", "far"))
        w.b.reload()
        w.b.ctl("queue", "flush")
        w.b.empty()
        assert len(w.far.messages(20)) == 20


class Jumper(socketserver.StreamRequestHandler):
    """A peer that sets its client's clock in the moment before it answers to RCPT."""

    def handle(self):
        self.wfile.write(b"220 far.example\r\n")
        for line in self.rfile:
            if line.startswith(b"RCPT"):
                self.server.clock.set(10 * YEAR)
            self.wfile.write({b"RCPT": b"450 4.2.1 not now\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}
                             .get(line[:4], b"250 2.0.0 well\r\n"))
            if line.startswith(b"QUIT"):
                break


def in_an_attempt():
    """An answer that comes before the runner has seen the jump ends no life either."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Jumper) as far:
        far.daemon_threads = True
        threading.Thread(target=far.serve_forever, daemon=True).start()
        with World("queue { retry = {1h} delay-notice = {4h} lifetime = 5d }\n" +
                   upstream("jumper", far.server_address[1]) + route("jumper.example", "jumper")) as w:
            far.clock = w.clock
            w.send("wait@jumper.example")
            wait_for("the jump", lambda: "what waits goes along" in w.b.log())
            wait_for("it to be put off", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
            assert w.attempts() == 1 and "expired" not in w.b.log(), w.b.log()[-3000:]
            assert w.origin.messages() == []
        far.shutdown()


def new_mail():
    """Mail that comes in after a jump has the life of any other, and an old one does not live for ever."""
    with World("queue { retry = {1s} lifetime = 3s delay-notice = {} }\n",
               rules=["RCPT /^wait/=450 4.2.1 not now"]) as w:
        # The runner has seen the clock before it is set.
        w.send("now@far.example")
        w.far.messages(1)
        w.clock.set(10 * YEAR)
        wait_for("the jump", lambda: "what waits goes along" in w.b.log())
        w.send("wait@far.example", subject="ahead")
        w.origin.messages(1)
        w.clock.set(0)
        w.send("wait@far.example", subject="back")
        reports = [email.message_from_bytes(m["text"]) for m in w.origin.messages(2)]
        for r in reports:
            status = r.get_payload()[1].get_payload()[1]
            assert (status["Action"], status["Status"]) == ("failed", "4.4.7"), status.items()
        w.b.empty()


def five_days():
    """N-16, a restart before each attempt: what is known of a message is in the spool."""
    with World("queue { lifetime = 5d }\n") as w:
        port = w.far.port
        w.far.stop()
        begun = w.clock.now()
        w.send("a@far.example")
        wait_for("the first attempt", lambda: w.attempts() == 1)
        while w.b.spooled():
            wait_for("it to be put off", lambda: all(p == "cur" for p, _ in w.b.spooled()))
            w.b.stop()
            due = times(w)
            assert len(due) <= 1, due
            if not due:
                break
            tries = w.attempts()
            assert due[0] > w.clock.now(), (due, w.clock.now())
            w.clock.set(w.clock.ahead + due[0] - w.clock.now() + 0.5)
            w.b.start()
            wait_for("an attempt", lambda: w.attempts() > tries)
            wait_for("its end", lambda: len(w.b.spooled()) == len(times(w)) and all(t > w.clock.now() for t in times(w)))
        tried = [int(float(t)) for t in re.findall(r"delay=([\d.]+), .*status=deferred", w.b.log())]
        gaps = [b - a for a, b in zip(tried, tried[1:])]
        assert gaps[0] <= 15 * 60, gaps
        assert max(gaps) <= 2.25 * HOUR and sum(g > 1.9 * HOUR for g in gaps) > 40, gaps
        reports = [email.message_from_bytes(m["text"]) for m in w.origin.messages(2)]
        actions = [r.get_payload()[1].get_payload()[1]["Action"] for r in reports]
        assert actions == ["delayed", "failed"], actions
        told = email.utils.parsedate_to_datetime(reports[0]["Date"]).timestamp() - begun
        assert 4 * HOUR <= told <= 4 * HOUR + 120, told
        assert 5 * DAY <= tried[-1] <= 5 * DAY + 60, tried[-1]
        words, status = (p.get_payload() for p in reports[1].get_payload()[:2])
        assert status[1]["Status"] == "4.4.7" and "refused" in status[1]["Diagnostic-Code"], status[1].items()
        assert re.search(rf"tried\s+{len(tried)}\s+times", words), (len(tried), words)
        assert f"127.0.0.1[127.0.0.1]:{port}" in words and "Connection" in words, words
        assert w.attempts() == len(tried)


def main():
    for test in (jumps, in_an_attempt, new_mail, five_days):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
