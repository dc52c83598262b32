# SPDX-License-Identifier: GPL-3.0-or-later
"""C-02, C-05, C-07: every system call of the way out fails, or is the last; the installed programs.

A runner delivers to a mailbox and to a peer, defers, and writes reports,
while the n-th call of a kind in one of its threads fails or kills it.
Afterwards everything has arrived, whole, in the mailbox once.
"""
import collections
import email
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, Sink, route, skip, upstream, wait_for  # noqa: E402
import inject  # noqa: E402

SENDER = "alice@example.test"
CALLS = {"openat": 6, "write": 6, "pread64": 4, "pwrite64": 4, "renameat2": 3, "renameat": 2, "fsync": 4,
         "sync_file_range": 2, "unlinkat": 4, "utimensat": 3, "newfstatat": 4, "mkdirat": 2, "close": 4, "sendto": 4,
         "getdents64": 2}
FAULTS = ("error=EIO", "signal=KILL")


def message(name):
    lines = "".join(f"{name} line {n} {'x' * 50}\r\n" for n in range(30))
    return f"From: {SENDER}\r\nTo: bob@example.test\r\nSubject: {name}\r\n\r\n{lines}end of {name}\r\n"


class World:
    """A barid with one runner, and a peer that puts off and refuses by name."""

    def __init__(self):
        self.sink = Sink(rules=["RCPT /^wait/=450 4.2.0 not now", "RCPT /^no/=550 5.1.1 no such user"])
        # Leaks are not looked for: that would need ptrace itself.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.b = Barid(relay=("127.0.0.0/8",), env={"ASAN_OPTIONS": options}, extra=upstream("far", self.sink.port) +
                       route("far.example", "far") + "queue { retry = {1s} runners = 1 idle-connection = 100ms }\n")
        self.names = []

    def send(self, name):
        self.names.append(name)
        with self.b.smtp() as c:
            for rcpts in (["bob@example.test", f"x.{name}@far.example"], [f"wait.{name}@far.example"],
                          [f"no.{name}@far.example", "bob@example.test"]):
                c.sendmail(SENDER, rcpts, message(name))

    def settled(self, name):
        """All that can happen to the messages of NAME has happened once."""
        log = self.b.log()
        return all(re.search(rf"to=<{who}\.{name}@far\.example>.* status={what}", log)
                   for who, what in (("x", "sent"), ("wait", "deferred"), ("no", "bounced")))

    def experiment(self, call, fault, n):
        """True if there was an n-th call."""
        b, name = self.b, f"{call}-{fault[-3:]}-{n}"
        pid = wait_for("a runner", self.b.runner)
        with inject.Inject([pid], call, fault, n) as i:
            self.send(name)
            # One of both comes, if not soon on a slow machine: what other faults left undone is of other names.
            wait_for(f"{name} or its end", lambda: i.fired() or self.settled(name))
            if i.fired() and "error" in fault:
                time.sleep(0.02)        # further threads have their n-th call as well
        if i.happened and "KILL" in fault:
            wait_for("the end of the runner", lambda: not os.path.exists(f"/proc/{pid}") or self.b.runner() != pid)
            # Not to wait for the master's patience with helpers that die.
            b.kill()
            b.start()
        return i.happened

    def check(self):
        b = self.b
        if b.process is None:
            b.start()
        b.stop()
        port = self.sink.port
        first = self.sink.messages()
        self.sink.stop()
        with Sink("--port", str(port), rules=["RCPT /^no/=550 5.1.1 no such user"]) as s:
            b.start()

            def flushed():
                # What the disk refused waits for minutes.
                b.ctl("queue", "flush")
                time.sleep(0.1)
                return not b.spooled()
            wait_for("an empty spool", flushed, 60)
            # Whatever was killed where: the journal tells of every recipient.
            audit = b.ctl("audit", check=False)
            assert audit.returncode == 0, audit.stdout[-3000:] + audit.stderr
            there = collections.Counter()
            for m in first + s.messages():
                name = re.search(rb"Subject: (\S+)\r\n", m["text"]).group(1).decode()
                assert m["text"].endswith(message(name).split("\r\n\r\n", 1)[1].encode()), f"{name} is not whole"
                there.update((r["path"], name) for r in m["rcpts"])
            for name in self.names:
                assert there[f"x.{name}@far.example", name] >= 1, f"x of {name} is lost"
                assert there[f"wait.{name}@far.example", name] >= 1, f"wait of {name} is lost"
        here = collections.Counter()
        for path in b.mailbox("bob"):
            with open(path, "rb") as f:
                text = f.read().replace(b"\n", b"\r\n").decode()
            name = re.search(r"Subject: (\S+)\r\n", text).group(1)
            assert text.endswith("\r\n\r\n" + message(name).split("\r\n\r\n", 1)[1]), f"{name} is not whole"
            here[name] += 1
        assert here == {name: 2 for name in self.names}, here
        reports = collections.Counter()
        for path in b.mailbox("alice"):
            with open(path, "rb") as f:
                m = email.message_from_binary_file(f)
            kinds = [p.get_content_type() for p in m.get_payload()]
            assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"], kinds
            status = m.get_payload()[1].as_string()
            found = re.findall(r"Final-Recipient: rfc822; no\.(\S+)@far\.example", status)
            assert len(found) == 1 and "Action: failed" in status, status
            reports[found[0]] += 1
        lost = [name for name in self.names if not reports[name]]
        assert not lost, f"nobody was told of {lost}"
        return sum(there.values()) - 2 * len(self.names), sum(reports.values()) - len(self.names)

    def run(self, calls):
        count = 0
        for call in calls:
            for fault in FAULTS:
                for n in range(1, CALLS[call] + 1):
                    count += 1
                    if not self.experiment(call, fault, n):
                        break
        return count


def main():
    why = inject.possible() if ROOT else "a runner lets nobody but root trace it"
    if why:
        skip(why)
    failed, calls = [], sys.argv[1:] or list(CALLS)

    def work(mine):
        try:
            w = World()
            with w.b:
                try:
                    count = w.run(mine)
                    twice, reports = w.check()
                    print(f"{' '.join(mine)}: {count} faults, {twice} deliveries and {reports} reports too many",
                          flush=True)
                finally:
                    w.sink.process.kill()
        except BaseException as e:  # whatever it is, the others go on
            failed.append(f"{' '.join(mine)}: {e!r}")
    workers = [threading.Thread(target=work, args=(calls[n::3],)) for n in range(3)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    assert not failed, "\n".join(failed)


main()
