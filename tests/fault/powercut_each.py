# SPDX-License-Identifier: GPL-3.0-or-later
"""C-04: the power goes in the moment in which a client has read its answer.

As root: spool and mailboxes of a whole barid lie on file systems of their own
(ext4, XFS).  The client itself cuts the power of both, right behind the 250 to its
text or the +OK to its QUIT, while others send as well.  Then all processes are
killed, the journals replay, barid starts: what was accepted is delivered, whole,
and a mailbox has what nobody deleted.

usage: powercut_each.py [CUTS]        (for each kind of file system; 8)
"""
import contextlib
import os
import random
import shutil
import signal
import smtplib
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, skip, USER, wait_for  # noqa: E402
from powercut import FileSystem, own_mounts, Skip  # noqa: E402

CUTS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
SENDER = "a@b.test"


def text(name):
    size = random.Random(name).choice((1, 50, 3000))
    return f"Subject: {name}\r\n\r\n" + "".join(f"{name} line {n}\r\n" for n in range(size)) + f"end of {name}\r\n"


class Crowd:
    """Others who send meanwhile; ACKED is what was promised to anybody."""

    def __init__(self, b, number):
        self.b, self.acked, self.over = b, [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(f"other.{number}.{n}",), daemon=True) for n in range(3)]
        for t in self.threads:
            t.start()

    def run(self, who):
        n = 0
        with contextlib.suppress(OSError, smtplib.SMTPException):
            with self.b.smtp() as c:
                while not self.over.is_set():
                    n += 1
                    c.sendmail(SENDER, ["bob@example.test"], text(f"{who}.{n}"))
                    self.acked.append(f"{who}.{n}")

    def end(self):
        self.over.set()
        for t in self.threads:
            t.join()


def subjects(b, user):
    """What is in a mailbox, all of it whole."""
    found = []
    for path in b.mailbox(user):
        with open(path, "rb") as f:
            got = f.read().replace(b"\r\n", b"\n")
        name = got.split(b"Subject: ")[1].split(b"\n")[0].decode()
        assert got.endswith(text(name).replace("\r\n", "\n").split("\n\n", 1)[1].encode()), (path, name)
        found.append(name)
    return found


def cut_and_start(b, disks):
    """All processes end, and the journals replay."""
    for pid in b.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    b.process.wait()
    wait_for("the end of every process", lambda: not b.processes())
    with contextlib.suppress(FileNotFoundError):
        os.unlink(b.dir + "/run/barid.pid")
    for d in disks:
        d.umount()
    for d in disks:
        d.mount()
    b.start()


def accepted(b, disks, number):
    crowd = Crowd(b, number)
    name = f"mine.{number}"
    c = b.smtp()
    c.ehlo()
    assert c.mail(SENDER)[0] == 250 and c.rcpt("bob@example.test")[0] == 250
    assert c.data(text(name))[0] == 250
    promised = crowd.acked + [name]
    for d in disks:
        d.cut()
    c.close()
    crowd.over.set()
    cut_and_start(b, disks)
    crowd.end()
    return promised


def deleted(b, disks, number):
    """Of four messages two are deleted; the others are there afterwards."""
    names = [f"pop.{number}.{n}" for n in range(4)]
    for n in names:
        b.send(SENDER, ["alice@example.test"], text(n))
    wait_for("four messages", lambda: not set(names) - set(subjects(b, "alice")))
    c = b.pop3("alice")
    order = [next(line[9:].decode() for line in c.top(i + 1, 0)[1] if line.startswith(b"Subject: "))
             for i in range(c.stat()[0])]
    for name in names[:2]:
        c.dele(order.index(name) + 1)
    assert c.quit().startswith(b"+OK")
    for d in disks:
        d.cut()
    cut_and_start(b, disks)
    assert not set(names[2:]) - set(subjects(b, "alice"))
    b.pop3("alice").quit()


def series(kind):
    with Barid(start=False) as b:
        disks = []
        try:
            for name in ("spool", "mail"):
                disks.append(FileSystem(b.dir, name, kind))
                os.chmod(disks[-1].dir, 0o700)
                shutil.chown(disks[-1].dir, USER)
            os.sync()                                     # whose directories they are is no news
            b.start()
            promised = [name for n in range(CUTS) for name in accepted(b, disks, n)]
            wait_for(f"{promised}", lambda: not set(promised) - set(subjects(b, "bob")), 30)
            deleted(b, disks, CUTS)
            print(f"{kind}: {CUTS} cuts right behind a 250, {len(promised)} messages promised, none lost", flush=True)
        finally:
            b.stop()
            for d in reversed(disks):
                d.umount()


def main():
    if not ROOT:
        skip("only root can mount file systems")
    own_mounts()
    for kind in ("ext4", "xfs"):
        try:
            series(kind)
        except Skip as why:
            skip(f"{kind}: {why}")


main()
