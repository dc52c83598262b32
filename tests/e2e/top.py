# SPDX-License-Identifier: GPL-3.0-or-later
"""`baridctl top`: destinations of all runners, on a page, for programs, and live on a terminal that is as before then."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, Sink, program, route, upstream, wait_for  # noqa: E402

USAGE, UNAVAILABLE = 64, 69
MESSAGE = "Subject: x\r\n\r\ntext\r\n"


def refused():
    """A port at which nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Terminal:
    """A program on a terminal of so many rows and columns."""

    def __init__(self, *command, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The shell is there to be asked about the terminal afterwards.
            os.environ["TERM"] = "xterm"
            os.execvp(command[0], command)
        self.shown = b""
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.fd], [], [], 0.05)[0]:
            try:
                got = os.read(self.fd, 1 << 16)
            except OSError:
                return self.shown
            if not got:
                return self.shown
            self.shown += got
        return self.shown

    def type(self, keys):
        os.write(self.fd, keys)

    def modes(self):
        return termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    def wait(self):
        def ended():
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            # What it said last.
            self.read()
            return pid and (os.waitstatus_to_exitcode(status),)
        return wait_for("its end", ended)[0]


def destinations(b):
    return {d["name"]: d for d in json.loads(b.ctl("--json", "top").stdout)["destinations"]}


def numbers(b):
    """What was done is counted; what is dead says why."""
    b.send("a@example.test", ["ok@far.example"], MESSAGE)
    b.send("a@example.test", ["no@far.example"], MESSAGE)
    b.send("a@example.test", ["x@down.example"], MESSAGE)
    b.send("a@example.test", ["alice@example.test"], MESSAGE)

    def all_there():
        d = destinations(b)
        return "far" in d and d["far"]["sent"] == 1 and d["far"]["bounced"] == 1 and \
            "down" in d and d["down"].get("dead_ms") and d["mailboxes"]["sent"] >= 1 and d
    d = wait_for("the numbers", all_there)
    assert d["far"]["kind"] == d["down"]["kind"] == "upstream" and d["mailboxes"]["kind"] == "local", d
    assert d["down"]["deferred"] == 1 and "Connection refused" in d["down"]["dead_reason"], d
    assert d["down"]["waiting"] == 0 and 0 < d["down"]["dead_ms"] <= 3600000, d
    text = b.ctl("top", "--once").stdout
    lines = text.split("\n")
    assert " in the queue, " in lines[0] and "DESTINATION" in lines[2], text
    assert any(line.startswith("via down ") and " dead for " in line and "refused" in line for line in lines), text
    assert any(line.startswith("via far ") for line in lines), text
    # To a pipe it is one page without being asked.
    assert b.ctl("top").stdout.split("\n")[2] == lines[2]
    status = json.loads(b.ctl("--json", "top", "--once").stdout)
    assert status["runners"] == 2 and status["queued"] >= 1 and status["more"] == 0, status
    if ROOT:
        assert b.ctl("top", "--once", user=1).stdout.split("\n")[2] == lines[2]
    for args in (["top", "x"], ["top", "--interval", "0s"], ["top", "--interval", "often"], ["status", "--once"]):
        assert b.ctl(*args, check=False).returncode == USAGE, args


def stream(b):
    """For programs: an object in each interval, until they have had enough."""
    p = subprocess.Popen([program("baridctl"), "-c", b.conf, "--json", "top", "--interval", "1s"], stdout=subprocess.PIPE)
    assert json.loads(p.stdout.readline())["runners"] == 2
    assert json.loads(p.stdout.readline())["runners"] == 2
    p.send_signal(signal.SIGTERM)
    p.stdout.read()
    assert p.wait(20) == 0


def terminal(b):
    for how in ("q", "TERM", "INT"):
        t = Terminal(program("baridctl"), "-c", b.conf, "top", "--interval", "1s")
        wait_for("a page", lambda: b"DESTINATION" in t.read() and b"via down" in t.shown)
        assert t.shown.startswith(b"\x1b[?1049h\x1b[?25l"), t.shown[:60]
        assert t.modes() == 0
        # Smaller: as many lines as there are, and none longer.
        at = len(t.shown)
        t.resize(5, 30)

        def fits(page):
            rows = page.replace(b"\x1b[K", b"").split(b"\r\n")
            return len(rows) <= 5 and max(map(len, rows)) <= 30

        # One of the old size may have been begun before.
        wait_for("a page that fits", lambda: any(b"DESTINATION" in p and b"\x1b[J" in p and fits(p.split(b"\x1b[J")[0])
                                                 for p in t.read()[at:].split(b"\x1b[H")))
        # Larger again.
        at = len(t.shown)
        t.resize(40, 200)
        wait_for("the whole page", lambda: b"refused" in t.read()[at:])
        if how == "q":
            t.type(b"xyq")
        else:
            os.kill(t.pid, getattr(signal, "SIG" + how))
        wait_for("the screen as before", lambda: b"\x1b[?25h\x1b[?1049l" in t.read())
        assert t.wait() == 0


def modes(b):
    """What the terminal did before, it does afterwards."""
    t = Terminal("sh", "-c", f"{program('baridctl')} -c {b.conf} top; stty -a; echo END")
    wait_for("a page", lambda: b"DESTINATION" in t.read())
    t.type(b"q")
    wait_for("the end", lambda: b"END" in t.read())
    words = t.shown.split(b"\x1b[?1049l")[1].split()
    assert b"icanon" in words and b"echo" in words, words
    t.wait()


def gone(b):
    t = Terminal(program("baridctl"), "-c", b.conf, "top", "--interval", "1s")
    wait_for("a page", lambda: b"DESTINATION" in t.read())
    b.stop()
    assert t.wait() == UNAVAILABLE and b"barid is not running" in t.shown.split(b"\x1b[?1049l")[1], t.shown[-200:]
    assert b.ctl("top", check=False).returncode == UNAVAILABLE


def main():
    sink = Sink(rules=["RCPT /^no/=550 5.1.1 no"])
    with Barid(relay=("127.0.0.0/8",), extra="queue { runners = 2 retry = {1h} }\n" + upstream("far", sink.port) +
               upstream("down", refused()) + route("far.example", "far") + route("down.example", "down")) as b:
        for test in (numbers, stream, terminal, modes, gone):
            begun = time.monotonic()
            test(b)
            print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    sink.stop()


main()
