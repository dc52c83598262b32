# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS as clients meet it, by openssl s_client, on every listener: T-01 to T-05 and S-09."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, NO_VERIFY, Wire, certificate, program, wait_for  # noqa: E402

STARTTLS = {"smtp": "smtp", "submission": "smtp", "pop3": "pop3", "submissions": None, "pop3s": None}
ALL = tuple(STARTTLS)
# The pages, too.
EVERY = (*ALL, "admin")


def rsa(folder, name):
    cert, key = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


class Said:
    """What s_client said: TEXT, and of that what tests ask for."""

    def __init__(self, text):
        self.text = text

    def field(self, pattern):
        m = re.search(pattern, self.text)
        return m.group(1) if m else None

    @property
    def cipher(self):
        """None without a session."""
        found = self.field(r"(?:New|Reused), TLSv1\.[23], Cipher is (\S+)")
        return None if found == "(NONE)" else found

    @property
    def cn(self):
        return self.field(r"subject=.*CN ?= ?(\S+)")

    @property
    def resumed(self):
        return "\nReused, " in self.text


def client(b, name):
    first = ["-starttls", STARTTLS[name]] if STARTTLS.get(name) else []
    return ["openssl", "s_client", "-connect", f"127.0.0.1:{b.port[name]}", *first]


def ask(b, name, *args):
    """s_client with ARGS to the listener NAME; it ends when the server does."""
    r = subprocess.run([*client(b, name), "-ign_eof", *args], input=b"QUIT\r\n", capture_output=True, timeout=60, check=False)
    return Said((r.stdout + r.stderr).decode("latin-1"))


def set_tls(b, text):
    """The section tls in the place of the one that every test has."""
    with open(b.conf, encoding="utf-8") as f:
        conf = f.read()
    with open(b.conf, "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^tls \{.*\}$", "tls { " + text + " }", conf))


def versions(b):
    """T-01, T-05: TLS 1.2 and 1.3 everywhere, nothing older, nothing weak, nothing compressed."""
    for name in EVERY:
        for version in ("-tls1_2", "-tls1_3"):
            said = ask(b, name, version)
            assert said.cipher and re.search("GCM|CHACHA20", said.cipher), (name, version, said.text)
            assert "Compression: NONE" in said.text or version == "-tls1_3", said.text
            assert "Secure Renegotiation IS supported" in said.text or version == "-tls1_3", said.text
            assert re.search(r"Server Temp Key: X25519", said.text), said.text
            # T-03: who has not that curve has the other one.
            said = ask(b, name, version, "-groups", "P-256")
            assert re.search(r"Server Temp Key: ECDH, (P-256|prime256v1)", said.text), said.text
        for version in ("-tls1", "-tls1_1"):
            said = ask(b, name, version, "-cipher", "ALL:@SECLEVEL=0")
            assert not said.cipher and "alert protocol version" in said.text, (name, version, said.text)
        said = ask(b, name, "-tls1_2", "-cipher", "ALL:COMPLEMENTOFALL:!ECDHE:@SECLEVEL=0")
        assert not said.cipher and "handshake failure" in said.text, (name, said.text)
    for weak in ("NULL", "aNULL", "AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
                 "DHE-RSA-AES128-GCM-SHA256", "PSK"):
        said = ask(b, "submissions", "-tls1_2", "-cipher", weak + ":@SECLEVEL=0")
        assert not said.cipher, (weak, said.text)


def defaults(b):
    """T-05: all of it is there where the configuration has no more than a certificate and users."""
    conf = b.dir + "/short.conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write('hostname = "mx.example.test"\ndomains = {"example.test"}\n'
                'tls { certificate = "/a" key = "/b" }\nauth { backends = {"file:///u"} }\n')
    shown = subprocess.run([program("baridctl"), "-c", conf, "config"], check=True, capture_output=True, text=True).stdout
    told = dict(re.findall(r"(?m)^(\S+) = (\S+)", shown))
    got = {(told[f"listen.{n}.port"], told[f"listen.{n}.tls"]) for n in ALL}
    assert got == {('"25"', '"starttls"'), ('"587"', '"required"'), ('"465"', '"implicit"'), ('"110"', '"required"'),
                   ('"995"', '"implicit"')}, got
    assert {told[f"listen.{n}.without-tls"] for n in ALL} == {"{}"} and told["tls.min-version"] == '"1.2"', shown


