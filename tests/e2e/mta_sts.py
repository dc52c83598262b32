# SPDX-License-Identifier: GPL-3.0-or-later
"""T-07: MTA-STS policies over real HTTPS, what they make of mail, and what is left of them without their server."""
import http.server
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, Tiny, free_port, listening, need, run, wait_for  # noqa: E402

SENDER = "alice@example.test"


def cert(folder, stem, names, ca=None):
    """A certificate for NAMES, and nothing in its common name."""
    key, csr, pem = (f"{folder}/{stem}.{x}" for x in ("key", "csr", "pem"))
    san = "subjectAltName=" + ",".join("DNS:" + n for n in names)
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={stem}",
           "-keyout", key, "-addext", san]
    if not ca:
        subprocess.run(new + ["-x509", "-days", "30", "-out", pem], check=True, capture_output=True)
        return pem, key
    subprocess.run(new + ["-new", "-out", csr], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-days",
                    "30", "-copy_extensions", "copy", "-out", pem], check=True, capture_output=True)
    return pem, key


def policy(mode, *mx, age=86400):
    return "version: STSv1\r\n" + f"mode: {mode}\r\n" + "".join(f"mx: {m}\r\n" for m in mx) + f"max_age: {age}\r\n"


class Web:
    """An HTTPS server for the hosts mta-sts.X: what is in ANSWERS under X."""

    def __init__(self, pem, key):
        self.answers, self.asked, self.stall = {}, [], threading.Event()
        self.stall.set()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers["Host"].split(":")[0].removeprefix("mta-sts.")
                web.asked.append((host, self.path))
                a = web.answers.get(host)
                if a is None:
                    self.send_error(404)
                    return
                if isinstance(a, str):
                    a = {"body": a}
                if a.get("stall"):
                    web.stall.wait(60)
                body = a.get("body", "").encode()
                self.send_response(a.get("code", 200))
                self.send_header("Content-Type", a.get("type", "text/plain"))
                for k, v in a.get("headers", {}).items():
                    self.send_header(k, v)
                if not a.get("chunked"):
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

            def finish_request(self, request, client):
                # In the thread of the request: a handshake is somebody else's time.
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                ctx.load_cert_chain(pem, key)
                super().finish_request(ctx.wrap_socket(request, server_side=True), client)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, domain):
        return sum(host == domain for host, _ in self.asked)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


POLICIES = {
    "good": policy("enforce", "mx.good.test"),
    "wild": policy("enforce", "*.wild.test"),
    "deep": policy("enforce", "*.deep.test"),
    "nomatch": policy("enforce", "mx.other.test"),
    "second": policy("enforce", "mx.second.test"),
    "badcert": policy("enforce", "bad.badcert.test"),
    "wrong": policy("enforce", "mx.wrong.test"),
    "notls": policy("enforce", "no.notls.test"),
    "testing": policy("testing", "bad.testing.test"),
    "unnamed": policy("testing", "mx.other.test"),
    "none": policy("none"),
    "dane": policy("enforce", "mx.other.test"),
    "redirect": {"code": 301, "headers": {"Location": "https://mta-sts.good.test/.well-known/mta-sts.txt"}},
    "large": policy("enforce", "mx.other.test") + "x: y\r\n" * 20000,
    "chunked": {"body": policy("enforce", "mx.other.test") + "x: y\r\n" * 20000, "chunked": True},
    "html": {"body": policy("enforce", "mx.other.test"), "type": "text/html"},
    "broken": "version: STSv1\r\nmode: enforce\r\nmax_age: 5\r\n",
    "two": policy("enforce", "mx.other.test"),
    "private": policy("enforce", "mx.other.test"),
    "elsewhere": policy("enforce", "mx.other.test"),
}
# Where mail must arrive: at the host with a good certificate (2), with a bad one (3), without TLS (4); or it waits.
ARRIVES = {"good": 2, "wild": 2, "second": 2, "testing": 3, "unnamed": 4, "none": 4, "dane": 3, "redirect": 4,
           "large": 4, "chunked": 4, "html": 4, "broken": 4, "two": 4, "private": 4, "elsewhere": 4, "missing": 4,
           "norecord": 4}
WAITS = {"deep": "does not name the host", "nomatch": "does not name the host", "badcert": "self-signed certificate",
         "wrong": "hostname mismatch", "notls": "TLS is required, but the server does not offer it"}
# Why there is no policy.
FAILS = {"redirect": "HTTP status 301: redirects are not followed", "large": "more than 65536 octets",
         "chunked": "more than 65536 octets", "html": "its content type is text/html", "broken": "it lacks an mx",
         "private": "its address is not a public one", "elsewhere": "SSL: no alternative certificate subject name|"
         "certificate subject name|hostname mismatch|[Hh]ostname", "missing": "HTTP status 404"}


