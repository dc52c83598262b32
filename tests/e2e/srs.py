# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that is forwarded leaves with a sender of ours, and reports find back; the same as postsrsd makes and believes.

FEATURES D8, D9, D10, D11.
"""
import email
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, fetched, free_port, listening, route, upstream, wait_for  # noqa: E402

OUTSIDE = "carol@far.example"
CONF = """
recipient "away@example.test" { forward = {"alice@elsewhere.example"} }
recipient "both@example.test" { forward = {"bob@example.test", "alice@elsewhere.example"} }
recipient "gone@example.test" { forward = {"nobody@elsewhere.example"} }
queue { retry = {1s} }
"""


def message(subject):
    return f"From: {OUTSIDE}\r\nTo: you@example.test\r\nSubject: {subject}\r\n\r\ntext\r\n"


def answer(b, sender, rcpt):
    with b.smtp() as s:
        s.ehlo("far.example")
        s.mail(sender)
        code, text = s.rcpt(rcpt)
        return code, text.decode()


class Postsrsd:
    """The tables of postsrsd, on loopback ports."""

    def __init__(self, secrets):
        self.dir = tempfile.mkdtemp(prefix="barid-srs-")
        fetched("postsrsd", self.dir)
        self.ports = [free_port(["127.0.0.1"]) for _ in range(2)]
        self.process = subprocess.Popen(
            [self.dir + "/usr/sbin/postsrsd", "-s", secrets, "-d", "example.test", "-a", "=", "-l", "127.0.0.1",
             "-f", str(self.ports[0]), "-r", str(self.ports[1])], stderr=subprocess.DEVNULL)
        for p in self.ports:
            wait_for("postsrsd", lambda p=p: listening(p))

    def ask(self, table, address):
        with socket.create_connection(("127.0.0.1", self.ports[table]), 20) as s:
            s.sendall(f"get {address}\n".encode())
            return s.makefile().readline().split()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()


def shared():
    """One secret, two programs: what one makes, the other believes."""
    secrets = tempfile.mkdtemp(prefix="barid-srs-") + "/secrets"
    with open(secrets, "w", encoding="ascii") as f:
        f.write("a secret that two programs have\nan older one\n")
    os.chmod(secrets, 0o600)
    srs = f'srs {{ secret = "file:{secrets}" domain = "example.test" }}\n'
    rules = ["RCPT /^nobody@/=550 5.1.1 no such user"]
    with Postsrsd(secrets) as other, Sink(rules=rules) as sink, \
            Barid(extra=upstream("up", sink.port) + route("*", "up") + CONF + srs) as b:
        # Once more where the day has ended meanwhile, which stands in what is made.
        made, froms = None, []
        while made != other.ask(0, OUTSIDE)[1]:
            made, before = other.ask(0, OUTSIDE)[1], len(froms)
            again = other.ask(0, "SRS0=ABCD=EF=x.example=dave@other.test")[1]
            for sender in (OUTSIDE, "alice@example.test", "", "SRS0=ABCD=EF=x.example=dave@other.test"):
                b.send(sender, ["away@example.test"], message("x"))
            b.send(OUTSIDE, ["both@example.test"], message("both"))
            b.empty()
            froms = [m["mail"]["path"] for m in sink.messages(before + 5)]
        froms = froms[before:]
        assert sorted(froms) == sorted([made, "alice@example.test", "", again, made]), (froms, made, again)
        assert other.ask(1, made) == ["200", OUTSIDE]
        # What is kept here has the sender that sent it.
        assert email.message_from_bytes(b.mail("bob", 1)[0])["Return-Path"] == f"<{OUTSIDE}>"
        reports(b, sink, other, made)
        failure(b, sink)


def reports(b, sink, other, made):
    """A stranger's report to such an address goes on; nothing else does."""
    count = len(sink.messages())
    assert answer(b, OUTSIDE, made)[0] == 550
    assert answer(b, "", made.replace("carol", "erin")) == (550, "5.1.1 Recipient address rejected: User unknown")
    assert answer(b, "", "dave@far.example")[0] == 554
    old = "SRS0=" + made.split("=")[1] + "=AA=far.example=carol@example.test"
    assert answer(b, "", old)[0] == 550 and other.ask(1, old)[0] == "500"
    b.send("", [made], message("report"))
    b.send("", [made.lower()], message("folded"))
    b.empty()
    got = sink.messages(count + 2)[count:]
    assert [(m["mail"]["path"], m["rcpts"][0]["path"]) for m in got] == [("", OUTSIDE)] * 2, got
    shown = b.ctl("--from", "<>", "explain", made).stdout
    assert f"it goes to <{OUTSIDE}>" in shown, shown


def failure(b, sink):
    """Who sent it hears of a failure, under his own address."""
    count = len(sink.messages())
    b.send(OUTSIDE, ["gone@example.test"], message("gone"))
    b.empty()
    report = sink.messages(count + 1)[-1]
    assert (report["mail"]["path"], report["rcpts"][0]["path"]) == ("", OUTSIDE), report
    assert b"5.1.1" in report["text"]


def own():
    """A secret of the spool, which a restart finds again, and nobody else."""
    with Sink() as sink, Barid(extra=upstream("up", sink.port) + route("*", "up") + CONF +
                               'srs { domain = "example.test" }\n') as b:
        b.send(OUTSIDE, ["away@example.test"], message("x"))
        made = sink.messages(1)[0]["mail"]["path"]
        assert made.startswith("SRS0=") and made.endswith("=far.example=carol@example.test"), made
        assert os.stat(b.dir + "/spool/srs.secret").st_mode & 0o777 == 0o600
        secret = b.read(b.dir + "/spool/srs.secret").strip()
        assert len(secret) == 48 and secret not in b.log() and secret not in b.ctl("config").stdout
        b.stop()
        b.start()
        assert answer(b, "", made)[0] == 250


def divided():
    """The same for those whom the host takes in transactions of their own."""
    three = ", ".join(f'"{n}@elsewhere.example"' for n in "abc")
    with Sink("--caps", "PIPELINING,LIMITS RCPTMAX=1") as sink, \
            Barid(extra=upstream("up", sink.port) + route("*", "up") + 'srs { domain = "example.test" }\n' +
                  'recipient "away@example.test" { forward = {' + three + "} }\n") as b:
        b.send(OUTSIDE, ["away@example.test"], message("three"))
        got = sink.messages(3)
        b.empty()
        assert sorted(m["rcpts"][0]["path"][0] for m in got) == ["a", "b", "c"], got
        assert len({m["mail"]["path"] for m in got}) == 1 and got[0]["mail"]["path"].startswith("SRS0="), got
        for m in got:
            assert email.message_from_bytes(m["text"]).get_all("Delivered-To") == ["away@example.test"], m["text"]


def main():
    own()
    divided()
    shared()


main()
