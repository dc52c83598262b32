# SPDX-License-Identifier: GPL-3.0-or-later
"""C-12: a disk whose flushes do not come to an end, for as long as the test wants.

Who waits for a flush waits, and is not taken for a client that is silent;
everybody else is served: other sessions, POP3, mail for other hosts, and other
flushes; and an order sees a message that moves for as long as its flush lasts.
In the end each message is there once.
"""
import mmap
import os
import select
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, halt, program, route, Sink, SRC, upstream, wait_for, Wire  # noqa: E402

ASAN = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
RULES = ["RCPT /^dead/=550 5.1.1 nobody", "RCPT /^hold/=450 4.2.1 later"]
EXTRA = "queue { runners = 1 }\n"


class Short(Barid):
    """On the listener "short" nobody may be silent for longer than two seconds."""

    LISTEN = {**Barid.LISTEN, "short": ("smtp", "starttls")}
    own = {"short": "timeout = 2s"}


class Disk:
    """The library, and what it shares with us."""

    def __init__(self, folder):
        self.library, self.path = folder + "/slow_disk.so", folder + "/slow"
        subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-o", self.library,
                        f'-DSLOW_DISK="{self.path}"', SRC + "/tests/fault/slow_disk.c"], check=True)
        with open(self.path, "wb") as f:
            f.write(b"\0\0")
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as f:
            self.shared = mmap.mmap(f.fileno(), 2)
        self.env = {"LD_PRELOAD": self.library, "ASAN_OPTIONS": ASAN}

    def slow(self, on):
        self.shared[0] = 1 if on else 0

    def waiting(self):
        return self.shared[1]

    def libexec(self, folder):
        """Helpers, of which the runner has the same disk."""
        real = os.path.dirname(program("barid-runner"))
        os.makedirs(folder)
        for name in os.listdir(real):
            if name != "barid-runner":
                os.symlink(f"{real}/{name}", f"{folder}/{name}")
        with open(folder + "/barid-runner", "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + "".join(f"{k}='{v}' " for k, v in self.env.items()) + f'exec {real}/barid-runner "$@"\n')
        os.chmod(folder + "/barid-runner", 0o755)
        return folder


def ready(w):
    return bool(select.select([w.sock], [], [], 0)[0])


def say_text(b, disk, name):
    """A client that has said all of a message, which is being flushed, and has no answer yet."""
    before = disk.waiting()
    while True:
        w = Wire(b.port["short"])
        said = w.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<alice@example.test>", "DATA",
                     f"Subject: {name}\r\n\r\nx\r\n."):
            if not said.startswith((b"2", b"3")):
                break
            w.send(line + "\r\n")
            if line.endswith("."):
                wait_for("a flush", lambda: disk.waiting() > before or ready(w))
                if disk.waiting() > before:
                    return w
            said = w.reply()
        # Here we were slow ourselves.
        assert said[:3] in (b"421", b""), said
        w.close()


def sessions(b, disk):
    disk.slow(True)
    first = say_text(b, disk, "first")
    # Others do not wait for it: neither those with a message of their own ...
    second = say_text(b, disk, "second")
    assert disk.waiting() == 2
    # ... nor those who have none, be it SMTP or POP3.
    with Wire(b.port["short"]) as silent:
        assert silent.reply().startswith(b"220")
        with Wire(b.port["smtp"]) as w:
            assert w.reply().startswith(b"220") and w.smtp("EHLO x").startswith(b"250")
        c = b.pop3("bob")
        assert c.stat()[0] == 1 and c.retr(1)[1]
        c.quit()
        # Who is silent is sent away, who waits for us is not.
        assert silent.reply().startswith(b"421 4.4.2")
    assert not ready(first) and not ready(second)
    disk.slow(False)
    for w in (first, second):
        assert w.reply().startswith(b"250 2.0.0")
        assert w.smtp("QUIT").startswith(b"221")
        w.close()
    assert len(b.mail("alice", 2)) == 2
    b.empty()


def runner_of(b):
    return next(p for p in b.processes() if b.read(f"/proc/{p}/comm").strip() == "barid-runner")


def runner(b, disk, sink):
    """Deliveries into a mailbox wait for the disk; mail for another host goes on."""
    pid = runner_of(b)
    os.kill(pid, signal.SIGSTOP)
    for n in range(4):
        b.send("a@b.test", ["alice@example.test"], f"Subject: local {n}\r\n\r\nx\r\n")
    for n in range(4):
        b.send("a@b.test", ["x@far.test"], f"Subject: far {n}\r\n\r\nx\r\n")
    disk.slow(True)
    os.kill(pid, signal.SIGCONT)
    wait_for("a flush of the runner", lambda: disk.waiting() > 0)
    assert len(sink.messages(4)) == 4
    assert "runner-queued" in b.ctl("status").stdout
    disk.slow(False)
    b.mail("alice", 6)
    b.empty()
    assert len(b.mailbox("alice")) == 6 and len(sink.messages()) == 4