class World:
    """Names, mail hosts, the HTTPS server, and a barid that obeys policies."""

    def __init__(self, extra="", offers=()):
        self.dir = d = tempfile.mkdtemp()
        os.chmod(d, 0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=test authority", "-keyout", d + "/ca.key", "-out", d + "/ca.pem", "-days", "30"],
                       check=True, capture_output=True)
        os.chmod(d + "/ca.pem", 0o644)
        ca = (d + "/ca.pem", d + "/ca.key")
        domains = sorted(set(ARRIVES) | set(WAITS))
        web = cert(d, "web", [f"mta-sts.{n}.test" for n in domains if n != "elsewhere"], ca)
        good = cert(d, "good", ["mx.good.test", "a.wild.test", "mx.second.test", "a.b.deep.test", "mx.nomatch.test"], ca)
        self.bad = cert(d, "bad", ["bad.badcert.test", "bad.testing.test"])
        self.web = Web(*web)
        self.web.answers = {f"{n}.test": a for n, a in POLICIES.items()}
        port = free_port([f"127.0.0.{n}" for n in (2, 3, 4)])
        self.sinks = {2: Sink("--host", "127.0.0.2", "--port", str(port), "--tls-cert", good[0], "--tls-key", good[1],
                              *offers),
                      3: Sink("--host", "127.0.0.3", "--port", str(port), "--tls-cert", self.bad[0], "--tls-key",
                              self.bad[1], *offers),
                      4: Sink("--host", "127.0.0.4", "--port", str(port))}
        self.zone = self.make_zone(domains, port)
        self.names = Names(self.zone)
        overrides = "".join(f'dns-override "mta-sts.{n}.test" {{ addresses = {{"127.0.0.1:{self.web.port}"}} }}\n'
                            for n in domains if n != "private")
        self.b = Barid(relay=("127.0.0.0/8",), extra=self.names.conf + overrides + f'smtp-port = {port}\n'
                       f'tls {{ ca = "{ca[0]}" }}\nroute "*" {{ tls = "dane" }}\n'
                       "queue { retry = {1h} idle-connection = 100ms runners = 2 }\n" + extra)

    def make_zone(self, domains, port):
        hosts = {"good": "mx.good.test 2", "wild": "a.wild.test 2", "deep": "a.b.deep.test 2",
                 "nomatch": "mx.nomatch.test 2", "badcert": "bad.badcert.test 3", "testing": "bad.testing.test 3",
                 "wrong": "mx.wrong.test 2", "dane": "bad.dane.test 3"}
        zone = "mta-sts.private.test A 127.0.0.1\n"
        for n in domains:
            host, address = hosts.get(n, f"no.{n}.test 4").split()
            zone += f"{n}.test MX 20 {host}\n{host} A 127.0.0.{address}\n"
            if n != "norecord":
                zone += f'_mta-sts.{n}.test TXT "v=STSv1; id=1;"\n'
        zone += "second.test MX 10 bad.second.test\nbad.second.test A 127.0.0.3\n"
        zone += "second.test MX 30 mx.second.test\nmx.second.test A 127.0.0.2\n"
        zone += '_mta-sts.two.test TXT "v=STSv1; id=2;"\n'
        der = subprocess.run(["openssl", "x509", "-in", self.bad[0], "-pubkey", "-noout"], check=True,
                             capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=der, check=True,
                             capture_output=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, check=True,
                                capture_output=True).stdout.split()[0].decode()
        return zone + f"dane.test SECURE\n_{port}._tcp.bad.dane.test TLSA 3 1 1 {digest}\n"

    def record(self, domain, line):
        """Another TXT record for DOMAIN, or none."""
        self.zone = "".join(z + "\n" for z in self.zone.split("\n") if z and not z.startswith(f"_mta-sts.{domain}.test "))
        if line:
            self.zone += f'_mta-sts.{domain}.test TXT "{line}"\n'
        self.names.change(self.zone)

        def known():
            said = run("drill", "-p", str(self.names.port), "@127.0.0.1", f"_mta-sts.{domain}.test", "TXT").decode()
            return f'"{line}"' in said if line else "v=STSv1" not in said
        wait_for("the record", known)

    def send(self, *domains):
        with self.b.smtp() as c:
            for n in domains:
                c.sendmail(SENDER, [f"to@{n}.test"], f"Subject: {n}\r\n\r\nx\r\n")

    def arrived(self):
        found = {}
        for n, s in self.sinks.items():
            for m in s.messages():
                found.setdefault(m["rcpts"][0]["path"].split("@")[1][:-5], []).append((n, m["tls"]))
        return found

    def kept(self, domain):
        return f"{self.b.dir}/spool/sts/{domain}.test"

    def age(self, domain, seconds):
        """Makes what is kept of DOMAIN so much older."""
        with open(self.kept(domain), encoding="ascii") as f:
            head, text = f.read().split("\n", 1)
        word, fetched, ident = head.split()
        with open(self.kept(domain), "w", encoding="ascii") as f:
            f.write(f"{word} {int(fetched) - seconds} {ident}\n{text}")

    def __enter__(self):
        return self

    def __exit__(self, kind, exc, tb):
        self.web.stall.set()
        self.b.__exit__(kind, exc, tb)
        self.web.stop()
        for s in self.sinks.values():
            s.stop()
        self.names.stop()
        shutil.rmtree(self.dir)


