# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to other servers: S-02, S-04, S-11, N-10, T-08; certificates of our own, dns-override."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Hosts, Sink, route, upstream, wait_for  # noqa: E402

SENDER = "alice@example.test"
HOST = "smtp.isp.test"
SLOW = "queue { retry = {1h} idle-connection = 100ms runners = 1 }\n"
LOGIN = 'user = "u" password = "secret"'


def tool(*args):
    subprocess.run(args, check=True, capture_output=True)


class Authority:
    """A CA with an intermediate one; FOLDER has its files."""

    def __init__(self, folder, name="authority"):
        self.dir = folder
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.pem, self.key = folder + "/ca.pem", folder + "/ca.key"
        tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", self.key,
             "-out", self.pem, "-days", "30")
        os.chmod(self.pem, 0o644)
        with open(folder + "/ca.cnf", "w") as f:
            f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nrand_serial=yes\nnew_certs_dir={folder}\n"
                    "default_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n")
        open(folder + "/index", "w").close()
        self.middle = self.sign("middle", "", "basicConstraints=critical,CA:TRUE")

    def request(self, stem, san, *more):
        key, csr = f"{self.dir}/{stem}.key", f"{self.dir}/{stem}.csr"
        ext = [x for e in ((f"subjectAltName={san}",) if san else ()) + more for x in ("-addext", e)]
        tool("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             f"/CN={stem}", "-keyout", key, "-out", csr, *ext)
        return csr, key

    def sign(self, stem, san, *more, by=None, start="20200101000000Z", end="20400101000000Z", md="sha256"):
        csr, key = self.request(stem, san, *more)
        pem = f"{self.dir}/{stem}.pem"
        cert, ca_key = by or (self.pem, self.key)
        tool("openssl", "ca", "-batch", "-config", self.dir + "/ca.cnf", "-cert", cert, "-keyfile", ca_key, "-in", csr,
             "-out", pem, "-notext", "-startdate", start, "-enddate", end, "-md", md)
        return pem, key

    def self_signed(self, stem, san):
        csr, key = self.request(stem, san)
        tool("openssl", "x509", "-req", "-in", csr, "-signkey", key, "-copy_extensions", "copy", "-days", "30", "-out",
             f"{self.dir}/{stem}.pem")
        return f"{self.dir}/{stem}.pem", key


def nul_name():
    """GeneralNames with one dNSName that has a NUL in it."""
    name = HOST.encode() + b"\0.evil.test"
    inner = b"\x82" + bytes([len(name)]) + name
    return "DER:" + (b"\x30" + bytes([len(inner)]) + inner).hex(":")


def silent(s):
    """Nothing that matters was said to the sink."""
    assert s.messages() == []
    for line in s.said():
        assert line.split(" ")[0] in ("EHLO", "HELO", "STARTTLS", "QUIT"), line


class Servers(Hosts):
    """A barid, and for each case a server to which mail for its domain goes."""

    def __init__(self, ca, cases, extra="", host=HOST):
        """CASES: name -> (arguments, rules, options of the server)."""
        self.sinks = {n: Sink(*args, rules=rules) for n, (args, rules, _) in cases.items()}
        self.around = self.sinks.values()
        conf = f'tls {{ ca = "{ca}" }}\ndns-override "{host}" {{ addresses = {{"127.0.0.1"}} }}\n' + SLOW
        for n, (_, _, options) in cases.items():
            conf += upstream(n, (host, self.sinks[n].port, options)) + route(f"{n}.test", n)
        self.b = Barid(relay=("127.0.0.0/8",), extra=conf + extra)

    def send(self, *names):
        with self.b.smtp() as c:
            for n in names or self.sinks:
                c.sendmail(SENDER, [f"to@{n}.test"], f"Subject: {n}\r\n\r\nx\r\n")


def certificates():
    """S-11, T-08: with "verified" a bad certificate means no AUTH and no MAIL, and the log says why."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca, other = Authority(d + "/ca"), Authority(d + "/other")
    san = "DNS:" + HOST
    chain = ca.sign("chain", san, by=ca.middle)
    with open(chain[0], "a") as f, open(ca.middle[0]) as m:
        f.write(m.read())
    certs = {"good": (ca.sign("good", san), None), "chain": (chain, None),
             "wild": (ca.sign("wild", "DNS:*.isp.test"), None), "upper": (ca.sign("upper", "DNS:SMTP.ISP.Test"), None),
             "expired": (ca.sign("expired", san, end="20210101000000Z"), "certificate has expired"),
             "future": (ca.sign("future", san, start="20390101000000Z"), "certificate is not yet valid"),
             "wrong": (ca.sign("wrong", "DNS:mail.isp.test"), "hostname mismatch"),
             "self": (ca.self_signed("self", san), "self-signed certificate"),
             "foreign": (other.sign("foreign", san), "unable to get local issuer certificate"),
             "cn-only": (ca.sign(HOST, ""), "hostname mismatch"),
             "stars": (ca.sign("stars", "DNS:*.*.test"), "hostname mismatch"),
             "part": (ca.sign("part", "DNS:s*.isp.test"), "hostname mismatch"),
             "nul": (ca.sign("nul", nul_name()), "hostname mismatch"),
             "address": (ca.sign("address", "IP:127.0.0.1"), "hostname mismatch"),
             "missing": (ca.sign("missing", san, by=ca.middle), "unable to get local issuer certificate"),
             "sha1": (ca.sign("sha1", san, md="sha1"), "CA signature digest algorithm too weak"),
             "md5": (ca.sign("md5", san, md="md5"), "CA signature digest algorithm too weak")}
    cases = {n: (("--tls-cert", c[0], "--tls-key", c[1], "--auth", "u:secret") +
                 (("--tls-max", "1.3") if n in ("sha1", "md5") else ()), (), f'tls = "verified" {LOGIN}')
             for n, (c, _) in certs.items()}
    with Servers(ca.pem, cases) as t:
        t.send()
        for n, (_, why) in certs.items():
            if why:
                line = t.b.deferred(f"<to@{n}.test>")
                assert why.lower() in line.lower() and re.search(r"dsn=4\.7\.\d", line), (n, line)
            else:
                m = t.sinks[n].messages(1)[0]
                assert m["tls"] and m["auth"] == "u" and m["sni"] == HOST, m
        t.b.stop()
        for n, (_, why) in certs.items():
            if why:
                silent(t.sinks[n])
        assert t.b.log().count("Verified TLS connection established to " + HOST) == sum(not w for _, w in certs.values())
    shutil.rmtree(d)


def levels():
    """S-02, S-04, N-10: who strips TLS, breaks it, or speaks before it, by each level."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca = Authority(d + "/ca")
    cert = ca.sign("good", "DNS:" + HOST)
    tls = ("--tls-cert", cert[0], "--tls-key", cert[1], "--auth", "u:secret")
    peers = {"absent": (("--auth", "u:secret"), ()), "refused": (tls, ("STARTTLS=454 4.7.0 not now",)),
             "unknown": (tls, ("STARTTLS=502 5.5.1 what?",)), "helo": (tls, ("EHLO 1=502 5.5.1 what?",)),
             "broken": (tls, ("TLS=drop",)), "old": (tls + ("--tls-max", "1.1"), ()), "silent": (tls, ("STARTTLS=drop",)),
             # One segment, and two: what came in clear is not used behind the handshake (CVE-2021-38371).
             "inject": (tls, ("STARTTLS=raw 220 go\\r\\n250-x\\r\\n250 AUTH PLAIN\\r\\n; tls",)),
             "inject2": (tls, ("STARTTLS=raw 220 go\\r\\n250-x\\r\\n250 AUTH PLAIN LOGIN\\r\\n; delay 50; tls",)),
             "early": (tls, ("CONNECT=raw 220 x\\r\\n250-x\\r\\n250 STARTTLS\\r\\n220 go\\r\\n; ok",))}
    cases = {}
    for level in ("required", "verified", "dane", "may"):
        for n, (args, rules) in peers.items():
            login = f" {LOGIN}" if level in ("required", "verified") else ""
            # Without TLSA records dane is may.
            cases[f"{level}-{n}"] = (args, rules, f'tls = "{level}"{login}')
    with Servers(ca.pem, cases) as t:
        t.send()
        # Those that no TLS comes about with get it in clear, once and where it may be; tricks are none of these.
        twice = {"broken", "old"}
        clear = {"absent", "refused", "unknown", "helo"} | twice
        for name, s in t.sinks.items():
            level, n = name.split("-")
            if level in ("may", "dane") and n in clear:
                m = s.messages(1)[0]
                assert m["tls"] is None, (name, m)
                continue
            line = t.b.deferred(f"<to@{name}.test>")
            assert re.search(r"dsn=4\.", line), line
        t.b.stop()
        for name, s in t.sinks.items():
            level, n = name.split("-")
            if level in ("required", "verified"):
                silent(s)
            elif n in clear:
                assert len(s.messages()) == 1, name
                # Once: a handshake that failed, and the connection without.
                assert len(s.connections()) == (2 if n in twice else 1), (name, s.connections())
            elif n != "silent":
                silent(s)
            for line in s.said():
                assert "AUTH" not in line and "secret" not in line, (name, line)
    shutil.rmtree(d)


def rotation():
    """N-10: nothing of a failure stays: the next attempt sees what is there then."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca = Authority(d + "/ca")
    good, bad = ca.sign("good", "DNS:" + HOST), ca.sign("bad", "DNS:other.test")
    tls = ("--tls-cert", d + "/now.pem", "--tls-key", d + "/now.key")

    def put(pair):
        shutil.copy(pair[0], d + "/now.pem")
        shutil.copy(pair[1], d + "/now.key")

    put(bad)
    cases = {"name": (tls, (), 'tls = "verified"'), "once": (tls, ("TLS @1=drop",), 'tls = "required"'),
             "may": (tls, ("TLS @1=drop",), 'tls = "may"')}
    with Servers(ca.pem, cases) as t:
        t.send()
        t.b.deferred("hostname mismatch")
        t.b.deferred("<to@once.test>")
        port = t.sinks["name"].port
        t.sinks["name"].stop()
        put(good)
        t.sinks["name"] = Sink(*tls, "--port", str(port))

        def flushed(n):
            t.b.ctl("queue", "flush")
            return t.sinks[n].messages()
        assert wait_for("the new certificate to do", lambda: flushed("name"))[0]["tls"]
        assert wait_for("TLS the second time", lambda: flushed("once"))[0]["tls"]
        # The first went in clear; what comes later has TLS again.
        assert t.sinks["may"].messages(1)[0]["tls"] is None
        t.sinks["may"].connections(2)
        t.send("may")
        assert t.sinks["may"].messages(2)[1]["tls"]
    shutil.rmtree(d)


def ours():
    """A certificate of our own, another name than the server's, and a mistake in it that stops nothing else."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca = Authority(d + "/ca")
    server, client = ca.sign("server", "DNS:other.test"), ca.sign("gateway", "")
    with open(d + "/both.pem", "w") as f:
        for path in client:
            with open(path) as g:
                f.write(g.read())
    args = ("--tls-cert", server[0], "--tls-key", server[1], "--tls-client-ca", ca.pem)
    name = 'tls = "verified" tls-name = "other.test"'
    cases = {"shown": (args, (), f'{name} certificate = "{client[0]}" key = "{client[1]}"'),
             "both": (args, (), f'{name} certificate = "{d}/both.pem"'), "none": (args, (), name),
             "noname": (args[:4], (), 'tls = "verified"')}
    with Servers(ca.pem, cases) as t:
        t.send()
        for n in ("shown", "both"):
            m = t.sinks[n].messages(1)[0]
            assert m["client"] == "gateway" and m["sni"] == "other.test", m
        # TLS 1.3 tells it behind the handshake, perhaps by a reset.
        t.b.deferred("<to@none.test>")
        assert t.sinks["none"].messages() == []
        assert "hostname mismatch" in t.b.deferred("<to@noname.test>").lower()
    shutil.rmtree(d)


def override():
    """V5: a domain's mail goes where dns-override says, and DNS is not asked."""
    d = tempfile.mkdtemp()
    with Sink() as s, Sink() as two, Barid(relay=("127.0.0.0/8",), extra=SLOW + 'dns { servers = {"127.0.0.1:1"} }\n'
            f'dns-override "far.test" {{ addresses = {{"127.0.0.9:1", "127.0.0.1:{s.port}"}} }}\n'
            f'dns-override "mx.near.test" {{ addresses = {{"127.0.0.1:{two.port}"}} }}\n' +
            upstream("u", ("mx.near.test", 25, 'tls = "off"')) + route("near.test", "u") + 'route "*" { }\n') as b:
        b.send(SENDER, ["to@far.test"], "Subject: x\r\n\r\nx\r\n")
        b.send(SENDER, ["to@near.test"], "Subject: x\r\n\r\nx\r\n")
        assert s.messages(1)[0]["rcpts"][0]["path"] == "to@far.test"
        assert two.messages(1)[0]["rcpts"][0]["path"] == "to@near.test"
        b.send(SENDER, ["to@sub.far.test"], "Subject: x\r\n\r\nx\r\n")
        assert "4.4.3" in b.deferred("<to@sub.far.test>")
        assert "without DANE" not in b.log()
    # T-06: what is not on the loopback is not believed; that is said.
    with Barid(extra='dns { servers = {"127.0.0.1:1", "192.0.2.53"} }\nroute "*" { tls = "dane" }\n') as b:
        wait_for("a warning", lambda: "without DANE: not all name servers are on the loopback" in b.log())
    shutil.rmtree(d)


def main():
    for test in (certificates, levels, rotation, ours, override):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
