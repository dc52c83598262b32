# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins by RADIUS: a FreeRADIUS of our own; wrong, slow, dead, and answers that somebody else made.

FEATURES A11.
"""
import hashlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import Backends, LATER, NO, Silent, YES, together  # noqa: E402
from baridtest import halt, need, wait_for  # noqa: E402

HELD = []
SECRET, WRONG, SHARED = "sesame-4711", "guess-0815", "radius@secret-99"

CONF = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {d}
run_dir = {d}
modules {{
	pap {{
	}}
	files {{
		usersfile = {d}/users
	}}
}}
client localhost {{
	ipaddr = 127.0.0.1
	secret = "{shared}"
	require_message_authenticator = yes
}}
server default {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		files
		pap
	}}
	authenticate {{
		Auth-Type PAP {{
			pap
		}}
	}}
	post-auth {{
		update reply {{
			Message-Authenticator := 0x00
		}}
		Post-Auth-Type REJECT {{
			update reply {{
				Message-Authenticator := 0x00
			}}
		}}
	}}
}}
"""


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dead_udp_port():
    """One that nobody else gets, and that refuses: it is that of a socket to which only another port may send."""
    for _ in range(2):
        HELD.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        HELD[-1].bind(("127.0.0.1", 0))
    HELD[-1].connect(HELD[-2].getsockname())
    return HELD[-1].getsockname()[1]


class FreeRadius:
    """Without MARKS as Debian 12 has it: its answers have no Message-Authenticator."""

    def __init__(self, folder, marks=True):
        self.folder = folder
        conf = CONF if marks else CONF[:CONF.index("\tpost-auth")] + "}}\n"
        with open(folder + "/users", "w") as f:
            f.write(f'alice Cleartext-Password := "{SECRET}"\n\nlong Cleartext-Password := "{"p" * 128}"\n\n'
                    'must NAS-Identifier == "barid mail", Cleartext-Password := "four"\n')
        while True:
            self.port = free_udp_port()
            with open(folder + "/radiusd.conf", "w") as f:
                f.write(conf.format(d=folder, shared=SHARED, port=self.port))
            if self.start() != "in use":
                break

    def start(self):
        """Somebody else may have got its port meanwhile."""
        self.log = self.folder + "/out"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(["freeradius", "-f", "-l", "stdout", "-d", self.folder, "-D",
                                             "/usr/share/freeradius"], stdout=out, stderr=subprocess.STDOUT)

        def ready():
            with open(self.log, encoding="utf-8", errors="replace") as f:
                text = f.read()
            if "already in use" in text:
                self.process.wait()
                return "in use"
            assert self.process.poll() is None, text
            return "ready" if "Ready to process requests" in text else None
        return wait_for("freeradius", ready)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


def url(*ports, identifier="barid%20mail", shared=SHARED):
    return f"radius://{identifier}:{shared.replace('@', '%40')}@" + ",".join(f"127.0.0.1:{p}" for p in ports)


def real(r):
    with Backends(url(r.port)) as b:
        b.expect(YES, "alice", SECRET)
        b.expect(YES, "must", "four")
        assert b.smtp("long", "p" * 128) == YES
        for user, password in (("alice", WRONG), ("alice", ""), ("alice", SECRET + "x"), ("nobody", SECRET),
                               ("long", "p" * 129), ("x" * 254, SECRET), ("alice", SECRET + "y" * 200)):
            assert b.smtp(user, password) == NO, user
        b.keeps(SECRET, WRONG, "secret-99")
        b.change(*b.urls, auth="timeout = 2s cache = 0s")
        halt(r.process.pid)
        b.expect(LATER, "alice", SECRET)
        os.kill(r.process.pid, signal.SIGCONT)
        # Another secret than the server's: neither believes the other.
        b.change(url(r.port, shared="another"))
        assert b.smtp("alice", SECRET) == LATER
        b.change(url(r.port), auth="timeout = 20s cache = 0s")
        b.expect(YES, "alice", SECRET)
        # The first of two is not there: at once, or never.
        with Silent(socket.SOCK_DGRAM) as silent:
            b.change(url(dead_udp_port(), silent.port, r.port), "hardcoded://carol:three")
            assert b.smtp("carol", "three") == YES
            b.change(url(dead_udp_port(), silent.port, r.port))
            assert b.smtp("alice", SECRET) == YES
        r.stop()
        b.change(url(r.port))
        b.expect(LATER, "alice", SECRET)


