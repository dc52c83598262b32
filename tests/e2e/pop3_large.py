# SPDX-License-Identifier: GPL-3.0-or-later
"""S-51: a mailbox with a message of two gigabytes and a hundred thousand others, and ten clients at once for it.

STAT takes no longer than reading a directory does, the message comes whole
and costs no memory, one client gets the mailbox and the others are told that
it is in use.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, ROOT, Wire, wait_for  # noqa: E402

LISTEN = {"pop3": ("pop3", "off")}
CLEAR = 'auth { without-tls = {"PLAIN"} }\n'
COUNT = 100_000
MIB = 1 << 20
BIG = 2 << 30
SECONDS = 30                                              # a bound, no measure: the machine may be busy


def login(b, user):
    w = Wire(b.port["pop3"])
    assert w.line().startswith(b"+OK")
    assert w.cmd("USER " + user).startswith(b"+OK")
    w.send(f"PASS {PASSWORD}\r\n")
    return w


def fill(b):
    """Alice has many; bob has one of two gigabytes, of which the disk has but the ends."""
    text = b"Subject: x\n\nx\n"
    folder = os.path.dirname(b.put("alice", f"100.0.host,S={len(text)}", text))
    for n in range(1, COUNT):
        fd = os.open(f"{folder}/100.{n}.host,S={len(text)}", os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(fd, text)
        if ROOT:
            os.fchown(fd, b.uid, -1)
        os.close(fd)
    path = b.put("bob", "200.1.host", b"Subject: big\n\n")
    with open(path, "r+b") as f:
        f.seek(BIG)
        f.write(b"\n.the end")
    return path


def crowd(b):
    """Ten clients at once: one gets the mailbox of a hundred thousand."""
    clients = [login(b, "alice") for _ in range(10)]
    answers = [w.line() for w in clients]
    got = [w for w, a in zip(clients, answers) if a.startswith(b"+OK")]
    assert len(got) == 1, answers
    assert all(a.startswith(b"-ERR [IN-USE] ") for a in answers if a[:1] == b"-"), answers
    start = time.monotonic()
    stat = got[0].cmd("STAT")
    assert stat == b"+OK %d %d" % (COUNT, COUNT * 17), stat
    assert time.monotonic() - start < SECONDS
    for w in clients:
        w.close()
    # None was bitten for the others: the next one gets it.
    wait_for("the end of the sessions", lambda: not b.sessions())
    with login(b, "alice") as w:
        assert w.line().startswith(b"+OK")
        # Another program moves them all while the session is open.
        box = b.dir + "/mail/alice/"
        for name in os.listdir(box + "new"):
            os.rename(f"{box}new/{name}", f"{box}cur/{name}:2,")
        start = time.monotonic()
        assert w.cmd("STAT") == b"+OK %d %d" % (COUNT, COUNT * 17)
        assert time.monotonic() - start < SECONDS


def big(b, path):
    """All of its octets, the dot doubled, in a session that stays small."""
    end = b"\r\n..the end\r\n.\r\n"
    wait_for("the end of the sessions", lambda: not b.sessions())
    with login(b, "bob") as w:
        assert w.line().startswith(b"+OK")
        size = os.path.getsize(path) + 5                  # the CRs, and a last line end
        assert w.cmd("RETR 1") == b"+OK %d octets" % size
        pid, = b.sessions()
        got, last, buf = len(w.data), w.data, bytearray(MIB)
        while not last.endswith(end):
            n = w.sock.recv_into(buf)
            assert n > 0, got
            got += n
            last = (last + buf[max(0, n - 64):n])[-64:]
        assert got == size + 1 + 3, got
        peak = int(re.search(r"VmHWM:\s+(\d+)", b.read(f"/proc/{pid}/status")).group(1)) << 10
        assert peak < 32 * MIB, peak
        w.data = b""
        assert w.cmd("DELE 1").startswith(b"+OK") and w.cmd("QUIT").startswith(b"+OK")
    wait_for("the message to go", lambda: not b.mailbox("bob"))


def main():
    with Barid(listen=LISTEN, extra=CLEAR) as b:
        path = fill(b)
        crowd(b)
        big(b, path)


main()
