# SPDX-License-Identifier: GPL-3.0-or-later
"""Trays of the spool: one for each session, nobody else's while it lives, and mail in them is safe."""
import fcntl
import os
import re
import signal
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Wire, wait_for  # noqa: E402

TRAYS = 3
EXTRA = 'queue { runners = 1 }\n'


def server(extra=""):
    return Barid(env={"QUEUE_TRAYS": str(TRAYS)}, extra=EXTRA + extra)


class Client(Wire):
    """A session, known by the address that its client has."""

    def __init__(self, b, n):
        super().__init__(b.port["smtp"], source=f"127.0.9.{n}")
        assert self.reply().startswith(b"220 ")
        found = re.search(rf"^session (\d+) .*{re.escape(f'127.0.9.{n}')}\b", b.ctl("status").stdout, re.M)
        self.pid = int(found[1])
        self.tray = tray_of(self.pid)

    def post(self, to="alice@example.test"):
        for line in ("EHLO x.example", "MAIL FROM:<s@x.example>", f"RCPT TO:<{to}>"):
            assert self.smtp(line).startswith(b"250")
        assert self.smtp("DATA").startswith(b"354")
        assert self.smtp("Subject: x\r\n\r\nhello\r\n.").startswith(b"250")

    def end(self):
        assert self.smtp("QUIT").startswith(b"221")
        self.close()


def tray_of(pid):
    """The one that a process has open; None: none."""
    has = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = os.readlink(f"/proc/{pid}/fd/{fd}")
        if "/trays/" in path:
            has.append(os.path.basename(path))
    assert len(has) <= 1, has
    return has[0] if has else None


def full(b):
    """Those that are not empty."""
    found = []
    for name in sorted(os.listdir(b.dir + "/spool/trays")):
        with open(f"{b.dir}/spool/trays/{name}", "rb") as f:
            if f.read(1) != b"\0":
                found.append(name)
    return found


def helper(b, name):
    return int(re.search(rf"^helper {name} 0 pid=(\d+)$", b.ctl("status").stdout, re.M)[1])


def has_tray(b, n, wanted):
    """Clients come and go until one gets tray WANTED."""
    def once():
        c = Client(b, n)
        got = c.tray
        c.end()
        return got == wanted
    wait_for(f"tray {wanted} for the next one", once)


def one_each():
    """Who gets none makes a file; what is in trays is delivered, and they are for the next ones."""
    with server() as b:
        runner = helper(b, "barid-runner")
        clients = [Client(b, i + 1) for i in range(TRAYS + 2)]
        assert sorted(c.tray or "" for c in clients) == ["", "", "00", "01", "02"], [c.tray for c in clients]
        os.kill(runner, signal.SIGSTOP)
        for c in clients:
            c.post()
        assert full(b) == ["00", "01", "02"] and len(os.listdir(b.dir + "/spool/new")) == 2
        # A second one finds the tray full.
        clients[0].post()
        assert len(os.listdir(b.dir + "/spool/new")) == 3
        os.kill(runner, signal.SIGCONT)
        b.mail("alice", TRAYS + 3)
        wait_for("empty trays", lambda: full(b) == [])
        for c in clients:
            c.end()
        for name in ("00", "01", "02"):
            has_tray(b, 9, name)


def killed():
    """Whoever is killed: what was acknowledged arrives once, and no tray is lost or anybody else's."""
    with server() as b:
        a = Client(b, 1)
        runner = helper(b, "barid-runner")
        os.kill(runner, signal.SIGSTOP)
        a.post()
        os.kill(a.pid, signal.SIGKILL)
        assert a.line() is None
        assert full(b) == [a.tray]
        os.kill(runner, signal.SIGKILL)
        b.mail("alice", 1)
        wait_for("empty trays", lambda: full(b) == [])
        has_tray(b, 2, a.tray)


def outlives():
    """A session that outlives its acceptor, or its master, has its tray for itself."""
    with server() as b:
        a = Client(b, 1)
        assert a.tray
        old = helper(b, "barid-acceptor")
        b.reload()
        wait_for("another acceptor", lambda: helper(b, "barid-acceptor") not in (old, 0))
        others = [Client(b, i) for i in range(2, 6)]
        assert a.tray not in [c.tray for c in others]
        a.post()
        b.mail("alice", 1)
        for c in others:
            c.end()
        b.kill()
        b.start()
        others = [Client(b, i) for i in range(6, 10)]
        assert a.tray not in [c.tray for c in others]
        a.post()
        assert full(b) == [a.tray] or b.mail("alice", 2)
        for c in others:
            c.end()
        a.end()
        b.stop()
        b.start()
        b.mail("alice", 2)
        has_tray(b, 11, a.tray)


def looked_at():
    """A message for an alias whose tray somebody looks at gets its recipients when that is over."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        with open(d + "/aliases", "w", encoding="ascii") as f:
            f.write("team: alice, bob\n")
        with server(f'aliases = {{"{d}/aliases"}}\n') as b:
            a = Client(b, 1)
            runner = helper(b, "barid-runner")
            os.kill(runner, signal.SIGSTOP)
            a.post("team@example.test")
            with open(f"{b.dir}/spool/trays/{a.tray}", "rb") as f:
                # F_OFD_SETLK, which not every fcntl has: the whole file, to be read.
                fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
                os.kill(runner, signal.SIGCONT)
                wait_for("its file", lambda: os.listdir(b.dir + "/spool/new"))
            b.mail("alice", 1)
            b.mail("bob", 1)
            assert "cannot be given its recipients" not in b.log()
            b.empty()


for test in (one_each, killed, outlives, looked_at):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