def order(b, *words):
    """An order that is given by now, whoever sleeps over it."""
    p = subprocess.Popen([program("baridctl"), "-c", b.conf, "queue", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for("an answer, or nothing to do",
             lambda: p.poll() is not None or b.read(f"/proc/{p.pid}/stat").rpartition(") ")[2][:1] in "SZ")
    for _ in range(3):
        b.ctl("status")
    return p


def moving(b, disk, sink, trays):
    """What is on its way to dead/ or hold/ when an order comes, also out of a tray first: the order sees it there."""
    b.stop()
    b.env["QUEUE_TRAYS"] = str(trays)
    b.start()
    pid = runner_of(b)
    for place, words in (("dead", ["release"]), ("hold", ["release", "--all"]), ("dead", ["move", "--route", "far"]),
                         ("dead", ["bounce"]), ("dead", ["delete"])):
        # Under way it needs no release, and is not moved; orders that stand see it, too.
        if trays and words[0] in ("release", "move"):
            continue
        os.kill(pid, signal.SIGSTOP)
        b.send("" if place == "dead" else "alice@example.test", [place + "@far.test"], "Subject: x\r\n\r\nx\r\n")
        (_, name), = b.spooled()
        # Its way to dead/ takes no time; that to hold/ begins when it is told to, before there is an answer.
        if place == "dead":
            disk.slow(True)
            os.kill(pid, signal.SIGCONT)
        else:
            halt(sink.process.pid)
            os.kill(pid, signal.SIGCONT)
            try:
                wait_for("an attempt", lambda: b.ctl("--json", "queue", "list", "--state", "active").stdout)
                b.ctl("queue", "hold", name)
                disk.slow(True)
            finally:
                os.kill(sink.process.pid, signal.SIGCONT)
        wait_for("its flush", disk.waiting)
        if not trays:
            wait_for(f"it in {place}/", lambda p=place, n=name: b.spooled() == [(p, n)])
        asked = order(b, *words, *([] if "--all" in words else [name]))
        disk.slow(False)
        told, why = asked.communicate(timeout=60)
        assert (told, asked.returncode) == ("1 message\n", 0), (words, told, why)
        b.ctl("queue", "delete", name, check=False)
        b.empty()


def removals():
    """What is delivered leaves the spool, also while the removals before it are being flushed: a kill has few twice."""
    with Sink() as sink, Barid(extra=EXTRA + upstream("far", sink.port) + route("far.test", "far"),
                               relay=("127.0.0.0/8",), start=False) as b:
        disk = Disk(b.dir)
        b.env.update(BARID_LIBEXEC=disk.libexec(b.dir + "/libexec"))
        b.start()
        try:
            disk.slow(True)
            b.send("a@b.test", ["x@far.test"], "Subject: first\r\n\r\nx\r\n")
            wait_for("the flush of its removal", lambda: sink.messages() and disk.waiting() == 1)
            for n in range(200):
                b.send("a@b.test", ["x@far.test"], f"Subject: {n}\r\n\r\nx\r\n")
            sink.messages(201)
            wait_for("few in the spool", lambda: len(b.spooled()) <= 32)
            assert disk.waiting() == 1
        finally:
            disk.slow(False)
        b.empty()


def parked():
    """What was delivered of a message is durable when it goes on waiting for others."""
    rate = 'destination "few" { rate = 1 per = 1h }\n'
    with Sink(rules=RULES) as sink, Barid(extra="queue { runners = 1 retry = {1h} idle-connection = 200ms }\n" + rate +
                                          "".join(upstream(n, sink.port) + route(n + ".test", n) for n in ("far", "few")),
                                          relay=("127.0.0.0/8",), start=False) as b:
        disk = Disk(b.dir)
        b.env.update(BARID_LIBEXEC=disk.libexec(b.dir + "/libexec"), QUEUE_TRAYS="0")
        b.start()
        try:
            disk.slow(True)
            b.send("a@b.test", ["x@few.test", "hold@far.test"], "Subject: first\r\n\r\nx\r\n")
            wait_for("the flush of its deferral", lambda: disk.waiting() == 1)
            # It has but one, and nothing is removed.
            disk.slow(False)
            wait_for("its end", lambda: disk.waiting() == 0)
            disk.slow(True)
            b.send("a@b.test", ["y@few.test", "y@far.test"], "Subject: second\r\n\r\nx\r\n")
            wait_for("the flush of its mark", lambda: disk.waiting() == 1)
            assert len(sink.messages()) == 2
        finally:
            disk.slow(False)


def main():
    removals()
    parked()
    with Sink(rules=RULES) as sink, Short(extra=EXTRA + upstream("far", sink.port) + route("far.test", "far"),
                               relay=("127.0.0.0/8",), start=False) as b:
        disk = Disk(b.dir)
        b.env.update(disk.env, BARID_LIBEXEC=disk.libexec(b.dir + "/libexec"))
        b.start()
        b.put("bob", "1.x.host", b"Subject: x\n\nx\n")
        try:
            sessions(b, disk)
            runner(b, disk, sink)
            moving(b, disk, sink, 0)
            moving(b, disk, sink, 64)
        finally:
            disk.slow(False)


main()
