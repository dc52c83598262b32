# SPDX-License-Identifier: GPL-3.0-or-later
"""N-07: lines that lose packets, are slow, or swallow what is large; out, in, and to a mailbox.

Barid is in one network of its own and its peer in another.  Between them
are two tunnel devices, and a thread that carries packets from one to the
other as badly as it is told.  Each case is a process, and all run at once.
"""
import array
import fcntl
import heapq
import itertools
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, Sink, route, skip, upstream, wait_for  # noqa: E402

HERE, THERE = "10.99.0.1", "10.99.0.2"
TUNSETIFF, TUN_WITHOUT_HEADERS = 0x400454CA, 0x1001
MTU = 1500


def tunnel(own, other):
    """A tunnel device in this network, up: its descriptor."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"line", TUN_WITHOUT_HEADERS))
    for command in (f"address add {own} peer {other} dev line", f"link set line mtu {MTU} up", "link set lo up"):
        subprocess.run(["ip", *command.split()], check=True)
    return fd


class Line(threading.Thread):
    """Of each direction: a packet in LOSS is lost, all come DELAY later and at RATE octets a second; one above HOLE never."""

    def __init__(self, loss=0.0, delay=0.0, rate=0, hole=MTU):
        super().__init__(daemon=True)
        self.loss, self.delay, self.rate, self.hole = loss, delay, rate, hole
        self.random = random.Random(7)
        self.lost = self.swallowed = self.carried = 0
        ours, theirs = socket.socketpair()
        self.far = subprocess.Popen(["unshare", "--net", sys.executable, __file__, "far", str(theirs.fileno())],
                                    pass_fds=[theirs.fileno()])
        theirs.close()
        fds = array.array("i", [0])
        ancillary = ours.recvmsg(1, socket.CMSG_SPACE(fds.itemsize))[1]
        fds.frombytes(ancillary[0][2][:fds.itemsize])
        self.ends = (tunnel(HERE, THERE), fds[-1])
        self.keep = ours
        self.start()

    def run(self):
        waiting, count, free = [], itertools.count(), {fd: 0.0 for fd in self.ends}
        while True:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, to, packet = heapq.heappop(waiting)
                self.carried += 1
                os.write(to, packet)
            left = max(waiting[0][0] - now, 0) if waiting else 1
            for fd in select.select(self.ends, [], [], left)[0]:
                packet, to = os.read(fd, 1 << 16), self.ends[fd == self.ends[0]]
                now = time.monotonic()
                if len(packet) > self.hole:
                    self.swallowed += 1
                elif self.random.random() < self.loss:
                    self.lost += 1
                else:
                    free[to] = max(free[to], now) + (len(packet) / self.rate if self.rate else 0)
                    heapq.heappush(waiting, (free[to] + self.delay, next(count), to, packet))

    def there(self, *command):
        return ["nsenter", f"--net=/proc/{self.far.pid}/ns/net", *command]


CLIENT = """
import sys, smtplib, poplib, ssl
what, host, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if what == "smtp":
    c = smtplib.SMTP(host, port, "client.test", timeout=240)
    c.sendmail("a@b.test", ["bob@example.test"], "Subject: in\\r\\n\\r\\n" + ("x" * 70 + "\\r\\n") * (size // 72))
    c.quit()
else:
    c = poplib.POP3(host, port, timeout=240)
    c.stls(ssl._create_unverified_context())
    c.user("alice"); c.pass_("barid")
    assert len(b"".join(c.retr(1)[1])) > size * 9 // 10
    c.dele(1); c.quit()
"""


class World:
    def __init__(self, extra="", size=3000, smtp="", **line):
        """SMTP is what the listener of the peer has of its own; the test itself sends by another."""
        self.line, self.size = Line(**line), size
        far = type("FarSink", (Sink,), {"before": self.line.there()})
        self.sink = far("--host", THERE)
        listen = {"smtp": ("smtp", "off"), "ours": ("smtp", "off"), "pop3": ("pop3", "required")}
        here = type("Here", (Barid,), {"own": {"smtp": smtp}})
        self.b = here(host=HERE, listen=listen, relay=(HERE + "/32",), extra=extra +
                       upstream("far", (THERE, self.sink.port, 'tls = "off"')) + route("far.test", "far"))

    def text(self, name):
        return f"Subject: {name}\r\n\r\n" + ("y" * 70 + "\r\n") * (self.size // 72)

    def client(self, what):
        return subprocess.Popen(self.line.there(sys.executable, "-c", CLIENT, what, HERE, str(self.b.port[what]), str(self.size)),
                                stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.b.__exit__(*exc)
        self.sink.stop()
        self.line.far.kill()


def all_go(messages, **line):
    """Out, in, and out of a mailbox: whatever the line does all of it arrives, once."""
    with World(**line) as w:
        b = w.b
        b.put("alice", "1.x", w.text("mailbox").replace("\r\n", "\n").encode())
        clients = [w.client("smtp"), w.client("pop3")]
        for i in range(messages):
            b.send("a@b.test", ["c@far.test"], w.text(f"out{i}"))
        found = w.sink.messages(messages, 60)
        for c in clients:
            assert c.wait(240) == 0, c.stderr.read()
        b.mail("bob", 1)
        b.empty(60)
        for i in range(messages):
            assert sum(f"Subject: out{i}\r\n".encode() in m["text"] for m in found) == 1
        assert len(w.sink.messages()) == messages and len(b.mailbox("bob")) == 1 and not b.mailbox("alice")
        assert "status=deferred" not in b.log()
        print(f"carried {w.line.carried}, lost {w.line.lost}")
        return w.line


def lossy():
    # Of each direction: three of twenty round trips fail.
    assert all_go(1, loss=0.08, delay=0.005).lost > 2


def far_away():
    all_go(2, delay=0.75)


def narrow():
    all_go(1, rate=1200)


def hole():
    """Large packets never arrive, and nobody says so: both sides give up in time, and nothing was taken."""
    with World(extra="queue { retry = {1h} reply-timeout = 3s }\n", smtp="timeout = 3s", size=60000, hole=576) as w:
        client = w.client("smtp")
        w.b.send("a@b.test", ["c@far.test"], w.text("out"), name="ours")
        w.b.deferred("")
        wait_for("the end of the client", lambda: client.poll() is not None)
        assert client.returncode != 0
        assert w.sink.messages() == [] and w.b.mailbox("bob") == [] and w.line.swallowed > 2
        wait_for("no session left", lambda: not w.b.sessions())
        # What is small goes on the same line.
        w.b.send("a@b.test", ["c@far.test"], "Subject: small\r\n\r\nx\r\n", name="ours")
        # Unless the host was found so bad that it is left alone for a while.
        got = wait_for("the small one", lambda: w.b.ctl("queue", "flush") and w.sink.messages(), 60)
        assert b"small" in got[0]["text"]


CASES = {"lossy": lossy, "far_away": far_away, "narrow": narrow, "hole": hole}


def far(fd):
    """In the other network: its device goes to whoever began this."""
    device = tunnel(THERE, HERE)
    sock = socket.socket(fileno=fd)
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [device]))])
    sock.recv(1)


def main():
    if sys.argv[1:2] == ["far"]:
        far(int(sys.argv[2]))
    elif len(sys.argv) > 1:
        CASES[sys.argv[1]]()
    elif not ROOT or not os.path.exists("/dev/net/tun") or subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        skip("networks of its own need root and /dev/net/tun")
    else:
        running = {name: subprocess.Popen(["unshare", "--net", sys.executable, __file__, name]) for name in CASES}
        begun = time.monotonic()
        for name, p in running.items():
            code = p.wait()
            print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)
            assert code == 0, name


main()
