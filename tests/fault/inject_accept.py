# SPDX-License-Identifier: GPL-3.0-or-later
"""C-02, C-05, C-07: every system call of the way in fails, or is the last; the installed programs.

A session and sendmail write messages while the n-th call of a kind fails or
kills, n = 1, 2, 3 ... until there is no n-th.  What was acknowledged arrives;
what was refused does not; nothing is ever there in part.
"""
import contextlib
import os
import re
import smtplib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, program, skip, wait_for  # noqa: E402
import inject  # noqa: E402

SENDER = "carol@example.test"
# Calls of a session, and how many of them are tried at most.
CALLS = ("openat", "writev", "write", "pread64", "pwrite64", "renameat2", "fsync", "fdatasync", "close", "sendto", "sendmsg", "newfstatat",
         "fstatfs")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
MOST = 12


def message(name, large):
    lines = "".join(f"{name} line {n} {'x' * 50}\r\n" for n in range(2500 if large else 3))
    return f"From: {SENDER}\r\nTo: alice@example.test\r\nSubject: {name}\r\n\r\n{lines}end of {name}\r\n"


class Books:
    """What was sent, and what the sender was told of it."""

    def __init__(self):
        self.text, self.acked, self.refused, self.doubt = {}, set(), set(), set()

    def new(self, name, large):
        self.text[name] = message(name, large)
        return self.text[name]

    def check(self, b):
        """Holds the mailbox against the books."""
        found = {}
        for path in b.mailbox("alice"):
            with open(path, "rb") as f:
                text = f.read().replace(b"\n", b"\r\n").decode()
            name = re.search(r"Subject: (\S+)\r\n", text).group(1)
            assert text.endswith("\r\n\r\n" + self.text[name].split("\r\n\r\n", 1)[1]), f"{name} is not whole"
            assert name not in found, f"{name} came twice"
            found[name] = text
        lost = self.acked - set(found)
        assert not lost, f"acknowledged and lost: {sorted(lost)}"
        ghosts = self.refused & set(found)
        assert not ghosts, f"refused and there all the same: {sorted(ghosts)}"
        return len(found)


def send(b, books, name, large, c):
    text = books.new(name, large)
    try:
        c.sendmail(SENDER, ["alice@example.test"], text)
        books.acked.add(name)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as e:
        # Said so: then it is so; and nothing of this is for ever.
        code = e.smtp_code if hasattr(e, "smtp_code") else max(c for c, _ in e.recipients.values())
        assert code == -1 or 400 <= code < 500, (name, e)
        (books.doubt if code == -1 else books.refused).add(name)
    except (smtplib.SMTPServerDisconnected, OSError):
        books.doubt.add(name)


def sessions(b, books):
    count = 0
    for call in CALLS:
        for fault in FAULTS:
            if fault == "error=ENOSPC" and call not in ("openat", "writev", "pwrite64", "fsync", "fdatasync"):
                continue
            for n in range(1, MOST + 1):
                c = smtplib.SMTP(b.host, b.port["smtp"], "client.test", timeout=30)
                with inject.Inject(b.sessions(), call, fault, n) as i:
                    for k, large in enumerate((False, True, False)):
                        send(b, books, f"{call}-{fault}-{n}-{k}", large, c)
                    with contextlib.suppress(smtplib.SMTPException, OSError):
                        c.quit()
                    wait_for("the end of the session", lambda: not b.sessions())
                count += 1
                assert b.process.poll() is None, "the master is not to die of it"
                if not i.happened:
                    break
    return count


def sendmail(b, books):
    """The same for sendmail, from its start on: exit 0 is a promise too."""
    count = 0
    log = tempfile.mktemp()
    for call in ("openat", "write", "writev", "pwrite64", "fchmod", "renameat2", "fsync", "close"):
        for fault in FAULTS:
            if fault == "error=ENOSPC" and call not in ("openat", "write", "writev", "pwrite64", "fsync"):
                continue
            for n in range(1, 60):
                name = f"sendmail-{call}-{fault}-{n}"
                text = books.new(name, n % 2 == 0)
                p = subprocess.run(["strace", "-f", "-o", log, "-e", f"trace={call}", "-e",
                                    f"inject={call}:{fault}:when={n}", program("sendmail"), "-C", b.conf, "-i",
                                    "-f", SENDER, "alice@example.test"], input=text.replace("\r\n", "\n").encode(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=b.env)
                if p.returncode == 0:
                    books.acked.add(name)
                else:
                    (books.doubt if p.returncode < 0 else books.refused).add(name)
                count += 1
                with open(log, errors="replace") as f:
                    found = f.read()
                if "(INJECTED)" not in found and "killed by SIGKILL" not in found:
                    assert p.returncode == 0, name
                    break
    os.unlink(log)
    return count


def main():
    why = inject.possible()
    if why:
        skip(why)
    books = Books()
    # Leaks are not looked for: that would need ptrace itself.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    # strace makes of a call that is to fail one that there is not: on no list of what may be called.
    with Barid(users=("alice", "carol"), env={"ASAN_OPTIONS": options}, extra='sandbox = "off"\n') as b:
        # Sessions let nobody but root trace them.
        for test in (sessions, sendmail) if ROOT else (sendmail,):
            start = time.monotonic()
            count = test(b, books)
            print(f"{test.__name__}: {count} faults, {time.monotonic() - start:.1f} s", flush=True)
        print(f"acknowledged {len(books.acked)}, refused {len(books.refused)}, in doubt {len(books.doubt)}", flush=True)
        # A start finds what hints have missed, and needs no cleaning.
        assert b.stop() == 0
        b.start()
        b.empty(60)
        print(f"arrived {books.check(b)}")
        assert b.mailbox("carol") == []
        b.send(SENDER, ["alice@example.test"], books.new("last", False))
        books.acked.add("last")
        wait_for("the last", lambda: "last" in (b.empty() or "last"))
        books.check(b)


main()
