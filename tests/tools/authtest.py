# SPDX-License-Identifier: GPL-3.0-or-later
"""authtest -- a barid that asks the backends of a test, and logging in to it.

    with Backends("hardcoded://alice:secret") as b:
        assert b.smtp("alice", "secret") == YES
"""
import base64
import socket
import struct
import threading

from baridtest import Barid, Wire, wait_for

YES, NO, LATER = "yes", "no", "later"


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode()).decode()


class Backends(Barid):
    """Without TLS and delays: it is the backends that are tested.  AUTH is more of that section: its timeout is short
    only where all answers are to be LATER, as a backend that is slow with this machine gives the same."""

    LISTEN = {"submission": ("submission", "off"), "pop3": ("pop3", "off")}

    def __init__(self, *urls, auth="timeout = 20s cache = 0s", clear='"PLAIN"', **kw):
        self.urls, self.auth, self.clear = urls, auth, clear
        kw.setdefault("extra", "limits { connections-per-address = 1000 }\n")
        super().__init__(**kw)

    def write_conf(self, extra=None):
        super().write_conf(extra)
        urls = ", ".join(f'"{u}"' for u in self.urls).replace("USERS", f"{self.dir}/users")
        text = self.read(self.conf)
        at = text.index("auth { backends")
        end = text.index("\n", at)
        with open(self.conf, "w") as f:
            f.write(f'{text[:at]}auth {{ backends = {{{urls}}} failure-delay = 0s failures-to-block = 0 '
                    f'without-tls = {{{self.clear}}} {self.auth} }}{text[end:]}')

    def helper(self):
        """The process id of barid-auth."""
        line = next(x for x in self.ctl("status").stdout.split("\n") if x.startswith("helper barid-auth"))
        return int(line.rpartition("pid=")[2])

    def change(self, *urls, auth=None):
        """From now on these are asked: the old barid-auth has gone."""
        self.urls, self.auth = urls, auth or self.auth
        self.write_conf()
        before = self.helper()
        self.reload()
        wait_for("another barid-auth", lambda: self.helper() not in (0, before))

    def smtp(self, user, password, source=None):
        sock = socket.create_connection(("127.0.0.1", self.port["submission"]), 60,
                                        source_address=(source, 0) if source else None)
        with sock, sock.makefile("rb") as lines:
            lines.readline()
            sock.sendall(b"EHLO client.test\r\n")
            while lines.readline()[3:4] == b"-":
                pass
            sock.sendall(f"AUTH PLAIN {b64('', user, password)}\r\n".encode())
            said = lines.readline()
            sock.sendall(b"QUIT\r\n")
            lines.read()
        return {b"235 2.7.0": YES, b"535 5.7.8": NO, b"454 4.7.0": LATER}.get(said[:9], said)

    def pop3(self, user, password):
        with Wire(self.port["pop3"]) as w:
            w.line()
            said = w.cmd(f"AUTH PLAIN {b64('', user, password)}")
            w.cmd("QUIT")
            assert w.line() is None
        for start, what in ((b"+OK ", YES), (b"-ERR [AUTH] ", NO), (b"-ERR [SYS/TEMP] ", LATER)):
            if said.startswith(start):
                return what
        return said

    def expect(self, want, user, password):
        """The same by SMTP and by POP3."""
        for way in (self.smtp, self.pop3):
            got = way(user, password)
            assert got == want, (way.__name__, user, got, want)

    def keeps(self, *secrets):
        """No log and no output has any of these."""
        shown = self.ctl("config").stdout
        for text in (self.log(), self.errors(), shown):
            for secret in secrets:
                assert secret not in text, text[max(text.find(secret) - 200, 0):][:400]


def hmac_state(name, key):
    """The middle of an HMAC-SHA1 or HMAC-SHA256 as emailrelay-passwd has it: both compressions by FIPS 180-4 6, inner and
    outer, each word with its lowest octet first.  KEY has at most a block."""
    def rol(x, n):
        return (x << n | x >> (32 - n)) & 0xffffffff

    def sha1(words):
        w = list(words)
        for t in range(16, 80):
            w.append(rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1))
        h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
        a, b, c, d, e = h
        for t in range(80):
            f, k = ((b & c | ~b & d, 0x5a827999), (b ^ c ^ d, 0x6ed9eba1), (b & c | b & d | c & d, 0x8f1bbcdc),
                    (b ^ c ^ d, 0xca62c1d6))[t // 20]
            a, b, c, d, e = (rol(a, 5) + (f & 0xffffffff) + e + k + w[t]) & 0xffffffff, a, rol(b, 30), c, d
        return [(x + y) & 0xffffffff for x, y in zip(h, (a, b, c, d, e))]

    def root(n, power):
        """32 bits behind the point of a root of N, exactly."""
        low, high = 0, n << 32
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle ** power <= n << 32 * power else (low, middle)
        return low & 0xffffffff

    def sha256(words):
        primes = [n for n in range(2, 312) if all(n % i for i in range(2, n))]
        w = list(words)
        for t in range(16, 64):
            s0 = rol(w[t - 15], 25) ^ rol(w[t - 15], 14) ^ w[t - 15] >> 3
            s1 = rol(w[t - 2], 15) ^ rol(w[t - 2], 13) ^ w[t - 2] >> 10
            w.append((w[t - 16] + s0 + w[t - 7] + s1) & 0xffffffff)
        start = [root(p, 2) for p in primes[:8]]
        h = list(start)
        for t in range(64):
            a, b, c, d, e, f, g, last = h
            t1 = last + (rol(e, 26) ^ rol(e, 21) ^ rol(e, 7)) + (e & f ^ ~e & g) + root(primes[t], 3) + w[t]
            t2 = (rol(a, 30) ^ rol(a, 19) ^ rol(a, 10)) + (a & b ^ a & c ^ b & c)
            h = [(t1 + t2) & 0xffffffff, a, b, c, (d + t1) & 0xffffffff, e, f, g]
        return [(x + y) & 0xffffffff for x, y in zip(start, h)]

    block = key.encode().ljust(64, b"\0")
    words = []
    for pad in (0x36, 0x5c):
        words += {"sha1": sha1, "sha256": sha256}[name](struct.unpack(">16I", bytes(x ^ pad for x in block)))
    return struct.pack(f"<{len(words)}I", *words)


def together(calls, threads=20):
    """What each of CALLS returns, THREADS at a time; of one that failed, how."""
    results, rest, lock = {}, list(enumerate(calls)), threading.Lock()

    def run():
        while True:
            with lock:
                if not rest:
                    return
                i, call = rest.pop(0)
            try:
                results[i] = call()
            except BaseException as e:  # noqa: B902 -- it is looked at by the caller
                results[i] = e
    workers = [threading.Thread(target=run) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return [results[i] for i in range(len(results))]


def at_once(*calls):
    """All CALLS begin at once, as each may take a pause; the first that failed is raised."""
    for result in together(calls, threads=len(calls)):
        if isinstance(result, BaseException):
            raise result


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self, kind=socket.SOCK_STREAM):
        self.sock = socket.socket(socket.AF_INET, kind)
        self.sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()
