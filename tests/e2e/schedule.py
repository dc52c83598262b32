# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is sent to when: hosts in common, trial, dead hosts, fairness, limits (N-13, N-14, N-15, V6, S-66)."""
import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import OBJ, Barid, Names, route, spool, upstream, wait_for  # noqa: E402

RELAY = ("127.0.0.0/8",)
TEXT = "Subject: x\r\n\r\nhello\r\n"


class Host:
    """An SMTP server that counts, and waits or refuses as it is told.

    mute: greets when it is released; hold: answers a text then.  most: more
    connections than that are told ENOUGH, when they may be.  drip: its replies
    come an octet a second.  sick: it says 421 to everybody.
    """

    lag = 0
    enough = b"421 4.3.2 enough\r\n"

    def __init__(self, mute=False, hold=False, most=None, drip=False, sick=False):
        self.mute, self.hold, self.most, self.drip, self.sick = mute, hold, most, drip, sick
        self.patience = None
        self.seen = self.open = self.peak = self.refused = self.held = 0
        self.taken, self.port = [], None
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        wait_for("the server", lambda: self.port)

    async def serve(self):
        self.free, self.loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(self.session, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    def release(self):
        self.loop.call_soon_threadsafe(self.free.set)

    async def say(self, writer, text):
        for i in range(len(text) if self.drip else 0):
            writer.write(text[i:i + 1])
            await asyncio.sleep(1)
        if not self.drip:
            writer.write(text)

    async def session(self, reader, writer):
        self.seen += 1
        conn, self.open = self.seen, self.open + 1
        with contextlib.suppress(ConnectionError):
            if self.sick or (self.most and self.open > self.most):
                if self.patience:
                    await self.patience.wait()
                self.refused += 1
                writer.write(self.enough)
            else:
                self.peak = max(self.peak, self.open)
                await self.dialogue(conn, reader, writer)
        self.open -= 1
        writer.close()

    async def dialogue(self, conn, reader, writer):
        if self.mute:
            await self.free.wait()
        await self.say(writer, b"220 host.test ESMTP\r\n")
        rcpts = []
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                rcpts.append(re.search(rb"<(.*)>", line).group(1).decode())
            if verb == b"DATA":
                await self.say(writer, b"354 go\r\n")
                while await reader.readline() not in (b".\r\n", b""):
                    pass
                self.held += 1
                await asyncio.sleep(self.lag)
                if self.hold:
                    await self.free.wait()
                self.taken.append((conn, rcpts))
                rcpts = []
            await self.say(writer, {b"EHLO": b"250-host.test\r\n250 PIPELINING\r\n", b"QUIT": b"221 bye\r\n"}
                           .get(verb, b"250 2.0.0 ok\r\n"))


class World:
    """A barid whose mail goes to MX hosts: {domain: host}, each Host in front of upstreams of the same name."""

    def __init__(self, zone, port, extra=""):
        self.names = Names(zone)
        self.b = Barid(extra=self.names.conf + f"smtp-port = {port}\n" + extra, relay=RELAY)

    def __enter__(self):
        self.names.__enter__()
        return self.b

    def __exit__(self, *exc):
        self.b.__exit__(*exc)
        self.names.__exit__(*exc)


def send(b, *rcpts, sender="alice@example.test"):
    """A message to each of RCPTS; one that is a list has all of it."""
    with b.smtp() as c:
        for r in rcpts:
            c.sendmail(sender, r if isinstance(r, list) else [r], TEXT)


def load(b, n, to, sessions=10):
    subprocess.run([OBJ + "/tools/load", "send", "-n", str(n), "-s", str(sessions), "-d", "-l", "300", "-f",
                    "a@elsewhere.test", "-t", to, "127.0.0.1", str(b.port["smtp"])], check=True, capture_output=True)


# ---- hosts in common ---------------------------------------------------------------

def common():
    """V6, V8: domains with the same hosts share connections and their number; a transaction has one domain."""
    host = Host()
    zone = "*.mx.test A 127.0.0.1\n" + "".join(
        f"d{i}.test MX {10 + i} one.mx.test\nd{i}.test MX {20 + i} two.mx.test\n" for i in range(8))
    with World(zone + "other.test MX 10 two.mx.test\nother.test MX 20 one.mx.test\n", host.port,
               "queue { runners = 1 per-destination = 2 idle-connection = 1h }\n") as b:
        everybody = [f"x@d{i}.test" for i in range(8)]
        send(b, *everybody * 3)
        send(b, everybody)
        wait_for("all", lambda: len(host.taken) == 32)
        # In another order of preference they are other hosts.
        assert host.peak <= 2 and host.seen <= 2, (host.peak, host.seen)
        assert all(len(rcpts) == 1 for _, rcpts in host.taken)
        assert len({rcpts[0] for conn, rcpts in host.taken if conn == 1}) > 4, host.taken
        send(b, "x@other.test")
        wait_for("the other", lambda: len(host.taken) == 33)
        assert host.seen == 3


def moves():
    """A domain whose hosts change goes with them, while the others stay."""
    one, two = Host(), Host()
    zone = "*.mx.test A 127.0.0.1\nstays.test 1 MX 10 one.mx.test\nmoves.test 1 MX 10 {}.mx.test\n"
    extra = upstream("one", one.port) + upstream("two", two.port)
    with Names(zone.format("one")) as names, \
            Barid(extra=names.conf + f"smtp-port = {one.port}\nqueue {{ idle-connection = 1h }}\n" + extra +
                  route("up.test", "two") + route("*", "mx"), relay=RELAY) as b:
        send(b, "x@stays.test", "x@moves.test")
        wait_for("both", lambda: len(one.taken) == 2)
        names.change(zone.format("none").replace("*.mx.test A", "one.mx.test A"))

        def moved():
            send(b, "x@moves.test")
            return re.search(r"to=<x@moves\.test>.*status=(deferred|bounced)", b.log())
        wait_for("the other host", moved)
        before = one.seen
        send(b, "x@stays.test", "x@up.test")
        wait_for("those that stay", lambda: sum("stays" in r[0] for _, r in one.taken) == 2 and len(two.taken) == 1)
        assert one.seen <= before + 1


# ---- trial --------------------------------------------------------------------------

def trial():
    """The number of connections is found by trial, and a host that has enough is asked again now and then."""
    host = Host(most=3)
    with World("t.test MX 10 mx.test\nmx.test A 127.0.0.1\n", host.port, "queue { runners = 1 per-destination = 20 }\n") as b:
        # All at once: it is tried how many connections there may be.
        b.stop()
        spool(b, "a@elsewhere.test", "x@t.test", 400)
        b.start()
        b.empty(60)
        assert len(host.taken) == 400
        assert host.peak == 3, host.peak
        assert 1 <= host.refused <= 80, host.refused
        assert "status=deferred" not in b.log()


def crowded():
    """Who greets some with 220 and others with 554 has enough for now: nothing is returned for it."""
    host = Host()
    host.enough = b"554 5.7.0 too many connections\r\n"
    # A host of several messages at once, each of which takes it a moment.
    host.lag = 0.03
    with World("t.test MX 10 mx.test\nmx.test A 127.0.0.1\n", host.port,
               "queue { runners = 1 per-destination = 20 idle-connection = 1s retry = {1h} }\n") as b:
        load(b, 60, "x@t.test")
        b.empty(60)
        assert host.peak >= 10, host.peak
        wait_for("the end of what is idle", lambda: host.open == 0)
        host.most, host.hold, host.patience = 3, True, asyncio.Event()
        load(b, 25, "x@t.test")
        wait_for("those that it takes", lambda: host.held == 63 and host.open >= 9)
        host.loop.call_soon_threadsafe(host.patience.set)
        wait_for("the others", lambda: host.refused >= 6 and host.open == 3)
        host.release()
        wait_for("the rest at rest", lambda: {p for p, _ in b.spooled()} == {"cur"} and host.open == 0)
        # One alone, right behind mail that it took.
        host.most, seen = 0, host.seen
        b.ctl("queue", "flush")
        wait_for("another", lambda: host.seen > seen)
        send(b, "y@t.test")
        wait_for("that it was put off", lambda: re.search(r"to=<y@t\.test>.*status=", b.log()))
        host.most = None
        b.ctl("queue", "flush")
        b.empty(60)
        assert len(host.taken) == 86, len(host.taken)
        assert "status=bounced" not in b.log()


# ---- dead hosts -----------------------------------------------------------------------

def dead(n=10000):
    """N-14: ten thousand messages for a dead host cost one connection, and others go on."""
    host = Host(sick=True)
    good = Host()
    zone = "dead.test MX 10 mx.test\nalso.test MX 10 mx.test\nmx.test A 127.0.0.1\n"
    with World(zone, host.port, "queue { runners = 1 retry = {1h} }\n" + upstream("good", good.port) +
               route("good.test", "good") + route("*", "mx")) as b:
        load(b, n, "x@dead.test")
        send(b, "x@good.test", "x@also.test")
        wait_for("the good one", lambda: len(good.taken) == 1)
        wait_for("deferrals", lambda: b.log().count("status=deferred") == n + 1, 120)
        # A domain of the same hosts costs nothing more.
        assert host.seen == 1, host.seen
        assert b.log().count("temporarily suspended") > 0
        # It is tried again: one finds out.
        b.ctl("queue", "flush")
        wait_for("the second", lambda: b.log().count("status=deferred") == 2 * (n + 1), 120)
        assert host.seen == 2, host.seen
        host.sick = False
        b.ctl("queue", "flush")
        b.empty(120)
        assert len(host.taken) == n + 1


# ---- fairness ---------------------------------------------------------------------------

def burst():
    """What is held up by one destination holds up nobody else: messages of one, of several, and local ones."""
    slow, good = Host(hold=True), Host()
    zone = "*.slow.test A 127.0.0.1\ns.test MX 10 a.slow.test\n"
    with World(zone, slow.port, "queue { runners = 1 }\nlimits { connections-out = 20 }\n" +
               upstream("good", good.port) + route("good.test", "good") + route("*", "mx")) as b:
        send(b, *[["x@s.test", f"y{i}@good.test"] for i in range(1500)])
        wait_for("the good half", lambda: len(good.taken) == 1500, 120)
        assert slow.taken == [] and 0 < slow.held <= 20
        load(b, 3000, "x@s.test")
        send(b, "last@good.test", "bob@example.test", ["x@s.test", "bob@example.test"])
        wait_for("the last", lambda: good.taken[-1][1] == ["last@good.test"])
        b.mail("bob", 2)
        assert slow.taken == []
        slow.release()
        b.empty(120)
        assert len(slow.taken) == 4501 and len(good.taken) == 1501
        b.mail("bob", 2)


def fill(b, slow):
    """All lines are full, with mail for SLOW, which u0.test to u15.test lead to."""
    # A runner that has few descriptors has short lines: 13 deliveries fill them, and 19 are all that there are.
    resource.prlimit(b.process.pid, resource.RLIMIT_NOFILE, (300, 300))
    before = wait_for("a runner", b.runner)
    os.kill(before, signal.SIGKILL)
    wait_for("another runner", lambda: any(f"runner[{p}]: runner 0 of 1 is ready" in b.log() for p in b.runners() if p != before))
    send(b, *[f"x@u{i}.test" for i in range(16)])
    wait_for("the lines", lambda: slow.seen == 16)


def full():
    """
    While all lines are full: what is parked for a program is taken up when the one before has ended, and a host that
    takes mail has as many connections as it may.
    """
    slow, good, folder = Host(mute=True), Host(hold=True), tempfile.mkdtemp()
    with open(folder + "/take", "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\ncat >/dev/null\necho >>{folder}/begun\nwhile [ ! -e {folder}/go ]; do sleep 0.05; done\n")
    os.chmod(folder + "/take", 0o755)
    os.chmod(folder, 0o777)

    def begun():
        return os.path.exists(folder + "/begun") and os.path.getsize(folder + "/begun")

    with World("", slow.port, "queue { runners = 1 }\nlimits { programs = 1 connections-out = 25 }\n" +
               f'route "pipe.test" {{ via = "pipe:{folder}/take" }}\n' +
               upstream("good", good.port) + route("good.test", "good") +
               "".join(upstream(f"u{i}", slow.port) + route(f"u{i}.test", f"u{i}") for i in range(16))) as b:
        fill(b, slow)
        send(b, "one@pipe.test")
        wait_for("the program", begun)
        send(b, "two@pipe.test")
        wait_for("it to be parked", lambda: sum(d["parked"] for d in json.loads(
            b.ctl("--json", "top", "--once").stdout)["destinations"] if d["kind"] == "pipe") == 1)
        with open(folder + "/go", "w", encoding="utf-8"):
            pass
        wait_for("the second", lambda: begun() == 2)
        send(b, *["y@good.test"] * 3)
        wait_for("three connections", lambda: good.held == 3)
        good.release()
        slow.release()
        b.empty()
    shutil.rmtree(folder)


def mates():
    """While all lines are full: domains of the same hosts have their turns, however much is parked for one."""
    slow, good = Host(mute=True), Host(hold=True)
    with World("mx.test A 127.0.0.1\nd1.test MX 10 mx.test\nd2.test MX 10 mx.test\n", good.port,
               "queue { runners = 1 per-destination = 1 }\nlimits { connections-out = 25 }\n" +
               "".join(upstream(f"u{i}", slow.port) + route(f"u{i}.test", f"u{i}") for i in range(16)) + route("*", "mx")) as b:
        fill(b, slow)
        send(b, "x@d1.test")
        wait_for("a connection", lambda: good.held == 1)
        for d in ("d2.test", "d1.test"):
            for _ in range(12):
                send(b, "x@" + d)
        wait_for("them to be parked", lambda: sum(d["parked"] for d in json.loads(
            b.ctl("--json", "top", "--once").stdout)["destinations"]) >= 22)
        good.release()
        wait_for("them", lambda: len(good.taken) == 25)
        assert {r for _, (r,) in good.taken[3:9]} == {"x@d1.test", "x@d2.test"}, good.taken
        slow.release()
        b.empty()


def partly():
    """A recipient that was put off is not tried again because another one was left out (greylisting)."""
    slow, late, grey = Host(hold=True), Host(hold=True), Host()
    tries = []

    async def dialogue(conn, reader, writer):
        writer.write(b"220 grey.test ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                tries.append(time.time())
            writer.write({b"RCPT": b"450 4.7.1 later\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 2.0.0 ok\r\n"))
    grey.dialogue = dialogue
    zone = "*.slow.test A 127.0.0.1\ns.test MX 10 a.slow.test\n"
    with World(zone, slow.port, "queue { runners = 1 retry = {1h} max-attempts = 2 }\n" +
               upstream("grey", grey.port) + upstream("late", late.port) +
               route("grey.test", "grey") + route("late.test", "late") + route("*", "mx")) as b:
        load(b, 200, "x@s.test")
        wait_for("a line", lambda: slow.held > 0)
        last = max(name for _, name in b.spooled())
        send(b, *[["x@s.test", f"y{i}@grey.test", f"z{i}@late.test"] for i in range(30)])
        wait_for("the tries", lambda: len(tries) == 30)
        # What is noted of them is written when all is over, and that is later.
        wait_for("another second", lambda: int(time.time()) > int(tries[-1]) + 1)
        late.release()
        wait_for("the late ones", lambda: len(late.taken) == 30)
        # An order for one that is parked leaves the others where they are.
        b.ctl("queue", "hold", last)
        slow.release()
        wait_for("the slow ones", lambda: len(slow.taken) == 229, 60)
        wait_for("a queue at rest", lambda: sorted(p for p, _ in b.spooled()) == ["cur"] * 30 + ["hold"])
        assert len(tries) == 30, len(tries)
        assert "status=expired" not in b.log() and "status=bounced" not in b.log()


def tarpits():
    """N-15: fifty hosts that answer an octet a second, and a healthy one."""
    tar, good = Host(drip=True), Host()
    zone = "*.tar.test A 127.0.0.1\n" + "".join(f"t{i}.test MX 10 h{i}.tar.test\n" for i in range(1, 51))
    with World(zone, tar.port, "queue { runners = 1 }\nlimits { connections-out = 40 }\n" +
               upstream("good", good.port) + route("good.test", "good") + route("*", "mx")) as b:
        # All at once: after two minutes the first of their dialogues are over.
        b.stop()
        for k in range(20):
            spool(b, "a@elsewhere.test", f"x{k}@t%.test", 50)
        b.start()
        # Strangers do not get all connections, nor more than one each before they have greeted.
        wait_for("the tarpits", lambda: tar.open == 35)
        load(b, 500, "x@good.test")
        send(b, "bob@example.test")
        wait_for("the healthy", lambda: len(good.taken) == 500)
        b.mail("bob", 1)
        assert tar.taken == []


# ---- limits -----------------------------------------------------------------------------

def rates():
    """H17: a rate is one for all runners and all domains of the hosts; who waits holds up nobody."""
    host, good = Host(), Host()
    zone = "a.test MX 10 mx.test\nb.test MX 10 mx.test\nmx.test A 127.0.0.1\n"
    for pattern in ("mx.test", "a.test", "/[a-z]\\\\.test/"):
        seen = len(host.taken)
        with World(zone, host.port, "queue { runners = 2 }\n" + f'destination "{pattern}" {{ rate = 20 per = 1h }}\n' +
                   upstream("good", good.port) + route("good.test", "good") + route("*", "mx")) as b:
            # What is said of a domain is known as soon as a runner has mail for it.
            load(b, 100, "x@a.test")
            wait_for("two", lambda: len(host.taken) == seen + 2)
            load(b, 100, "x@b.test")
            good.taken.clear()
            load(b, 50, "x@good.test")
            wait_for("the others", lambda: len(good.taken) == 50)
            # A tenth may go at once: two of twenty.
            wait_for("two", lambda: len(host.taken) == seen + 2)
            wait_for("the rest at rest", lambda: len(b.spooled()) == 198)
            assert len(host.taken) == seen + 2, len(host.taken) - seen


def all_rates():
    """queue.rate is for everything that leaves, and for nothing else."""
    host = Host()
    zone = "".join(f"{c}.test MX 10 {c}.mx.test\n{c}.mx.test A 127.0.0.1\n" for c in "abcdef")
    with World(zone, host.port, "queue { runners = 2 rate = 30 per = 1h }\n") as b:
        send(b, *[f"x@{c}.test" for c in "abcdef"] * 5)
        send(b, "bob@example.test")
        b.mail("bob", 1)
        wait_for("three of thirty", lambda: len(host.taken) == 3)
        wait_for("the rest at rest", lambda: len(b.spooled()) == 27)
        assert len(host.taken) == 3


def shared():
    """Connections are counted over all runners; what a killed one had is given back."""
    host = Host(hold=True)
    with World("t.test MX 10 mx.test\nmx.test A 127.0.0.1\n", host.port, "queue { runners = 3 }\n"
               'destination "t.test" { per-destination = 2 per-connection = 7 }\n') as b:
        load(b, 100, "x@t.test")
        wait_for("two", lambda: host.held == 2)
        runners = [p for p in b.processes() if b.read(f"/proc/{p}/comm").strip() == "barid-runner"]
        assert len(runners) == 3
        for pid in runners:
            os.kill(int(pid), signal.SIGKILL)
        # A server that waits does not see that its client has gone: these are counted still.
        wait_for("two others", lambda: host.held == 4, 60)
        send(b, "bob@example.test")
        b.mail("bob", 1)
        assert host.held == 4 and host.peak == 4, (host.held, host.peak)
        host.hold = False
        host.release()
        b.empty(60)
        assert len(host.taken) >= 100 and host.seen >= 100 // 7
        counts = {}
        for conn, _ in host.taken:
            counts[conn] = counts.get(conn, 0) + 1
        assert max(counts.values()) == 7, counts


def postponed(n=60):
    """K9: who finds all connections taken waits for one to be free and for no time, and that is no attempt."""
    host = Host(hold=True)
    with World("t.test MX 10 mx.test\nmx.test A 127.0.0.1\n", host.port,
               "queue { runners = 1 retry = {1h} max-attempts = 1 }\n"
               'destination "t.test" { per-destination = 1 }\n') as b:
        load(b, n, "x@t.test")
        wait_for("the first", lambda: host.held == 1)
        send(b, "bob@example.test")
        b.mail("bob", 1)
        wait_for("the others alone", lambda: [p for p, _ in b.spooled()] == ["new"] * n)
        assert host.seen == 1
        # The order to try at once finds no room either: that is no attempt, too.
        b.ctl("queue", "flush")
        host.hold = False
        host.release()
        b.empty(60)
        assert len(host.taken) == n and host.peak == 1, (len(host.taken), host.peak)
        log = b.log()
        assert "status=deferred" not in log and "status=bounced" not in log and "status=expired" not in log


def main():
    for test in (common, moves, trial, crowded, dead, burst, full, mates, partly, postponed, tarpits, rates,
                 all_rates, shared):
        test()
        print(test.__name__, flush=True)


main()
