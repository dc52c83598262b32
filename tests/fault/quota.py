# SPDX-License-Identifier: GPL-3.0-or-later
"""C-06: one mailbox is over its quota: its mail waits and comes, or is returned; others notice nothing."""
import contextlib
import email
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, alone_with_mounts, skip, wait_for  # noqa: E402

MB = 1 << 20
SENDER = "carol@example.test"
RETRY = "queue { retry = {1s} }\n"


def message(name, size=0):
    return f"From: {SENDER}\r\nTo: bob@example.test\r\nSubject: {name}\r\n\r\n" + ("x" * 70 + "\r\n") * (size // 72) + \
        f"end of {name}\r\n"


def btrfs(*args):
    return subprocess.run(["btrfs", *args], capture_output=True, text=True)


class Quotas:
    """Mailboxes on a file system where bob's has a limit of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="barid-test-")
        self.place = self.folder + "/mail"
        self.image = self.folder + ".img"
        os.mkdir(self.place)
        with open(self.image, "wb") as f:
            f.truncate(256 * MB)
        for command in (["mkfs.btrfs", "-q", "-f", self.image], ["mount", "-o", "loop", self.image, self.place],
                        ["btrfs", "quota", "enable", self.place],
                        ["btrfs", "subvolume", "create", self.place + "/bob"]):
            r = subprocess.run(command, capture_output=True, text=True)
            if r.returncode:
                self.close()
                skip(f"no file system with quotas here: {command[0]}: {r.stderr.strip()}")

    def limit(self, size):
        r = btrfs("qgroup", "limit", str(size), self.place + "/bob")
        assert r.returncode == 0, r.stderr

    def close(self):
        subprocess.run(["umount", "-l", self.place], stderr=subprocess.DEVNULL)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.image)
        shutil.rmtree(self.folder, ignore_errors=True)


def texts(b, user):
    found = []
    for path in b.mailbox(user):
        with open(path, "rb") as f:
            found.append(f.read())
    return found


def waits(b, q):
    """Over quota: put off with 4.2.2, nothing in part; others, and the rest of its mail, go on."""
    b.send(SENDER, ["bob@example.test"], message("first"))
    b.mail("bob", 1)
    q.limit(4 * MB)
    b.send(SENDER, ["bob@example.test", "alice@example.test"], message("large", 6 * MB))
    assert b.mail("alice", 1)[0].endswith(b"end of large\n")
    line = b.deferred("to=<bob@example.test>")
    assert "dsn=4.2.2" in line and "quota" in line.lower(), line
    assert len(b.mailbox("bob")) == 1
    # It is tried each second.
    wait_for("nothing in part", lambda: os.listdir(q.place + "/bob/tmp") == [])
    b.send(SENDER, ["alice@example.test"], message("other"))
    b.mail("alice", 2)
    # POP3 works in it: what is read is deleted.
    c = b.pop3("bob")
    assert c.stat()[0] == 1 and c.retr(1)[1][-1] == b"end of first"
    c.dele(1)
    c.quit()
    assert b.mailbox("bob") == [] and len(b.spooled()) == 1
    q.limit("none")
    assert b.mail("bob", 1, 40)[0].endswith(b"end of large\n")
    b.empty()
    os.unlink(b.mailbox("bob")[0])


def expires(b, q):
    """At its end the sender hears that the mailbox is full: 5.2.2."""
    q.limit(4 * MB)
    before = b.log().count("dsn=4.2.2")
    b.send(SENDER, ["bob@example.test", "alice@example.test"], message("late", 6 * MB))
    wait_for("a deferral", lambda: b.log().count("dsn=4.2.2") > before)
    b.write_conf("queue { retry = {1s} lifetime = 3s }\n")
    b.reload()
    assert "reload refused" not in b.log()
    report = email.message_from_bytes(b.mail("carol", 1, 60)[0])
    status = report.get_payload()[1].as_string()
    assert "Final-Recipient: rfc822; bob@example.test" in status and "Status: 5.2.2" in status, status
    assert "alice@example.test" not in status and b.mailbox("bob") == [], status
    wait_for("alice's copy", lambda: any(t.endswith(b"end of late\n") for t in texts(b, "alice")))
    b.empty()


def main():
    if not ROOT:
        skip("only root can mount a file system")
    alone_with_mounts()
    if not shutil.which("mkfs.btrfs"):
        raise SystemExit("mkfs.btrfs is missing: run `make deps`")
    q = Quotas()
    try:
        b = Barid(users=("alice", "bob", "carol"), folder=q.folder, start=False, extra=RETRY)
        b.give(q.place)
        b.give(q.place + "/bob")
        os.chmod(q.place + "/bob", 0o700)
        with b:
            b.start()
            waits(b, q)
            expires(b, q)
            b.stop()
    finally:
        q.close()


main()
