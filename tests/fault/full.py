# SPDX-License-Identifier: GPL-3.0-or-later
"""C-05, S-50: the spool's file system is full; mail is put off, POP3 works, and nobody has to help."""
import os
import poplib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import PASSWORD, ROOT, Barid, NO_VERIFY, Sink, alone_with_mounts, route, skip, upstream, wait_for  # noqa: E402

MB = 1 << 20
SENDER = "carol@example.test"


def message(name, size=0):
    return f"From: {SENDER}\r\nTo: alice@example.test\r\nSubject: {name}\r\n\r\n" + ("x" * 70 + "\r\n") * (size // 72) + \
        f"end of {name}\r\n"


class Small:
    """A barid whose spool, or whatever PLACE is, stands on a file system of its own."""

    def __init__(self, options, place="spool", **kw):
        folder = tempfile.mkdtemp(prefix="barid-test-")
        self.place = f"{folder}/{place}"
        os.mkdir(self.place, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=755,{options}", "tmpfs", self.place], check=True)
        self.b = Barid(users=("alice", "carol"), folder=folder, start=False, **kw)
        if place == "mail":
            self.b.give(self.place)
        self.b.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.b.stop()
        if exc[0]:
            print(self.b.log()[-6000:])
        subprocess.run(["umount", "-l", self.place], check=True)
        self.b.__exit__(None, None, None)

    def free(self):
        v = os.statvfs(self.place)
        return v.f_bavail * v.f_frsize

    def fill(self, left):
        """Leaves so many octets."""
        with open(self.place + "/filler", "wb") as f:
            while self.free() > left:
                n = min(self.free() - left, MB)
                try:
                    f.write(b"x" * n)
                    f.flush()
                except OSError:
                    return

    def empty(self):
        os.unlink(self.place + "/filler")


def code(b, name, size=0, declare=True, rcpts=("alice@example.test",)):
    """The reply that decides: (at which command, code, words)."""
    with b.smtp() as c:
        c.ehlo()
        text = message(name, size)
        for what, (got, words) in (
                ("MAIL", c.mail(SENDER, [f"SIZE={len(text)}"] if declare else [])),
                *((("RCPT", c.rcpt(r)) for r in rcpts))):
            if got != 250:
                return what, got, words
        try:
            return ("DATA", *c.data(text))
        except smtplib.SMTPDataError as e:
            return "DATA", e.smtp_code, e.smtp_error


def fetch(b):
    """All of alice's mail by POP3, deleted there: its subjects."""
    c = poplib.POP3_SSL(b.host, b.port["pop3s"], context=NO_VERIFY, timeout=30)
    c.user("alice")
    c.pass_(PASSWORD)
    found = []
    for i in range(1, c.stat()[0] + 1):
        text = b"\r\n".join(c.retr(i)[1])
        name = re.search(rb"Subject: (\S+)", text).group(1)
        assert text.endswith(b"end of " + name), text[-200:]
        found.append(name.decode())
        c.dele(i)
    c.quit()
    return sorted(found)


def nothing_left(s):
    """No part of anything stands in the spool."""
    s.b.empty()
    assert os.listdir(s.b.dir + "/spool/tmp") == []
    assert not [n for n in os.listdir(s.b.dir + "/spool/drop") if n.startswith("tmp.")]


def reserve():
    """Some room is kept: new mail is refused while what is there is dealt with."""
    with Sink(rules=["RCPT=550 5.1.1 no"]) as sink, \
            Small("size=40m", relay=("127.0.0.0/8",), extra=upstream("far", sink.port) + route("far.example", "far")) as s:
        b = s.b
        assert code(b, "before", 100)[1] == 250
        b.mail("alice", 1)
        # By what was said at MAIL, before anything is read.
        what, got, words = code(b, "large", 30 * MB)
        assert (what, got) == ("MAIL", 452) and words.startswith(b"4.3.1"), (what, got, words)
        assert code(b, "fits", 5 * MB)[1] == 250
        b.mail("alice", 2)
        b.empty()
        s.fill(10 * MB)
        for declare in (True, False):
            what, got, words = code(b, "full", 100, declare)
            assert got == 452 and words.startswith(b"4.3.1"), (what, got, words)
        # sendmail says "later" too, or keeps it where it will be found: never a lie.
        late = b.sendmail("-i", "-f", SENDER, "alice@example.test", text=message("sendmail"), check=False)
        assert late.returncode in (0, 75), late
        got = fetch(b)
        assert {"before", "fits"} <= set(got) <= {"before", "fits", "sendmail"}, got
        s.empty()
        assert code(b, "after", 100)[1] == 250
        wait_for("it", lambda: any("after" in open(p).read() for p in b.mailbox("alice")))
        b.empty(30)
        got += fetch(b)
        assert sorted(got) == ["after", "before", "fits"] + ["sendmail"] * (late.returncode == 0), (got, late)
        # There is room for a report even while new mail is refused.
        b.write_conf(b.extra + "queue { deliver = false }\n")
        b.stop()
        b.start()
        assert code(b, "lost", 100, rcpts=["x@far.example"])[1] == 250
        s.fill(10 * MB)
        b.write_conf(b.extra.replace("deliver = false", "deliver = true"))
        b.stop()
        b.start()
        assert b"550 5.1.1 no" in b.mail("carol", 1)[0]
        b.empty()
        s.empty()
        nothing_left(s)


def no_room():
    """Not one octet: in the middle of messages, of several at once."""
    acked, refused = set(), set()
    with Small("size=24m", env={"QUEUE_RESERVE": "1"}, extra="queue { deliver = false }\n") as s:
        b = s.b
        sizes = [200, 3 * MB, 70_000, 4 * MB, 5 * MB, 3 * MB]

        def send(t):
            for n in range(6):
                name = f"{t}.{n}"
                what, got, words = code(b, name, sizes[(t + n) % 6], declare=False)
                if got == 250:
                    acked.add(name)
                else:
                    assert got in (452, 451) and words.startswith(b"4.3."), (what, got, words)
                    refused.add(name)
        failed = []

        def guarded(t):
            try:
                send(t)
            except BaseException as e:  # whatever it is, it is the finding
                failed.append(repr(e))
        threads = [threading.Thread(target=guarded, args=(t,)) for t in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failed, failed
        assert acked and refused, (acked, refused)
        print(f"no room: {len(acked)} taken, {len(refused)} refused", flush=True)
        assert len(b.spooled()) == len(acked) and os.listdir(b.dir + "/spool/tmp") == []
        s.fill(0)
        late = b.sendmail("-i", "-f", SENDER, "alice@example.test", text=message("sendmail", 100_000), check=False)
        assert late.returncode == 75, late
        # What was taken is delivered from the full disk, and makes room.
        b.write_conf("")
        b.stop()
        b.start()
        b.mail("alice", len(acked), 60)
        b.empty(60)
        assert fetch(b) == sorted(acked)
        s.empty()
        assert code(b, "after", 3 * MB)[1] == 250
        b.mail("alice", 1)
        b.empty()
        nothing_left(s)
        assert re.search(r"(?i)no space left|insufficient|disk|storage", b.log()), "the log says which"


def inodes():
    with Small("size=100m,nr_inodes=60") as s:
        b = s.b
        os.mkdir(s.place + "/many")
        n = 0
        try:
            while True:
                open(f"{s.place}/many/{n}", "w").close()
                n += 1
        except OSError:
            pass
        what, got, words = code(b, "full")
        assert got in (452, 451) and words.startswith(b"4.3."), (what, got, words)
        shutil.rmtree(s.place + "/many")
        assert code(b, "after")[1] == 250
        b.mail("alice", 1)
        b.empty()
        nothing_left(s)


def mailboxes():
    """The mailboxes are full: mail waits in the spool, and comes when there is room; POP3 makes some."""
    with Small("size=8m", "mail", extra="queue { retry = {1s} }\n") as s:
        b = s.b
        assert code(b, "first", 2 * MB)[1] == 250
        b.mail("alice", 1)
        s.fill(1 * MB)
        assert code(b, "waits", 2 * MB)[1] == 250
        line = b.deferred("No space left")
        assert "dsn=4.3.1" in line or "dsn=4.2.2" in line, line
        wait_for("it in cur/", lambda: [p for p, _ in b.spooled()] == ["cur"])
        # It is tried each second.
        wait_for("nothing in part", lambda: os.listdir(s.place + "/alice/tmp") == [])
        assert len(b.mailbox("alice")) == 1
        assert fetch(b) == ["first"]
        b.mail("alice", 1, 40)
        b.empty()
        assert fetch(b) == ["waits"]


def main():
    if not ROOT:
        skip("only root can make a small file system")
    alone_with_mounts()
    for test in (reserve, no_room, inodes, mailboxes):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
