# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that show a certificate: T-04, A20 of the features, relay by fingerprint, SASL EXTERNAL by SMTP and POP3."""
import base64
import hashlib
import os
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, certificate, program, route, upstream, wait_for  # noqa: E402

FAR = "somebody@far.example"


def fingerprint(cert, of="cert"):
    """As openssl shows it, of the certificate or of its key."""
    if of == "cert":
        text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"], check=True,
                              capture_output=True, text=True).stdout
        return "sha256:" + text.strip().partition("=")[2]
    der = subprocess.run(f"openssl x509 -in {cert} -noout -pubkey | openssl pkey -pubin -outform der", shell=True,
                         check=True, capture_output=True).stdout
    return "sha256:" + hashlib.sha256(der).hexdigest()


def showing(pair, version=None):
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if pair:
        c.load_cert_chain(*pair)
    if version:
        c.maximum_version = c.minimum_version = version
    return c


def client(b, pair, name="smtp", version=None):
    c = smtplib.SMTP(b.host, b.port[name], "client.test", timeout=60, source_address=("127.0.0.9", 0))
    c.ehlo()
    c.starttls(context=showing(pair, version))
    c.ehlo()
    return c


def relays(b, pair, name="smtp", version=None):
    """Whether that client may send to anybody."""
    with client(b, pair, name, version) as c:
        assert c.mail("x@y.example")[0] == 250
        code, text = c.rcpt(FAR)
        assert code == 250 or b"5.7.1 Relay access denied" in text, (code, text)
        return code == 250


def log_in(c, identity=b"", initial=True):
    if initial:
        return c.docmd("AUTH", "EXTERNAL " + (base64.b64encode(identity).decode() or "="))
    code, text = c.docmd("AUTH", "EXTERNAL")
    assert (code, text) == (334, b""), (code, text)
    return c.docmd(base64.b64encode(identity).decode())


class Pki:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.ca = certificate(folder, "client-ca")
        self.alice = certificate(folder, "alice", self.ca)
        self.own = certificate(folder, "own")       # self-signed
        self.other = certificate(folder, "other")   # self-signed, and nobody's


def conf(pki, more=""):
    return (f'access {{ relay = {{}} relay-certificates = {{"{fingerprint(pki.own[0])}"}} }}\n'
            f'auth {{ certificates = {{"{fingerprint(pki.own[0], "key")} alice"}} }}\n'
            f'tls {{ client-ca = "{pki.ca[0]}" }}\n' + more)


def relay(b, pki):
    """By fingerprint, self-signed or not; by nothing else; over each version and every kind of listener."""
    assert not relays(b, None) and not relays(b, pki.other) and not relays(b, pki.alice)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert relays(b, pki.own, version=version)
    assert relays(b, pki.own, "submission")
    log = b.log()
    for words in ("Anonymous TLS connection established from unknown[127.0.0.9]",
                  "Untrusted TLS connection established from unknown[127.0.0.9]",
                  "Trusted TLS connection established from unknown[127.0.0.9]",
                  "client certificate subject_CN=alice, issuer_CN=client-ca, fingerprint=sha256:"
                  + fingerprint(pki.alice[0])[7:].replace(":", "").lower()):
        assert words in log, words
    for pair, words in ((pki.alice, '(Client CN "alice", Issuer "client-ca" (verified OK))'),
                        (pki.other, '(Client CN "other", Issuer "other" (not verified))')):
        before = len(b.mailbox("bob"))
        with client(b, pair) as c:
            c.sendmail("x@y.example", ["bob@example.test"], "Subject: x\r\n\r\nhello\r\n")
        got = b.mail("bob", before + 1)
        assert any(words in " ".join(m.decode().split()) for m in got), got
    # A certificate is asked for, and need not be shown; STARTTLS begins the session anew.
    c = client(b, pki.own)
    assert c.docmd("STARTTLS")[0] == 503 and c.rcpt(FAR)[0] == 503
    c.quit()