def clear(b):
    """T-05: no password in clear text, though TLS is still to be had there by STARTTLS and STLS."""
    with b.smtp("submission") as c:
        c.ehlo()
        assert c.has_extn("starttls") and not c.has_extn("auth")
        assert c.docmd("AUTH PLAIN AGEAYg==")[0] in (530, 538)
    c = b.smtp("submissions", login="alice")
    c.sendmail("alice@example.test", ["bob@example.test"], "Subject: t05\r\n\r\nbody\r\n")
    c.quit()
    text = b.mail("bob", 1)[0].decode()
    assert re.search(r"with ESMTPSA id ", text), text
    assert re.search(r"\(using TLSv1\.3 with cipher TLS_AES_\w+ \(\d+/\d+ bits\)\)", text), text
    assert re.search(r"TLS connection established from \S+: TLSv1\.3 with cipher TLS_AES", b.log())
    # S-03, T-04: the name that was said within TLS, and how it came.
    with b.smtp() as c:
        c.ehlo("before.test")
        c.starttls(context=NO_VERIFY)
        assert c.rcpt("bob@example.test")[0] == 503 == c.mail("a@b.test")[0]
        c.ehlo("within.test")
        c.sendmail("a@b.test", ["bob@example.test"], "Subject: s03\r\n\r\nbody\r\n")
    got = [m.decode() for m in b.mail("bob", 2) if b"Subject: s03" in m]
    assert "from within.test (" in got[0] and "before.test" not in got[0] and " with ESMTPS id " in got[0], got
    b.pop3("bob").quit()
    assert re.search(r"LOGIN, user=bob, .*, tls=TLSv1\.3, cipher=TLS_AES_\w+$", b.log(), re.M), b.log()


def kinds(b):
    """T-03: RSA and ECDSA, whichever the client can verify; ECDSA where it has no wish."""
    for name in ALL:
        for args, cn in ((("-sigalgs", "RSA-PSS+SHA256"), "rsa"), (("-sigalgs", "ECDSA+SHA256"), "localhost"), ((), "localhost"),
                         (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "rsa"),
                         (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "localhost"),
                         (("-servername", "other.test", "-sigalgs", "RSA-PSS+SHA256"), "other-rsa"),
                         (("-servername", "other.test", "-sigalgs", "ECDSA+SHA256"), "other")):
            said = ask(b, name, *args)
            assert said.cipher and said.cn == cn, (name, args, said.text)
    # The server chooses the cipher, not the client.
    said = ask(b, "pop3s", "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")
    assert said.cipher == "ECDHE-RSA-AES128-GCM-SHA256", said.text


def names(b):
    """T-04: an unknown name is served, and nobody must show a certificate."""
    for name in ALL:
        for sni in ("unknown.test", "../../etc/passwd", "a" * 200):
            said = ask(b, name, "-servername", sni)
            assert said.cipher and said.cn == "localhost", (name, sni, said.text)
        assert "No client certificate CA names sent" in said.text, said.text
    assert ask(b, "smtp", "-servername", "any.star.test").cn == "other"


def alpn(b):
    """S-09: who offers other protocols is meant for another server."""
    for name in ALL:
        ours = "pop3" if name.startswith("pop3") else "smtp"
        theirs = "smtp" if ours == "pop3" else "pop3"
        for offer in ("http/1.1", "imap", "h2,http/1.1", theirs):
            said = ask(b, name, "-alpn", offer)
            assert not said.cipher and "alert number 120" in said.text, (name, offer, said.text)
        said = ask(b, name, "-alpn", "h2," + ours)
        assert said.cipher and "ALPN protocol: " + ours in said.text, (name, said.text)
        assert "No ALPN negotiated" in ask(b, name).text


def echoes(b):
    """S-09: a browser's request within TLS is cut off, and nothing that a client says comes back to it."""
    word = "zq7token"
    said = {"submissions": [f"EHLO {word}.test", f"X{word}", f"VRFY {word}", f"MAIL FROM:<{word}@b.test>", f"AUTH {word}",
                            f"GET /{word} HTTP/1.1"],
            "pop3s": [f"USER {word}", f"PASS {word}", f"X{word}", f"AUTH {word}", f"LANG {word}", f"APOP {word} x",
                      f"GET /{word} HTTP/1.1"]}
    for name, lines in said.items():
        with Wire(b.port[name], True) as w:
            w.line()
            for line in lines:
                w.send(line + "\r\n")
            w.send("QUIT\r\n")
            got = []
            while (line := w.line()) is not None:
                got.append(line)
        assert len(got) >= len(lines) and not any(word.encode() in line for line in got), got
    with Wire(b.port["submissions"], True) as w:
        w.line()
        w.send(f"GET /{word} HTTP/1.1\r\nHost: x\r\n\r\n")
        assert w.line().startswith(b"421 4.7.0 ") and w.line() is None
    # Who leaves a port that begins with TLS has said nothing, and no STARTTLS either.
    with Wire(b.port["submissions"], True, source="127.0.0.99") as w:
        w.line()
    wait_for("the word in the log", lambda: "lost connection after CONNECT from unknown[127.0.0.99]" in b.log())


