# SPDX-License-Identifier: GPL-3.0-or-later
"""S-54: hundreds of signals a second, to every process, while mail comes in by every way and goes out.

Those that mean nothing change nothing, whatever call they interrupt; those
that mean something (reload, reopen the log, stop when there is time) are
done.  Nothing dies of a signal, and what was acknowledged arrives once.

usage: signals.py [SECONDS]
"""
import collections
import json
import os
import random
import re
import signal
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402
from kill import FORWARD, Load, arrived, children  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6
# What each is sent, and how often of a thousand times.
NOTHING = ((signal.SIGCHLD, 300), (signal.SIGPIPE, 200), (signal.SIGURG, 100), (signal.SIGWINCH, 100),
           (signal.SIGCONT, 100), (signal.SIGUSR1, 100))
STORMS = {
    "master": NOTHING + ((signal.SIGHUP, 5),),
    "session": NOTHING + ((signal.SIGHUP, 100), (signal.SIGTERM, 20)),
    "barid-runner": NOTHING + ((signal.SIGHUP, 100), (signal.SIGTERM, 1)),
    "barid-auth": NOTHING + ((signal.SIGTERM, 1),),
}


def storm(b, until):
    """Sends signals until then; how many, of each kind to each process."""
    sent, known, looked = collections.Counter(), {}, 0
    while time.monotonic() < until:
        if time.monotonic() > looked + 0.05:
            known = {name: [p for p, _ in children(b, "barid" if name == "session" else name)]
                     for name in STORMS if name != "master"}
            known["master"] = [b.process.pid]
            looked = time.monotonic()
        name = random.choice(list(STORMS))
        if known[name]:
            signo, = random.choices(*zip(*STORMS[name]))
            try:
                os.kill(random.choice(known[name]), signo)
                sent[f"{name} {signo.name}"] += 1
            except ProcessLookupError:
                pass
        time.sleep(0.0002)
    return sent


def cut_off(s):
    """What was taken last on connections that a runner left without a QUIT: it stops after ten seconds, and may not have
    heard of it."""
    last = {c["messages"][-1] for c in s.connections() if c["messages"] and c["end"] not in ("quit", None)}
    return {re.search(rb"Subject: (\S+)\r\n", m["text"])[1].decode() for m in s.messages() if int(m["number"]) in last}


class Storm:
    """A process of its own, that nothing here slows down; SENT when it is over."""

    def __init__(self, b):
        self.pipe, to = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.write(to, json.dumps(storm(b, time.monotonic() + SECONDS)).encode())
            os._exit(0)
        os.close(to)

    def sent(self):
        with os.fdopen(self.pipe, "rb") as f:
            sent = json.loads(f.read())
        os.waitpid(self.pid, 0)
        return sent


def main():
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    random.seed(seed)
    extra = FORWARD + "limits { connections-per-address = 100 }\nqueue { retry = {1s} idle-connection = 200ms }\n"
    with Sink() as s, Barid(users=("alice", "carol"), relay=("127.0.0.0/8",), extra=extra + upstream("far", s.port) +
                            route("far.example", "far")) as b:
        master = b.process.pid
        weather = Storm(b)
        with Load(b) as load:
            sent = weather.sent()
            # However slow the host: some of it was promised while it lasted, and after.
            wait_for("promises", lambda: len(load.acked) > 20, 60)
        print(f"sent {sum(sent.values())}: {sent}, acknowledged {len(load.acked)}, "
              f"refused {dict(load.refused)}", flush=True)
        assert {k.split()[0] for k in sent} == set(STORMS), sent
        assert b.process.pid == master and b.process.poll() is None
        # But one that is told to stop while it starts may stop at once.
        fell = [x for x in re.findall(r".*(?:signal \d+|panic:).*", b.log()) if "signal 15" not in x]
        assert not fell, fell[:5]
        b.empty(60)
        found = arrived(b, s)
        lost = [(name, r) for name, rcpts in load.acked.items() for r in rcpts if not found[r, name]]
        assert not lost, f"{len(lost)} of {len(load.acked)} lost: {lost[:5]}"
        twice = {name for (_, name), n in found.items() if n > 1}
        assert not [k for k, n in found.items() if n > 1 and k[0] == "alice@example.test"], found
        wait_for(f"the end of the connections that took {twice}", lambda: not twice or twice <= cut_off(s))
        assert b.mailbox("carol") == [], "nobody was told of a failure"
        wait_for("the end of the sessions", lambda: not b.sessions())
        # It still does what a signal asks for: a reload, a new log, and the end.
        b.reload()
        os.rename(b.log_path, b.log_path + ".old")
        b.process.send_signal(signal.SIGUSR1)
        wait_for("a new log", lambda: os.path.exists(b.log_path))
        assert b.stop() == 0
        wait_for("the end of every process", lambda: not b.processes())


main()