def resumed(b, pki):
    """A ticket brings the certificate along, and none brings another's: S-07."""
    context = showing(pki.own, ssl.TLSVersion.TLSv1_2)

    def once(context, session):
        s = socket.create_connection((b.host, b.port["submissions"]), 30)
        t = context.wrap_socket(s, session=session)
        f = t.makefile("rwb")

        def say(line):
            f.write(line + b"\r\n")
            f.flush()
            while True:
                got = f.readline()
                if got[3:4] != b"-":
                    return got
        assert f.readline().startswith(b"220")
        assert say(b"EHLO x").startswith(b"250")
        code = say(b"MAIL FROM:<x@y.example>")[:3]
        say(b"QUIT")
        reused, session = t.session_reused, t.session
        f.close()
        t.close()
        return code, reused, session

    code, reused, session = once(context, None)
    assert code == b"250" and not reused
    code, reused, session = once(context, session)
    assert (code, reused) == (b"250", True)
    # Who is not on the list any more is not let in by a ticket of before.
    b.write_conf(b.extra.replace("relay-certificates", "connect = {\"127.0.0.0/8\"} relay-certificates").replace(
        fingerprint(pki.own[0]), fingerprint(pki.alice[0])))
    b.reload()
    code, reused, _ = once(context, session)
    assert (code, reused) == (b"530", False)
    assert relays(b, pki.alice)


def external(b, pki):
    with client(b, None, "submission") as c:
        assert "EXTERNAL" not in c.esmtp_features["auth"].split(), c.esmtp_features
        assert log_in(c)[0] == 504
    with client(b, pki.alice, "submission") as c:
        assert "EXTERNAL" not in c.esmtp_features["auth"].split(), c.esmtp_features
        assert log_in(c)[0] == 504
    for identity, initial in ((b"", True), (b"alice", True), (b"", False), (b"alice", False)):
        with client(b, pki.own, "submission") as c:
            assert c.esmtp_features["auth"].split()[0] == "EXTERNAL", c.esmtp_features
            assert log_in(c, identity, initial)[0] == 235, identity
            assert c.mail("alice@example.test")[0] == c.rcpt(FAR)[0] == 250
    with client(b, pki.own, "submission") as c:
        assert log_in(c, b"bob")[0] == 535
        assert c.docmd("AUTH", "EXTERNAL !")[0] == 501
        assert log_in(c, b"al\0ice")[0] == 501
        assert c.docmd("AUTH", "EXTERNAL")[0] == 334 and c.docmd("*")[0] == 501
        assert log_in(c)[0] == 235
    wait_for("the word of it", lambda: "SASL EXTERNAL authentication succeeded, sasl_username=alice" in b.log())
    # In clear there is no certificate.
    with smtplib.SMTP(b.host, b.port["smtp"], "client.test", timeout=60) as c:
        c.ehlo()
        assert log_in(c)[0] in (504, 538)

    b.send("x@y.example", ["alice@example.test"], "Subject: x\r\n\r\nhello\r\n")
    b.mail("alice", 1)

    def capabilities(c):
        return [line.decode() for line in c._longcmd("CAPA")[1]]
    c = poplib.POP3_SSL(b.host, b.port["pop3s"], context=showing(pki.own), timeout=60)
    assert any(line.startswith("SASL EXTERNAL") for line in capabilities(c)), capabilities(c)
    assert c._shortcmd("AUTH EXTERNAL =").startswith(b"+OK 1 "), "login"
    assert len(c.list()[1]) == 1
    c.quit()
    c = poplib.POP3(b.host, b.port["pop3"], timeout=60)
    assert not any("EXTERNAL" in line for line in capabilities(c))
    c.stls(context=showing(pki.own))
    assert any("EXTERNAL" in line for line in capabilities(c))
    try:
        c._shortcmd("AUTH EXTERNAL " + base64.b64encode(b"bob").decode())
        raise AssertionError("another's mailbox")
    except poplib.error_proto as e:
        assert b"[AUTH]" in e.args[0], e
    assert c._shortcmd("AUTH EXTERNAL").startswith(b"+ ") and c._shortcmd("").startswith(b"+OK 1 ")
    c.quit()
    c = poplib.POP3_SSL(b.host, b.port["pop3s"], context=showing(pki.other), timeout=60)
    assert not any("EXTERNAL" in line for line in capabilities(c))
    c.quit()


def pem_body(path):
    with open(path, encoding="ascii") as f:
        return "".join(line.strip() for line in f if "-----" not in line)


