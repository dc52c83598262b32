# SPDX-License-Identifier: GPL-3.0-or-later
"""authtest -- a barid that asks the backends of a test, and logging in to it.

    with Backends("hardcoded://alice:secret") as b:
        assert b.smtp("alice", "secret") == YES
"""
import base64
import socket
import threading

from baridtest import Barid, Wire, wait_for

YES, NO, LATER = "yes", "no", "later"


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode()).decode()


class Backends(Barid):
    """Without TLS and delays: it is the backends that are tested.  AUTH is more of that section."""

    LISTEN = {"submission": ("submission", "off"), "pop3": ("pop3", "off")}

    def __init__(self, *urls, auth="timeout = 2s cache = 0s", clear='"PLAIN"', **kw):
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

    def change(self, *urls):
        """From now on these are asked: the old barid-auth has gone."""
        self.urls = urls
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