def modes():
    """What each policy does, and which are none."""
    with World() as w:
        w.send(*ARRIVES, *WAITS)
        wait_for("what can arrive", lambda: len(w.arrived()) == len(ARRIVES), 60)
        assert {n: got[0][0] for n, got in w.arrived().items()} == ARRIVES, w.arrived()
        for n, words in WAITS.items():
            line = w.b.deferred(f"<to@{n}.test>")
            assert words in line and re.search(r"dsn=4\.7\.\d", line), line
        log = w.b.log()
        for n, words in FAILS.items():
            assert re.search(rf"MTA-STS policy of {n}\.test: cannot be fetched: .*({words})", log), (n, words)
        for n in ("good", "wild", "second"):
            assert w.arrived()[n][0][1], "TLS"
        assert re.search(r"barid/smtp\[\d+\]: Verified TLS connection established to mx\.good\.test\[127\.0\.0\.2\]:\d+: "
                         r"TLSv1\.3 with cipher TLS_AES_\w+ \(\d+/\d+ bits\)", log)
        assert "Verified TLS connection established to bad.dane.test" in log
        assert re.search(r"MTA-STS policy of testing\.test in testing: bad\.testing\.test.* would not be used: "
                         "self-signed certificate", log)
        assert "MTA-STS policy of unnamed.test in testing: no.unnamed.test would not be used: the MTA-STS policy does " \
            "not name the host" in log
        assert re.search(r"in testing: no\.unnamed\.test\[127\.0\.0\.4\]:\d+ would not be used: there is no TLS", log)
        # S-04: those who were not what they should be were told nothing.
        w.b.stop()
        for s in w.sinks.values():
            for line in s.said():
                assert not any(f"@{n}.test" in line for n in WAITS), line
        # RFC 8461 3.3: the address and nothing else; one fetch serves all runners.
        assert {p for _, p in w.web.asked} == {"/.well-known/mta-sts.txt"}
        assert ("norecord.test", "/.well-known/mta-sts.txt") not in w.web.asked and w.web.count("two.test") == 0
        assert w.web.count("good.test") == 1, w.web.asked
        assert w.web.count("private.test") == 0, "S-61"


def lasting():
    """A policy outlives its server, its record and barid; another id brings another; its time ends it."""
    with World() as w:
        w.send("badcert", "good")
        w.b.deferred("<to@badcert.test>")
        wait_for("good", lambda: "good" in w.arrived())
        assert os.path.exists(w.kept("badcert")) and os.path.exists(w.kept("good"))
        assert os.stat(w.kept("good")).st_mode & 0o777 == 0o600
        w.b.stop()
        w.web.answers = {}
        w.record("badcert", None)
        w.b.start()
        count = w.b.log().count("<to@badcert.test>")
        w.b.ctl("queue", "flush")
        wait_for("the next attempt", lambda: w.b.log().count("<to@badcert.test>") > count)
        assert w.web.count("badcert.test") == 1 and "badcert" not in w.arrived()
        # Another id, and nothing to be fetched: what is kept holds.
        w.record("badcert", "v=STSv1; id=2")
        w.b.stop()
        w.b.start()
        count = w.b.log().count("<to@badcert.test>")
        w.b.ctl("queue", "flush")
        wait_for("the next attempt", lambda: w.b.log().count("<to@badcert.test>") > count)
        wait_for("a fetch", lambda: w.web.count("badcert.test") == 2)
        assert "the one that is kept is used" in w.b.log() and "badcert" not in w.arrived()
        # One that is half over is fetched anew beside; mail does not wait for it.
        w.b.stop()
        w.web.answers = {"good.test": policy("testing", "mx.good.test")}
        w.age("good", 50000)
        w.b.start()
        w.send("good")
        wait_for("good", lambda: len(w.arrived()["good"]) == 2)
        wait_for("the newer policy", lambda: "mode: testing" in open(w.kept("good"), encoding="ascii").read())
        # mode: none ends it.
        w.b.stop()
        w.web.answers = {"badcert.test": policy("none")}
        w.record("badcert", "v=STSv1; id=3")
        w.b.start()
        w.b.ctl("queue", "flush")
        wait_for("badcert", lambda: "badcert" in w.arrived())
        assert "mode: none" in open(w.kept("badcert"), encoding="ascii").read()


