# SPDX-License-Identifier: GPL-3.0-or-later
"""C-13: a spool that cannot be, at the start, and one whose disk turns read-only under load.

At the start: one sentence says which option is wrong in which line, and why.
Later: clients are told to come again, POP3 goes on, nothing is started over
and over, and what was accepted before is delivered when the disk is back.
"""
import os
import re
import shutil
import smtplib
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, program, ROOT, skip, USER, wait_for  # noqa: E402
from powercut import FileSystem, KINDS, own_mounts, Skip  # noqa: E402

MESSAGE = "Subject: x\r\n\r\nx\r\n"
KINDS["errors"] = dict(KINDS["ext4"], options="loop,errors=remount-ro")


def refused(b, spool, why):
    """A start with this spool ends at once, and says why."""
    with open(b.conf, encoding="utf-8") as f:
        lines = f.read().replace(f'spool = "{b.dir}/spool"', f'spool = "{spool}"').split("\n")
    with open(b.conf, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("spool = "))
    r = subprocess.run([program("barid"), "-f", "-c", b.conf], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60, pass_fds=[s.fileno() for s in b.sockets.values()])
    assert r.returncode == 78, r
    assert r.stderr.startswith(f"{b.conf}:{number}: spool: {spool}: {why}, expected a "), r.stderr
    assert not os.path.exists(b.dir + "/run/barid.pid")
    b.write_conf()


def starts(b):
    x = b.dir + "/x"
    refused(b, x + "/none/spool", "No such file or directory")
    open(x, "wb").close()
    refused(b, x, "Not a directory")
    os.unlink(x)
    os.symlink("/var/tmp", x)
    refused(b, x, "Not a directory")
    os.unlink(x)
    os.mkdir(x, 0o700)
    os.chmod(x, 0o777)
    b.give(x)
    refused(b, x, "can be written by others")
    if ROOT:
        os.chmod(x, 0o700)
        os.chown(x, 1, 1)
        refused(b, x, "belongs to another user")
    shutil.rmtree(x)


def send(b, name):
    """True if it was accepted, False if it is to be sent again."""
    try:
        b.send("alice@example.test", [name], MESSAGE)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as e:
        assert re.search(r"\b4[25][0-9]\b.*\b4\.3\.[0-9]", str(e)), e
        return False
    return True


def broken(disk):
    """The kernel finds the file system to be broken, and lets nobody write any more."""
    device = subprocess.check_output(["losetup", "-j", disk.image], text=True).split(":")[0]
    with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w", encoding="ascii") as f:
        f.write("x")


def turns(b, disk):
    b.start()
    assert send(b, "bob@example.test") and len(b.mail("bob", 1)) == 1
    assert send(b, "later@far.test")                      # waits: nobody listens there
    b.deferred("<later@far.test>")
    broken(disk)
    before = b.log()
    for _ in range(3):
        assert not send(b, "bob@example.test")
    with b.smtp() as c:                                   # a connection that is open stays so
        assert c.ehlo()[0] == 250
        assert c.docmd("MAIL FROM:<a@b.test>")[0] // 100 in (2, 4)
        assert c.docmd("RSET")[0] == 250
    b.pop3("bob", "pop3s").quit()
    b.ctl("status")
    new = b.log()[len(before):]
    assert "Read-only file system" in new, new
    assert new.count("started again") <= 1 and "signal" not in new, new
    # One that starts now says so, too.
    assert b.stop() == 0
    refused(b, b.dir + "/spool", "Read-only file system")
    disk.umount()
    disk.mount()
    b.start()
    assert send(b, "bob@example.test") and len(b.mail("bob", 2)) == 2
    assert [line for line in b.ctl("queue", "list").stdout.split("\n") if "later@far.test" in line]


def main():
    if ROOT:
        own_mounts()
    extra = 'queue { retry = {1h} }\nroute "far.test" { via = "smtp:127.0.0.1:1" }\n'
    with Barid(extra=extra, relay=("127.0.0.0/8",), start=False) as b:
        starts(b)
        if not ROOT:
            return
        try:
            disk = FileSystem(b.dir, "spool", "errors")
        except Skip as why:
            skip(f"no file system of our own: {why}")
        try:
            os.chmod(disk.dir, 0o700)
            shutil.chown(disk.dir, USER)
            turns(b, disk)
        finally:
            b.stop()
            disk.umount()


main()
