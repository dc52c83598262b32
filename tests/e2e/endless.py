# SPDX-License-Identifier: GPL-3.0-or-later
"""S-22, S-25: a gigabyte without a line end, as a command, as a text, as a server's reply.

Whoever sends it is cut off soon, whatever it would have sent, and costs no
memory; what others do goes on meanwhile.
"""
import contextlib
import os
import select
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Script, route, sanitized, upstream, wait_for, Wire  # noqa: E402

GIB = 1 << 30
MIB = 1 << 20
BLOCK = b"x" * MIB
# What the kernel keeps on the way, and what is read before the end is seen.
BUFFERS = 16 * MIB


def pour(sock, block=BLOCK, most=GIB):
    """Sends BLOCK again and again, until the other side answers or MOST octets are gone; how many went."""
    sent = 0
    try:
        while sent < most and not select.select([sock], [], [], 0)[0]:
            sent += sock.send(block)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def client(b, name, before, most, words):
    """A client that says BEFORE and then a line that does not end: MOST octets at most are taken."""
    with Wire(b.port[name]) as w:
        w.line() if name.startswith("pop3") else w.reply()
        for line in before:
            w.smtp(line)
        sent = pour(w.sock)
        wait_for(f"the end of the session: {words}", lambda: not b.sessions())
        assert most // 16 < sent < most + BUFFERS, f"{sent} octets of a line were taken"
        got = b""
        try:
            while part := w.sock.recv(4096):
                got += part
        except ConnectionResetError:
            pass
        # Lost where the kernel resets a connection on which more came.
        assert not got or words.encode() in got, got


def texts(b):
    start = ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<alice@example.test>"]
    client(b, "smtp", [], MIB, "421 4.7.0")
    client(b, "smtp", start + ["DATA"], 64 * MIB, "421 4.7.0")
    client(b, "pop3", [], MIB, "-ERR")
    assert b.mailbox("alice") == [] and not b.spooled()


def memory(b):
    """What a session has while a text without an end comes."""
    with Wire(b.port["smtp"]) as w:
        w.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<alice@example.test>", "DATA"):
            w.smtp(line)
        pid, = b.sessions()
        was = b.peak(pid)
        assert pour(w.sock, most=48 * MIB) == 48 * MIB
        w.send("\r\nno end of the line before was too long\r\n.\r\n")
        assert w.reply().startswith(b"55")
        now = b.peak(pid)
        assert now < was + 8 * MIB, f"a session took {now - was} octets for a text that it refused"
        # The connection goes on, and so does the next message.
        assert w.smtp("MAIL FROM:<a@b.test>").startswith(b"250")


def recipients(b):
    """S-25: fifty thousand recipients beyond the limit are refused one by one, and cost no memory."""
    with Wire(b.port["smtp"]) as w:
        w.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.test>"):
            w.smtp(line)
        pid, was, codes = wait_for("one session", lambda: len(b.sessions()) == 1 and b.sessions()[0]), 0, []
        for n in range(51):
            w.send("".join(f"RCPT TO:<alice+{n}.{i}@example.test>\r\n" for i in range(1000)))
            codes.append({w.line()[:9] for _ in range(1000)})
            was = was or b.peak(pid)
        assert codes == [{b"250 2.1.5"}] + [{b"452 4.5.3"}] * 50, codes[:3]
        now = b.peak(pid)
        # What was freed stays in the quarantine of a sanitizer.
        assert sanitized() or now < was + MIB, f"a session took {now - was} octets for recipients that it refused"


class Endless(Script):
    """A server that says THINGS in turn, and then BLOCK without an end."""

    serial = True

    def __init__(self, things, block):
        self.things, self.block, self.sent, self.count = things, block, 0, 0
        super().__init__()

    def serve(self, c):
        with contextlib.suppress(ConnectionError):
            self.talk(c)
        self.count += 1

    def talk(self, c):
        f = c.makefile("rb")
        for n, thing in enumerate(self.things):
            if n > 0:
                f.readline()
            c.sendall(thing)
        if self.things:
            f.readline()
        while self.sent < GIB:
            self.sent += c.send(self.block)


HELLO = [b"220 x\r\n", b"250 x\r\n"]
SERVERS = (
    ([], BLOCK),                                          # a greeting
    ([], b"220-x\r\n" * 100000),                          # of lines without an end
    (HELLO[:1], b"250-" + BLOCK),
    (HELLO, BLOCK),
    (HELLO + [b"250 ok\r\n"], b"250-x\r\n" * 100000),
    (HELLO + [b"250 ok\r\n", b"250 ok\r\n"], b"\0" * MIB),
)


def replies(b, servers):
    runner = next(p for p in b.processes() if "barid-runner" in b.read(f"/proc/{p}/cmdline"))
    was = b.peak(runner)
    with b.smtp() as c:
        for n in range(len(servers)):
            c.sendmail("alice@example.test", [f"one@d{n}.test"], "Subject: x\r\n\r\nx\r\n")
        c.sendmail("alice@example.test", ["bob@example.test"], "Subject: x\r\n\r\nx\r\n")
    b.mail("bob", 1)
    for n, s in enumerate(servers):
        b.deferred(f"<one@d{n}.test>")
        wait_for(f"the end of connection {n}", lambda s=s: s.count > 0)
        assert s.sent < BUFFERS, f"{s.sent} octets of reply {n} were read"
    now = b.peak(runner)
    assert now < was + 16 * MIB, f"the runner took {now - was} octets for replies"


def main():
    servers = [Endless(*s) for s in SERVERS]
    extra = "".join(upstream(f"u{n}", s.port) + route(f"d{n}.test", f"u{n}") for n, s in enumerate(servers))
    with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
        texts(b)
        memory(b)
        recipients(b)
        replies(b, servers)


main()
