# SPDX-License-Identifier: GPL-3.0-or-later
"""recipients.link: a message to many mailboxes is a few files (K18); who deletes it does so for himself; none is lost by a kill.

FEATURES O5.
"""
import contextlib
import glob
import os
import random
import re
import signal
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, wait_for  # noqa: E402

USERS = [f"user{n}" for n in range(40)]
ALL = [f"{u}@example.test" for u in USERS]
CONF = """recipients { link = true }
queue { runners = 1 }
"""
TEXT = "Subject: to all\r\n\r\n" + "x" * 900 + "\r\n"


def files(b):
    """The inode of each message, by user."""
    return {u: [os.stat(p).st_ino for p in sorted(glob.glob(f"{b.dir}/mail/{u}/new/*"))] for u in USERS}


def all_have(b, n):
    return wait_for(f"{n} messages for everybody", lambda: all(len(b.mailbox(u)) == n for u in USERS) and files(b))


def shared(b):
    b.send("a@far.example", ALL, TEXT)
    found = all_have(b, 1)
    different = {i for v in found.values() for i in v}
    assert len(different) <= 4, (len(different), found)
    texts = {b.mailbox(u)[0]: b.mail(u, 1)[0] for u in USERS}
    assert len(set(texts.values())) == 1
    text = list(texts.values())[0]
    assert b"Delivered-To" not in text and text.startswith(b"Return-Path: <a@far.example>\n"), text
    uidls = [b.uidls(u)[0] for u in USERS[:3]]
    assert len(set(uidls)) == 3, uidls
    # One recipient is told by name.
    b.send("a@far.example", ALL[:1], TEXT)
    assert b"Delivered-To: user0@example.test\n" in b.mail("user0", 2)[1]


def deleted(b):
    one = files(b)["user1"]
    same = [u for u in USERS[1:] if files(b)[u] == one]
    assert len(same) > 5, same
    c = b.pop3("user1")
    c.dele(1)
    c.quit()
    assert b.mailbox("user1") == [] and b"to all" in b.mail(same[1], 1)[0]
    c = b.pop3(same[1])
    assert int(c.list()[1][0].split()[1]) > 900 and b"to all" in b"\n".join(c.retr(1)[1])
    c.quit()


def killed(b):
    """All is killed while it is delivered: everybody has it, and nobody twice."""
    before = {u: len(b.mailbox(u)) for u in USERS}
    b.send("a@far.example", ALL, TEXT.replace("to all", "after all"))
    wait_for("the first of them", lambda: any(len(b.mailbox(u)) > before[u] for u in USERS))
    b.kill()
    b.start()
    wait_for("all of them", lambda: all(len(b.mailbox(u)) == before[u] + 1 for u in USERS))
    b.empty()
    for u in USERS:
        assert sum(b"after all" in m for m in b.mail(u, before[u] + 1)) == 1 and len(b.mailbox(u)) == before[u] + 1


def runners(b):
    return [p for p in b.processes() if "barid-runner" in b.read(f"/proc/{p}/cmdline")]


def stormed(b, seconds=3):
    """Runners are killed again and again while messages to all come in: everybody has each, once."""
    sent, kills = [], 0
    for path in glob.glob(f"{b.dir}/mail/*/new/*"):
        os.unlink(path)
    end = time.monotonic() + seconds
    while time.monotonic() < end or kills < 3:
        for _ in range(random.randrange(1, 5)):
            sent.append(f"storm {len(sent)}")
            b.send("a@far.example", ALL, TEXT.replace("to all", sent[-1]))
        for pid in runners(b):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills += 1
    b.empty(60)
    for u in USERS:
        got = sorted(re.search(rb"Subject: (storm \d+)\n", m)[1].decode() for m in b.mail(u, len(sent)))
        assert got == sorted(sent), (u, len(got), len(sent))
    print(f"{len(sent)} messages to {len(USERS)}, {kills} kills: {len({i for v in files(b).values() for i in v})} files")


def main():
    with Barid(users=USERS, extra=CONF) as b:
        for test in (shared, deleted, killed, stormed):
            test(b)


main()