class Fake:
    """Answers each request with what HOW makes of it; of the first DROP it says nothing."""

    def __init__(self, how, drop=0):
        self.how, self.drop, self.seen = how, drop, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                packet, source = self.sock.recvfrom(4096)
                self.seen.append(packet)
                if len(self.seen) > self.drop:
                    for answer in self.how(packet):
                        self.sock.sendto(answer, source)
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()


def answer(request, code=2, shared=SHARED, mark=True, more=b"", number=None):
    """What a server that knows SHARED says."""
    secret = shared.encode()
    attributes = (b"\x50\x12" + bytes(16) if mark else b"") + more
    head = bytes([code, request[1] if number is None else number]) + (20 + len(attributes)).to_bytes(2, "big")
    if mark:
        whole = head + request[4:20] + attributes
        attributes = b"\x50\x12" + hmac.new(secret, whole, hashlib.md5).digest() + more
    return head + hashlib.md5(head + request[4:20] + attributes + secret).digest() + attributes


def user_of(request):
    at = 20
    while request[at] != 1:
        at += request[at + 1]
    return request[at + 2:at + request[at + 1]].decode()


def flipped(packet, at):
    return packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1:]


FORGED = {
    # CVE-2024-3596: the sum of the response is right, since it was forged; nothing else vouches for it.
    "bare": lambda p: [answer(p, mark=False)],
    "bare with more": lambda p: [answer(p, mark=False, more=b"\x21\x0ahellohel")],
    "another secret": lambda p: [answer(p, shared="another")],
    "another number": lambda p: [answer(p, number=p[1] ^ 1)],
    "wrong response": lambda p: [flipped(answer(p), 5)],
    "wrong mark": lambda p: [flipped(answer(p), 30)],
    "code changed": lambda p: [b"\x02" + answer(p, code=3)[1:]],
    "of another request": lambda p: [answer(p[:4] + bytes(16) + p[20:])],
    "an echo": lambda p: [p],
    "cut": lambda p: [answer(p)[:n] for n in (0, 1, 19, 20, 21, 37)],
    "huge": lambda p: [answer(p) + bytes(4076), b"\xff" * 60000],
    "garbage": lambda p: [os.urandom(n) for n in (20, 38, 1000)],
}


def hostile():
    # Each by a user of its own, all at once.
    hows = dict(zip((f"user{i}" for i in range(len(FORGED))), FORGED.values()))
    with Fake(lambda p: hows[user_of(p)](p)) as f, Backends(url(f.port), auth="timeout = 2s cache = 0s") as b:
        got = together([lambda user=user: b.smtp(user, SECRET) for user in hows], threads=len(hows))
        assert got == [LATER] * len(hows), list(zip(FORGED, got))
        wait_for("what was asked", lambda: {user_of(p) for p in f.seen} == set(hows))
        assert all(SECRET.encode() not in p for p in f.seen)
    # A forged yes before the true no, and the other way round.
    with Fake(lambda p: [answer(p, mark=False), answer(p, code=3)]) as f, Backends(url(f.port)) as b:
        b.expect(NO, "alice", SECRET)
        # Each question has a number and an authenticator of its own.
        assert len({p[1:2] + p[4:20] for p in f.seen}) == len({p[4:20] for p in f.seen}) == 2, f.seen
        f.how = lambda p: [answer(p, code=3, shared="another"), answer(p, more=b"\x12\x04ok")]
        b.expect(YES, "alice", SECRET)
        # More is asked for than a password: that is a no.
        f.how = lambda p: [answer(p, code=11, more=b"\x18\x03s")]
        b.expect(NO, "alice", SECRET)
    # Lost packets: the same one is sent again.
    with Fake(lambda p: [answer(p)], drop=2) as f, Backends(url(f.port)) as b:
        assert b.smtp("alice", SECRET) == YES
        assert len(f.seen) >= 3 and f.seen == [f.seen[0]] * len(f.seen)


def main():
    need("freeradius")
    with tempfile.TemporaryDirectory(prefix="barid-radius-") as folder:
        r = FreeRadius(folder, marks=False)
        try:
            with Backends(url(r.port), auth="timeout = 1s cache = 0s") as b:
                wait_for("its answer", lambda: b.expect(LATER, "alice", SECRET) or
                         "has no Message-Authenticator" in b.log())
        finally:
            r.stop()
        r = FreeRadius(folder)
        try:
            real(r)
        finally:
            r.stop()
    hostile()


main()