def ended():
    """A policy that is over is none, and one that is broken on the disk neither."""
    with World() as w:
        w.send("badcert", "wrong")
        w.b.deferred("<to@badcert.test>")
        w.b.deferred("<to@wrong.test>")
        w.b.stop()
        w.web.answers = {}
        w.age("badcert", 90000)
        with open(w.kept("wrong"), "w", encoding="ascii") as f:
            f.write("sts1 1 1\nrubbish")
        w.record("badcert", None)
        w.record("wrong", None)
        w.b.start()
        w.b.ctl("queue", "flush")
        wait_for("both", lambda: {"badcert", "wrong"} <= set(w.arrived()))


def refreshed():
    """Without mail: what is in use is fetched anew after a day, with the record of then; nothing else is."""
    with World() as w:
        names = ("good", "wild", "second", "none", "nomatch", "badcert", "wrong")
        for n in names:
            w.web.answers[n + ".test"] = POLICIES[n].replace("86400", "604800")
        w.send(*names)
        wait_for("all of them", lambda: all(os.path.exists(w.kept(n)) for n in names))
        wait_for("what arrives", lambda: {"good", "wild", "second", "none"} <= set(w.arrived()))
        w.b.stop()
        for n in names:
            w.age(n, {"wild": 700000, "wrong": 80000}.get(n, 90000))
        before = {n: open(w.kept(n), encoding="ascii").read() for n in names}
        # Nobody has used it for more than a month.
        long_ago = time.time() - 32 * 86400
        os.utime(w.kept("second"), (long_ago, long_ago))
        lately = time.time() - 7 * 86400
        os.utime(w.kept("good"), (lately, lately))
        w.web.asked.clear()
        w.record("good", "v=STSv1; id=later")
        w.record("nomatch", None)
        w.web.answers["good.test"] = policy("testing", "mx.good.test", age=604800)
        w.web.answers.pop("badcert.test")
        # The mail that waits for them is no reason to ask.
        w.b.write_conf(w.b.extra + "queue { deliver = false }\n")
        w.b.start()
        # What is fetched for nobody was not used; to read it here would be a use, too.
        wait_for("the newer policy", lambda: os.stat(w.kept("good")).st_mtime > lately + 1)
        assert abs(os.stat(w.kept("good")).st_atime - lately) < 10
        wait_for("its text", lambda: "mode: testing" in open(w.kept("good"), encoding="ascii").read())
        head = open(w.kept("good"), encoding="ascii").readline().split()
        assert head[2] == "later" and abs(int(head[1]) - time.time()) < 60, head
        # Who has no record any more, and whose server has none, keeps what there is.
        for n, why in (("nomatch", "there is no TXT record"), ("badcert", "HTTP status 404")):
            wait_for(f"the word of {n}", lambda n=n, why=why: re.search(
                rf"policy of {n}\.test: cannot be fetched anew: .*{why}.*: the one that is kept holds", w.b.log()))
        assert sorted(w.web.asked) == [(f"{n}.test", "/.well-known/mta-sts.txt") for n in ("badcert", "good")], w.web.asked
        for n in names[1:]:
            assert open(w.kept(n), encoding="ascii").read() == before[n], n


def helper(b):
    for line in b.ctl("status").stdout.split("\n"):
        if line.startswith("helper barid-http"):
            return int(line.split("pid=")[1])
    raise AssertionError("barid-http is not in the status")


def without_helper():
    """N-17: a helper that dies is one that found nothing; mail goes on, and the helper comes back."""
    with World() as w:
        w.web.answers["none.test"] = {"body": policy("enforce", "x.test"), "stall": True}
        w.web.stall.clear()
        w.send("none")
        wait_for("the fetch", lambda: w.web.count("none.test") == 1)
        # Others do not wait for it.
        w.send("good")
        wait_for("good", lambda: "good" in w.arrived())
        assert "none" not in w.arrived()
        pid = helper(w.b)
        os.kill(pid, signal.SIGKILL)
        wait_for("none", lambda: "none" in w.arrived())
        wait_for("another barid-http", lambda: helper(w.b) not in (0, pid))
        # What is kept is read by the runner alone.
        w.send("good")
        wait_for("good", lambda: len(w.arrived()["good"]) == 2)
        w.send("wild")
        wait_for("wild", lambda: "wild" in w.arrived(), 40)
        assert os.path.exists(w.kept("wild"))