def chain(b, pki):
    """A20: whoever reads the envelope has what the client has shown, from its certificate upwards."""
    both = b.dir + "/chain.pem"
    with open(both, "w", encoding="ascii") as f:
        for path in (pki.own[0], pki.ca[0]):
            with open(path, encoding="ascii") as part:
                f.write(part.read())
    for pair, shown in (((both, pki.own[1]), (pki.own[0], pki.ca[0])), (pki.own, (pki.own[0],))):
        before = set(b.spooled())
        with client(b, pair, "smtp") as c:
            assert c.mail("x@y.example")[0] == 250
            assert c.rcpt("x@waits.example")[0] == 250
            assert c.data("Subject: x\r\n\r\nhello\r\n")[0] == 250
        (_, name), = wait_for("the message", lambda seen=before: {s for s in b.spooled() if s[0] == "cur"} - seen)
        got = [line.partition(": ")[2] for line in head(b, name) if line.startswith("certificate-chain: ")]
        assert got == [" ".join(map(pem_body, shown))], got
        assert f"{len(shown)} certificates shown" in b.ctl("explain", name).stdout
        b.ctl("queue", "delete", name)


def head(b, name):
    """The envelope of a message, wherever it is by now."""
    for folder, _, files in os.walk(b.dir + "/spool"):
        if name in files:
            with open(folder + "/" + name, "rb") as f:
                return f.read().partition(b"\n\n")[0].decode().splitlines()
    raise AssertionError("no message " + name)


def xclient(b, pki):
    """The certificate of a proxy is not its client's."""
    with client(b, pki.own) as c:
        assert c.docmd("XCLIENT", "ADDR=10.1.2.3 NAME=client.example")[0] == 220
        c.ehlo()
        assert "EXTERNAL" not in c.esmtp_features.get("auth", "").split(), c.esmtp_features
        assert c.mail("x@y.example")[0] == 250
        assert c.rcpt(FAR)[0] == 554


def one_listener(b, pki):
    """Lists of listeners: one that is empty, and one that has another certificate."""
    b.own = {"smtp": "relay-certificates = {}",
             "submission": f'relay-certificates = {{"{fingerprint(pki.other[0])}"}}'}
    b.write_conf(conf(pki, 'route "*" { via = "mx" }\n'))
    b.reload()
    assert not relays(b, pki.own) and not relays(b, pki.other)
    for pair, code in ((pki.other, 250), (pki.own, 530)):
        with client(b, pair, "submission") as c:
            assert c.mail("x@y.example")[0] == code


def verified_and_mistakes(pki):
    words = 'access { relay = {} relay-certificates = {"verified"} }\n'
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with open(folder + "/ca.pem", "w", encoding="ascii") as f, open(pki.ca[0], encoding="ascii") as ca:
            f.write(ca.read())
        with open(folder + "/README", "w", encoding="ascii") as f:
            f.write("no certificate\n")
        with Barid(extra=words + f'tls {{ client-ca = "{folder}" }}\n' + 'route "*" { via = "mx" }\n') as b:
            assert relays(b, pki.alice) and not relays(b, pki.own) and not relays(b, None)
            good = b.extra

            def refused(extra, *said):
                b.write_conf(extra)
                r = subprocess.run([program("barid"), "-t", "-c", b.conf], capture_output=True, text=True, timeout=60,
                                   check=False)
                assert r.returncode == 78 and all(w in r.stderr for w in said), r
                b.write_conf(good)
            refused(words, "access.relay-certificates: nothing is \"verified\" without tls.client-ca")
            refused('access { relay-certificates = {"sha256:00"} }', "is no fingerprint, expected \"sha256:\"")
            refused('access { relay-certificates = {"' + "00:" * 19 + '00"} }', "is no fingerprint")
            refused('auth { certificates = {"' + fingerprint(pki.own[0]) + '"} }', "names no user")
            refused('auth { certificates = {"alice"} }', "begins with no fingerprint")
            refused('tls { client-ca = "/nonexistent" }', "tls.client-ca", "No such file")
            refused(f'tls {{ client-ca = "{b.conf}" }}', "tls.client-ca", "no certificate")


with tempfile.TemporaryDirectory() as d:
    os.chmod(d, 0o755)
    made = Pki(d + "/pki")
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    waits = upstream("nobody", nobody.getsockname()[1]) + route("waits.example", "nobody")
    with Barid(extra=conf(made, waits + 'route "*" { via = "mx" }\naccess { xclient = {"127.0.0.0/8"} }\n')) as server:
        for test in (relay, external, chain, xclient, resumed, one_listener):
            print(test.__name__, flush=True)
            test(server, made)
    print("verified_and_mistakes", flush=True)
    verified_and_mistakes(made)
