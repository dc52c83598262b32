# SPDX-License-Identifier: GPL-3.0-or-later
"""T-06: DANE by a signed zone (ldns-signzone) on nsd, validated by unbound; and posttls-finger's opinion of the same."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, Sink, expire, free_port, need, skip, upstream, route, wait_for  # noqa: E402

SENDER = "alice@example.test"


def tool(*args, cwd=None, data=None):
    return subprocess.run(args, cwd=cwd, input=data, check=True, capture_output=True).stdout


def cert(folder, stem, names, ca=None, late=False):
    """A certificate for NAMES; by CA with that behind it, or self-signed; LATE: it has expired."""
    key, csr, pem = (f"{folder}/{stem}.{x}" for x in ("key", "csr", "pem"))
    san = "subjectAltName=" + ",".join("DNS:" + n for n in names)
    tool("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         f"/CN={stem}", "-keyout", key, "-addext", san, "-out", csr)
    sign = ["-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial"] if ca else ["-signkey", key]
    tool("openssl", "x509", "-req", "-in", csr, *sign, "-copy_extensions", "copy", "-out", pem, "-days", "30")
    if late:
        expire(folder, pem, key)
    if ca:
        with open(pem, "a") as f, open(ca[0]) as c:
            f.write(c.read())
    return pem, key


def digest(pem, selector=1, matching=1):
    """The data of a TLSA record for the first certificate in PEM."""
    if selector:
        der = tool("openssl", "x509", "-in", pem, "-noout", "-pubkey")
        der = tool("openssl", "pkey", "-pubin", "-outform", "DER", data=der)
    else:
        der = tool("openssl", "x509", "-in", pem, "-outform", "DER")
    if matching == 0:
        return der.hex()
    return tool("openssl", "dgst", "-sha256" if matching == 1 else "-sha512", "-r", data=der).split()[0].decode()


def dns_query(port, name, kind):
    """The answer of a DNS server on the loopback, or nothing."""
    q = b"\0\1\1\x20\0\1\0\0\0\0\0\0" + b"".join(bytes([len(w)]) + w.encode() for w in name.split(".")) + b"\0" + \
        kind.to_bytes(2, "big") + b"\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.sendto(q, ("127.0.0.1", port))
        try:
            return s.recv(65535)
        except OSError:
            return b""


class Dns:
    """nsd with dane.test, which is signed, and plain.test, which is not; and unbound, which validates."""

    def __init__(self, folder, dane, plain, spoil, resolver=0):
        need("nsd", "unbound", "ldns-keygen", "ldns-signzone")
        self.dir = folder
        head = "$TTL 300\n@ SOA ns root 1 7200 900 1209600 300\n@ NS ns\nns A 127.0.0.1\n"
        with open(folder + "/dane", "w") as f:
            f.write("$ORIGIN dane.test.\n" + head + dane)
        with open(folder + "/plain", "w") as f:
            f.write("$ORIGIN plain.test.\n" + head + plain)
        ksk = tool("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "dane.test", cwd=folder).decode().strip()
        zsk = tool("ldns-keygen", "-a", "ECDSAP256SHA256", "dane.test", cwd=folder).decode().strip()
        tool("ldns-signzone", "-o", "dane.test", "-f", "dane.signed", "dane", zsk, ksk, cwd=folder)
        self.spoil(spoil)
        self.shorten("3", "030101")
        self.auth = free_port(["127.0.0.1"])
        self.port = resolver or free_port(["127.0.0.1"])
        with open(f"{folder}/{ksk}.ds") as f:
            anchor = f.read().strip().replace("\t", " ")
        self.write(anchor)
        self.processes = [
            subprocess.Popen(["nsd", "-d", "-c", folder + "/nsd.conf"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL),
            subprocess.Popen(["unbound", "-d", "-c", folder + "/unbound.conf"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)]
        wait_for("nsd", lambda: dns_query(self.auth, "dane.test", 6)[3:4] == b"\0", 20)
        # NOERROR, RA and AD: it has followed the anchor.
        wait_for("unbound", lambda: dns_query(self.port, "dane.test", 6)[3:4] == b"\xa0", 20)

    def spoil(self, owners):
        """Signatures of the TLSA records of OWNERS that are none."""
        lines = []
        with open(self.dir + "/dane.signed") as f:
            for line in f:
                w = line.split()
                if len(w) > 4 and w[3] == "RRSIG" and w[4] == "TLSA" and w[0].rstrip(".") in owners:
                    at = line.rindex(w[-1]) + 4
                    line = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1:]
                lines.append(line)
        with open(self.dir + "/dane.signed", "w") as f:
            f.writelines(lines)

    def shorten(self, octets, data):
        """Records that end where their data begins (S-56): no tool takes them in their own form."""
        with open(self.dir + "/dane.signed") as f:
            text = f.read()
        text, n = re.subn(r"\tTLSA\t3 1 1 *\n", rf"\tTYPE52 \\# {octets} {data}\n", text)
        assert n == 1, n
        with open(self.dir + "/dane.signed", "w") as f:
            f.write(text)

    def write(self, anchor):
        d = self.dir
        with open(d + "/nsd.conf", "w") as f:
            f.write(f"""server:
 ip-address: 127.0.0.1@{self.auth}
 username: ""
 zonesdir: "{d}"
 database: ""
 pidfile: "{d}/nsd.pid"
 xfrdfile: "{d}/xfrd"
 zonelistfile: "{d}/zonelist"
 xfrdir: "{d}"
 logfile: "{d}/nsd.log"
 server-count: 1