def renegotiation(b):
    """T-01: a client that asks for another handshake gets none."""
    for name in ALL:
        # s_client takes "R" as a command while its input is open.
        with subprocess.Popen(client(b, name) + ["-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as p:
            said = b""
            # A greeting amid the handshake would be what ends it.
            while not STARTTLS[name] and not re.search(rb"(?m)^(220 |\+OK).*\n", said):
                more = p.stdout.read1()
                assert more, said
                said += more
            p.stdin.write(b"R\n")
            p.stdin.flush()
            text = (said + p.stdout.read()).decode("latin-1")
        assert "RENEGOTIATING" in text and "no renegotiation" in text, (name, text)


def tickets(b):
    """T-01, T-02: a ticket is good at its own service only, for no early data, and until its key is changed."""
    with open(b.dir + "/early", "w", encoding="ascii") as f:
        f.write("QUIT\r\n")
    kept = {}
    for name in EVERY:
        for version in ("-tls1_2", "-tls1_3"):
            ticket = f"{b.dir}/{name}{version}"
            ask(b, name, version, "-sess_out", ticket)
            said = ask(b, name, version, "-sess_in", ticket)
            assert said.resumed, (name, version, said.text)
            kept[name, version] = ticket
        said = ask(b, name, "-tls1_3", "-sess_in", kept[name, "-tls1_3"], "-early_data", b.dir + "/early")
        assert "Early data was accepted" not in said.text and said.cipher, said.text
        assert "Max Early Data: 0" in said.text or "Early data was not sent" in said.text, said.text
    for name in EVERY:
        for (other, version), ticket in kept.items():
            if other != name:
                said = ask(b, name, version, "-sess_in", ticket)
                assert said.cipher and not said.resumed, (name, other, said.text)
        said = ask(b, name, "-tls1_2", "-sess_in", kept[name, "-tls1_2"], "-servername", "other.test")
        assert said.cipher and not said.resumed, said.text
    # As every day (unit/net/tls_test.c): the keys are others.
    b.reload()
    for (name, version), ticket in kept.items():
        said = ask(b, name, version, "-sess_in", ticket)
        assert said.cipher and not said.resumed, (name, version, said.text)


def reload(b):
    """T-03: a new certificate comes into force, by SIGHUP too, and no session ends."""
    other = tempfile.mkdtemp(dir=b.dir)
    cert, key = rsa(other, "rsa2")
    with contextlib.ExitStack() as stack:
        c = stack.enter_context(b.smtp(tls=True))
        os.replace(key, b.dir + "/rsa.key")
        os.replace(cert, b.dir + "/rsa.pem")
        b.reload()
        for name in ALL:
            wait_for("the new one", lambda n=name: ask(b, n, "-sigalgs", "RSA-PSS+SHA256").cn == "rsa2")
            assert ask(b, name).cn == "localhost"
        assert c.noop()[0] == 250
    shutil.copy(b.dir + "/other.key", b.dir + "/rsa.key")
    b.reload()
    assert ask(b, "smtp", "-sigalgs", "RSA-PSS+SHA256").cn == "rsa2"
    assert "is not the key of the certificate in" in b.log()


def main():
    with Barid(start=False, listen=dict(Barid.LISTEN, admin=("admin", "implicit")),
               extra='admin { users = {"alice"} }\n') as b:
        d = b.dir
        rsa(d, "rsa")
        rsa(d, "other-rsa")
        certificate(d, "other")
        both = 'certificate = {{"{0}/{1}.pem", "{0}/{2}.pem"}} key = {{"{0}/{1}.key", "{0}/{2}.key"}}'.format
        set_tls(b, both(d, "localhost", "rsa") + f' name "other.test" {{ {both(d, "other", "other-rsa")} }} '
                f'name "*.star.test" {{ {both(d, "other", "other-rsa")} }}')
        b.start()
        for test in (defaults, versions, clear, kinds, names, alpn, echoes, renegotiation, tickets, reload):
            test(b)


main()
