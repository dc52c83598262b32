# SPDX-License-Identifier: GPL-3.0-or-later
"""C-01: under load any process is killed again and again; whatever was acknowledged arrives, whole.

usage: kill.py [SECONDS]
"""
import collections
import itertools
import os
import random
import re
import smtplib
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import PASSWORD, Barid, NO_VERIFY, Sink, program, route, upstream, wait_for  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 15
SENDER = "carol@example.test"
# Two stand for it, for whom the envelope is written anew.
TEAM = "team@example.test"
FORWARD = f'recipient "{TEAM}" {{ forward = {{"alice@example.test", "x@far.example"}} }}\n'
TROUBLE = (OSError, smtplib.SMTPException)


def body(name):
    """A text that nobody else has, of a size that follows from its name."""
    size = random.Random(name).choice((1, 20, 20, 100, 3000))
    return "".join(f"{name} line {n} {'x' * 50}\r\n" for n in range(size)) + f"end of {name}\r\n"


def message(name):
    return f"From: {SENDER}\r\nTo: you@example.test\r\nSubject: {name}\r\nMIME-Version: 1.0\r\n\r\n{body(name)}"


class Load:
    """Clients that send until they are told to stop; ACKED has what they were promised."""

    def __init__(self, b):
        self.b = b
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.acked, self.refused = {}, collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(kind, n))
                        for kind, count in (("smtp", 4), ("submission", 2), ("sendmail", 2)) for n in range(count)]

    def run(self, kind, number):
        numbers = itertools.count(1)                      # none comes again, however a session ends
        while not self.stop.is_set():
            try:
                if kind == "sendmail":
                    self.by_sendmail(f"{kind}.{number}", next(numbers))
                else:
                    self.by_smtp(kind, f"{kind}.{number}", numbers)
            except TROUBLE as e:
                self.refused[type(e).__name__] += 1

    @staticmethod
    def rcpts(n):
        return [["alice@example.test"], ["x@far.example"], ["alice@example.test", "x@far.example"], [TEAM]][n % 4]

    def promise(self, name, rcpts):
        with self.lock:
            self.acked[name] = ["alice@example.test", "x@far.example"] if rcpts == [TEAM] else rcpts

    def by_smtp(self, kind, who, numbers):
        b = self.b
        with smtplib.SMTP(b.host, b.port[kind], "client.test", timeout=20) as c:
            if kind == "submission":
                c.starttls(context=NO_VERIFY)
                c.login("alice", PASSWORD)
            for n in itertools.islice(numbers, random.randrange(1, 10)):
                name = f"{who}.{n}"
                try:
                    c.sendmail(SENDER, self.rcpts(n), message(name))
                    self.promise(name, self.rcpts(n))
                except TROUBLE:
                    self.refused[kind] += 1
                    return
                if self.stop.is_set():
                    return

    def by_sendmail(self, who, n):
        name = f"{who}.{n}"
        p = subprocess.Popen([program("sendmail"), "-C", self.b.conf, "-i", "-f", SENDER, *self.rcpts(n)],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        if n % 10 == 0:
            # It may be killed as well, and then has promised nothing.
            threading.Timer(random.random() / 100, p.kill).start()
        p.communicate(message(name).replace("\r\n", "\n").encode())
        if p.returncode == 0:
            self.promise(name, self.rcpts(n))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for t in self.threads:
            t.join()


def children(b, name):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        head, _, rest = b.read(f"/proc/{pid}/stat").rpartition(")")
        if head.endswith("(" + name) and rest.split()[1:2] == [str(b.process.pid)]:
            found.append((int(pid), rest.split()[0]))
    return found


def kill_one(b, kills):
    kind = random.choices(("session", "barid-runner", "barid-auth", "master"), (10, 3, 1, 0.6))[0]
    if kind == "master":
        b.kill()
        b.start()
    else:
        pids = [p for p, _ in children(b, "barid" if kind == "session" else kind)]
        if not pids:
            return
        try:
            os.kill(random.choice(pids), 9)
        except ProcessLookupError:
            return
    kills[kind] += 1


def arrived(b, s):
    """Every message that arrived: for each (recipient, name) how often; each is whole."""
    found = collections.Counter()
    texts = [("alice@example.test", open(p, "rb").read().replace(b"\n", b"\r\n")) for p in b.mailbox("alice")]
    for m in s.messages():
        assert [r["path"] for r in m["rcpts"]] == ["x@far.example"]
        texts.append(("x@far.example", m["text"]))
    for rcpt, text in texts:
        name = re.search(rb"Subject: (\S+)\r\n", text).group(1).decode()
        # Nothing is ever there in part.
        assert text.endswith(b"\r\n\r\n" + body(name).encode()), (name, len(text))
        found[rcpt, name] += 1
    return found


def main():
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    random.seed(seed)
    kills = collections.Counter()
    extra = FORWARD + "limits { connections-per-address = 100 }\nqueue { retry = {1s} idle-connection = 200ms }\n"
    with Sink() as s, Barid(users=("alice", "carol"), relay=("127.0.0.0/8",), extra=extra + upstream("far", s.port) +
                            route("far.example", "far")) as b:
        with Load(b) as load:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                time.sleep(random.uniform(0.02, 0.25))
                kill_one(b, kills)
        print(f"kills {dict(kills)}, acknowledged {len(load.acked)}, refused {dict(load.refused)}", flush=True)
        assert len(load.acked) > 20 and sum(kills.values()) > SECONDS
        # A start finds at once what hints have missed.
        assert b.stop() == 0
        wait_for("the end of every process", lambda: not b.processes())
        b.start()
        b.empty(60)
        found = arrived(b, s)
        lost = [(name, r) for name, rcpts in load.acked.items() for r in rcpts if not found[r, name]]
        assert not lost, f"{len(lost)} of {len(load.acked)} lost: {lost[:5]}"
        twice = [k for k, n in found.items() if n > 1]
        print(f"arrived {sum(found.values())}, twice {len(twice)}", flush=True)
        # A Maildir knows what it has; a peer can get twice what was under way when a runner died.
        assert not [k for k in twice if k[0].startswith("alice")], twice
        assert len(twice) <= 40 * (kills["barid-runner"] + kills["master"])
        assert b.mailbox("carol") == [], "nobody was told of a failure"
        assert not [c for c in children(b, "barid") + children(b, "barid-runner") + children(b, "barid-auth")
                    if c[1] == "Z"], "no zombies"
        b.send(SENDER, ["alice@example.test"], message("last"))
        wait_for("the last", lambda: arrived(b, s)["alice@example.test", "last"] == 1)


if __name__ == "__main__":
    main()