remote-control:
 control-enable: no
zone:
 name: dane.test
 zonefile: dane.signed
zone:
 name: plain.test
 zonefile: plain
""")
        with open(d + "/unbound.conf", "w") as f:
            f.write(f"""server:
 interface: 127.0.0.1@{self.port}
 access-control: 127.0.0.0/8 allow
 do-not-query-localhost: no
 do-ip6: no
 do-daemonize: no
 use-syslog: no
 logfile: "{d}/unbound.log"
 verbosity: 1
 chroot: ""
 username: ""
 directory: "{d}"
 pidfile: "{d}/unbound.pid"
 num-threads: 1
 module-config: "validator iterator"
 local-zone: "test." nodefault
 trust-anchor: "{anchor}"
 target-fetch-policy: "0 0 0 0 0"
remote-control:
 control-enable: no
stub-zone:
 name: dane.test
 stub-addr: 127.0.0.1@{self.auth}
stub-zone:
 name: plain.test
 stub-addr: 127.0.0.1@{self.auth}
""")

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            p.wait()


class World:
    """Certificates, mail hosts and names; PORT is theirs."""

    # Mail hosts: 2 has a self-signed certificate for another name, 3 one of a CA with that behind it, 4 one that
    # has expired, 5 no TLS.
    def __init__(self, port=0, resolver=0):
        self.dir = d = tempfile.mkdtemp()
        os.chmod(d, 0o755)
        tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=test authority", "-keyout", d + "/ca.key", "-out", d + "/ca.pem", "-days", "30")
        ca = (d + "/ca.pem", d + "/ca.key")
        own = cert(d, "own", ["somebody.else.test"])
        signed = cert(d, "signed", ["mx.ta.dane.test", "hop.dane.test", "real.dane.test"], ca)
        late = cert(d, "late", ["mx.late.dane.test"], late=True)
        self.port = port or free_port([f"127.0.0.{n}" for n in (2, 3, 4, 5)])
        self.sinks = {n: Sink("--host", f"127.0.0.{n}", "--port", str(self.port), *tls)
                      for n, tls in ((2, ("--tls-cert", own[0], "--tls-key", own[1])),
                                     (3, ("--tls-cert", signed[0], "--tls-key", signed[1])),
                                     (4, ("--tls-cert", late[0], "--tls-key", late[1])), (5, ()))}
        ee, ta, other = digest(own[0]), digest(ca[0]), digest(signed[0])
        zone = ""

        def domain(name, address, *tlsa, host=None):
            nonlocal zone
            host = host or f"mx.{name}"
            zone += f"{name} MX 10 {host}\n"
            if address:
                zone += f"{host} A 127.0.0.{address}\n"
            for record in tlsa:
                zone += f"_{self.port}._tcp.{host} TLSA {record}\n"

        domain("ee", 2, f"3 1 1 {ee}")
        domain("ee512", 2, f"3 0 2 {digest(own[0], 0, 2)}")
        domain("full", 2, f"3 1 0 {digest(own[0], 1, 0)}")
        domain("several", 2, f"3 1 1 {other}", f"3 1 1 {ee}")
        domain("ta", 3, f"2 1 1 {ta}")
        domain("ta0", 3, f"2 0 1 {digest(ca[0], 0)}", host="mx.ta0")
        domain("hop", 3, f"2 1 1 {ta}")
        domain("wrong", 2, f"3 1 1 {other}")
        domain("late", 4, f"3 1 1 {digest(late[0])}")
        domain("bogus", 2, f"3 1 1 {ee}")
        domain("mixed", 2, f"3 1 1 {other}")
        zone += "mixed MX 20 mx.ee\n"
        domain("sick", 5, f"3 1 1 {ee}")
        zone += "sick MX 20 mx.ee\n"
        domain("short", 2)
        zone += f"_{self.port}._tcp.mx.short TYPE52 \\# 3 030101\n"
        domain("pkix", 2, f"1 1 1 {other}")
        domain("pkix-clear", 5, f"1 1 1 {other}")
        domain("clear", 5, f"3 1 1 {ee}")
        domain("none", 5)
        # RFC 7672 2.2.2: aliases that are secure, with records here or there.
        zone += "real A 127.0.0.3\nalias MX 10 mx.alias\nmx.alias CNAME real\nalias2 MX 10 mx.alias2\nmx.alias2 CNAME real2\n"
        zone += f"_{self.port}._tcp.real TLSA 2 1 1 {ta}\nreal2 A 127.0.0.2\n_{self.port}._tcp.mx.alias2 TLSA 3 1 1 {ee}\n"
        zone += f"alias3 MX 10 mx.alias3\nmx.alias3 CNAME mx.out.plain.test.\n_{self.port}._tcp.mx.alias3 TLSA 3 1 1 {other}\n"
        zone += f"up A 127.0.0.2\n_{self.port}._tcp.up TLSA 3 1 1 {ee}\nbad-up A 127.0.0.2\n_{self.port}._tcp.bad-up TLSA 3 1 1 {other}\n"
        plain = f"out MX 10 mx.out\nmx.out A 127.0.0.2\n_{self.port}._tcp.mx.out TLSA 3 1 1 {other}\n"
        # The MX is not secure, so that the host's records say nothing.
        plain += "in MX 10 mx.wrong.dane.test.\n"
        self.dns = Dns(d, zone, plain, {f"_{self.port}._tcp.mx.{n}.dane.test" for n in ("bogus", "sick")}, resolver)

    def arrived(self):
        found = {}
        for n, s in self.sinks.items():
            for m in s.messages():
                found[m["rcpts"][0]["path"].split("@")[1].removesuffix(".test")] = (n, m["tls"], m["sni"])
        return found

    def stop(self):
        self.dns.stop()
        for s in self.sinks.values():
            s.stop()
        shutil.rmtree(self.dir)


# Where mail must arrive, if by TLS, and as what the log calls the host.
ARRIVES = {"ee.dane": (2, True, "Verified"), "ee512.dane": (2, True, "Verified"), "full.dane": (2, True, "Verified"),
           "several.dane": (2, True, "Verified"), "ta.dane": (3, True, "Verified"), "hop.dane": (3, True, "Verified"),
           "late.dane": (4, True, "Verified"), "mixed.dane": (2, True, "Verified"), "sick.dane": (2, True, "Verified"),
           "pkix.dane": (2, True, "Untrusted"), "none.dane": (5, False, None), "alias.dane": (3, True, "Verified"),
           "alias2.dane": (2, True, "Verified"), "out.plain": (2, True, "Untrusted"), "in.plain": (2, True, "Untrusted")}
WAITS = {"wrong.dane": "o matching DANE TLSA records", "ta0.dane": "ostname mismatch",
         "short.dane": "its TLSA records cannot be looked up",
         "bogus.dane": "its TLSA records cannot be looked up", "alias3.dane": "o matching DANE TLSA records",
         "pkix-clear.dane": "TLS is required, but the server does not offer it",
         "clear.dane": "TLS is required, but the server does not offer it"}


def verdicts():
    w = World()
    try:
        extra = f'dns {{ servers = {{"127.0.0.1:{w.dns.port}"}} }}\nsmtp-port = {w.port}\n' + \
            "queue { retry = {1h} idle-connection = 100ms runners = 1 }\n" + \
            upstream("good", ("up.dane.test", w.port, 'tls = "dane"')) + route("by-good.test", "good") + \
            upstream("bad", ("bad-up.dane.test", w.port, 'tls = "dane" user = "u" password = "p"')) + \
            route("by-bad.test", "bad") + 'route "*" { tls = "dane" }\n'
        with Barid(relay=("127.0.0.0/8",), extra=extra) as b:
            with b.smtp() as c:
                for n in (*ARRIVES, *WAITS, "by-good", "by-bad"):
                    c.sendmail(SENDER, [f"to@{n}.test"], f"Subject: {n}\r\n\r\nx\r\n")
            wait_for("what can arrive", lambda: len(w.arrived()) == len(ARRIVES) + 1, 60)
            got = w.arrived()
            assert got.pop("by-good")[0] == 2
            assert {n: (a[0], a[1] is not None) for n, a in got.items()} == {n: a[:2] for n, a in ARRIVES.items()}, got
            # SNI is the name whose records they are.
            assert got["alias.dane"][2] == "real.dane.test" and got["alias2.dane"][2] == "mx.alias2.dane.test", got
            for n, words in {**WAITS, "by-bad": "o matching DANE TLSA records"}.items():
                line = b.deferred(f"<to@{n}.test>")
                assert words in line and re.search(r"dsn=4\.7\.\d", line), line
            log = b.log()
            for n, (host, _, words) in ARRIVES.items():
                name = {"mixed.dane": "ee.dane", "sick.dane": "ee.dane", "in.plain": "wrong.dane"}.get(n, n)
                if words:
                    assert f"{words} TLS connection established to mx.{name}.test[127.0.0.{host}]" in log, n
            assert "host mx.sick.dane.test of sick.dane.test is not used: its TLSA records cannot be looked up" in log
            b.stop()
            # Nothing was said to whom nothing was to be said: S-04.
            for s in w.sinks.values():
                for line in s.said():
                    assert "AUTH" not in line and not any(f"@{n}.test" in line for n in WAITS), line
    finally:
        w.stop()


# ---- another opinion ---------------------------------------------------------------------

def opinion():
    """Within a network of its own: posttls-finger about the hosts above."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("nameserver 127.0.0.1\noptions trust-ad edns0\n")
        f.flush()
        subprocess.run(["mount", "--bind", f.name, "/etc/resolv.conf"], check=True)
        w = World(port=25, resolver=53)
        try:
            for n in (*ARRIVES, *WAITS):
                # It asks no second host where the first fails.
                if n in ("mixed.dane", "sick.dane"):
                    continue
                got = subprocess.run(["posttls-finger", "-l", "dane", "-L", "summary", "-t", "10", f"{n}.test"],
                                     capture_output=True, text=True, timeout=120)
                said = got.stdout + got.stderr
                verified = "Verified TLS connection established" in said
                assert verified == (ARRIVES.get(n, (0, False, None))[2] == "Verified"), (n, got.returncode, said)
                # What waits here gets no further there; what it calls untrusted is what we do.
                if n in ARRIVES and ARRIVES[n][2] == "Untrusted":
                    assert "Untrusted TLS connection established" in said, (n, said)
        finally:
            w.stop()


def oracle():
    if not ROOT or not shutil.which("posttls-finger") or not shutil.which("ip"):
        print("oracle: needs root, ip and posttls-finger: left out")
        return
    r = subprocess.run(["unshare", "-n", "-m", sys.executable, sys.argv[0], "opinion"], capture_output=True, text=True,
                       timeout=250)
    if "unshare failed" in r.stderr:
        print("oracle: no network of its own to be had: left out")
        return
    assert r.returncode == 0, (r.stdout + r.stderr)[-4000:]


def main():
    if "opinion" in sys.argv[1:]:
        opinion()
        return
    for test in (verdicts, oracle):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