def proxied():
    """H10: policies come by an HTTP proxy, which is led to the same addresses; what is not public stays so."""
    with Tiny() as proxy:
        with World(f'http-proxy = "http://me:hush@127.0.0.1:{proxy.port}"\n') as w:
            w.send("good", "nomatch", "private")
            wait_for("good and private", lambda: set(w.arrived()) == {"good", "private"}, 60)
            assert w.arrived()["good"][0] == (2, "TLSv1.3"), w.arrived()
            w.b.deferred("<to@nomatch.test>")
            assert set(proxy.connected()) == {f"127.0.0.1:{w.web.port}"}, proxy.connected()
            assert re.search(r"policy of private\.test: cannot be fetched: .*not a public one", w.b.log())
            assert w.web.count("private.test") == 0 and w.web.count("good.test") == 1, w.web.asked
            assert "hush" not in w.b.ctl("config").stdout + w.b.log()
        with World(f'http-proxy = "http://me:wrong@127.0.0.1:{proxy.port}"\n') as w:
            w.send("good")
            wait_for("good, without a policy", lambda: "good" in w.arrived(), 60)
            assert re.search(r"policy of good\.test: cannot be fetched: .*40[17]", w.b.log()), w.b.log()


def by_socks():
    """H10: the same by SOCKS 5, at a proxy that we did not write; with a wrong password there is no policy."""
    need("microsocks")
    port = free_port(["127.0.0.1"])
    proxy = subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "me", "-P", "hush"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for("the proxy", lambda: listening(port))
        with World(f'http-proxy = "socks5://me:hush@127.0.0.1:{port}"\n') as w:
            w.send("good", "nomatch")
            wait_for("good", lambda: set(w.arrived()) == {"good"}, 60)
            w.b.deferred("<to@nomatch.test>")
            first = w.web.port
            assert w.web.count("good.test") == 1 and "hush" not in w.b.ctl("config").stdout + w.b.log()
        with World(f'http-proxy = "socks5://me:wrong@127.0.0.1:{port}"\n') as w:
            w.send("good")
            wait_for("good, without a policy", lambda: "good" in w.arrived(), 60)
            assert re.search(r"policy of good\.test: cannot be fetched: ", w.b.log()) and w.web.count("good.test") == 0
    finally:
        proxy.terminate()
        said = proxy.communicate()[1].decode()
    assert set(re.findall(r"connected to (\S+)", said)) == {f"127.0.0.1:{first}"}, said


def required():
    """RFC 8689: MTA-STS or DANE vouches for the host, testing does not; and TLS-Required: No overrides both."""
    secret = "Subject: x\r\n\r\nsecret\r\n"
    with World(offers=("--caps", "PIPELINING,STARTTLS,REQUIRETLS")) as w:
        with w.b.smtp(tls=True) as c:
            for n in ("good", "dane", "testing", "none", "badcert", "nomatch"):
                c.sendmail(SENDER, [f"to@{n}.test"], secret, ["REQUIRETLS"])
        wait_for("good and dane", lambda: set(w.arrived()) == {"good", "dane"}, 60)
        for m in w.sinks[2].messages() + w.sinks[3].messages():
            assert "REQUIRETLS" in m["mail"]["params"] and m["tls"], m

        def returned(n):
            return re.search(rf"to=<to@{n}\.test>.* dsn=5\.7\.10, status=bounced", w.b.log())
        for n in ("testing", "none", "badcert"):
            wait_for(f"the return of {n}", lambda n=n: returned(n))
        # Their policy forbids that host to everybody: it may name another one tomorrow.
        w.b.deferred("<to@nomatch.test>")
        with w.b.smtp() as c:
            c.sendmail(SENDER, ["no@nomatch.test"], "TLS-Required: no\r\n" + secret)
        # By sendmail it is the same.
        w.b.sendmail("-f", SENDER, "no@badcert.test", text="TLS-Required: No\n" + secret.replace("\r", ""))
        wait_for("what needs no TLS", lambda: {"badcert", "nomatch"} < set(w.arrived()), 60)
        assert w.arrived()["badcert"][0][0] == 3, w.arrived()


def main():
    for test in (modes, required, lasting, ended, refreshed, without_helper, proxied, by_socks):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
