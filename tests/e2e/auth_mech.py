#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""auth_mech -- each SASL mechanism, by SMTP and POP3, as programs use it that we did not write.

FEATURES A6, A7.
"""
import base64
import hashlib
import hmac
import os
import re
import ssl
import sys
from functools import partial

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import at_once  # noqa: E402
from baridtest import Barid, PASSWORD, Wire, need, run, sanitized, wait_for  # noqa: E402

ALL = 'auth { mechanisms = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} }\n'
FROM, TO = "carol@example.test", "bob@example.test"
# Carol's password is stored as it is, Dave's is a key, Alice's a hash.
SECRET, KEYED = "tanstaaf, \u00e4lso", "a keyed one"


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


# ---- SCRAM as RFC 5802 has it, from the client's side, and what is wrong with it -----------


class Scram:
    """A client that can be told to lie."""

    def __init__(self, user, password, flag="n", binding=b""):
        self.user, self.password, self.binding = user, password, binding
        self.header = flag + ",,"
        self.bare = f"n={user},r=clientnonce"

    def first(self):
        return b64(self.header + self.bare)

    def final(self, challenge, spoil=None):
        first = base64.b64decode(challenge).decode()
        part = dict(p.split("=", 1) for p in first.split(","))
        self.salt, self.count, nonce = part["s"], int(part["i"]), part["r"]
        assert nonce.startswith("clientnonce") and len(nonce) > 30, nonce
        if spoil == "nonce":
            nonce = "clientnonce" + "A" * 24
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(self.salt), self.count)
        key = hmac.digest(salted, b"Client Key", "sha256")
        without = f"c={b64(self.header.encode() + self.binding)},r={nonce}"
        text = f"{self.bare},{first},{without}".encode()
        sign = hmac.digest(hashlib.sha256(key).digest(), text, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, sign))
        server = hmac.digest(salted, b"Server Key", "sha256")
        self.signature = b64(hmac.digest(server, text, "sha256"))
        return b64(f"{without},p={b64(proof)}")


def scram(b, client, mechanism="SCRAM-SHA-256", spoil=None):
    """A login over SMTP: the last answer."""
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO client.test")
        answer = w.smtp(f"AUTH {mechanism} {client.first()}")
        if not answer.startswith(b"334 "):
            return answer
        answer = w.smtp(client.final(answer[4:], spoil))
        if not answer.startswith(b"334 "):
            return answer
        assert base64.b64decode(answer[4:]).decode() == "v=" + client.signature
        return w.smtp("")


# ---- programs --------------------------------------------------------------------------------


class Programs:
    def __init__(self, b):
        self.b, self.ca = b, b.dir + "/localhost.pem"
        self.count = 0

    def arrives(self, call, *args):
        """A message that was sent is in Bob's mailbox."""
        self.count += 1
        subject = f"auth {self.count}"
        call(f"From: {FROM}\nTo: {TO}\nSubject: {subject}\n\nHello.\n".encode(), *args)
        wait_for(subject, lambda: any(subject in self.b.read(path) for path in self.b.mailbox("bob")))

    def gsasl(self, service, mechanism, user, password, code=0):
        return run("gsasl", "--smtp", "--connect", f"localhost:{self.b.port[service]}", "-m", mechanism,
                   "-a", user, "-p", password, "--verbose", "--x509-ca-file=" + self.ca,
                   *([] if mechanism.endswith("-PLUS") else ["--no-cb"]), code=code)

    def swaks(self, data, mechanism, user, password):
        run("swaks", "--server", "127.0.0.1", "--port", str(self.b.port["submission"]), "--tls", "--from", FROM,
            "--to", TO, "--auth", mechanism, "--auth-user", user, "--auth-password", password, "--data", "-",
            data=data)

    def msmtp(self, data, mechanism, user, password):
        conf = self.b.dir + "/msmtprc"
        with open(conf, "w") as f:
            f.write(f"account a\nhost localhost\nport {self.b.port['submissions']}\nfrom {FROM}\nauth {mechanism}\n"
                    f"user {user}\npassword {password}\ntls on\ntls_starttls off\ntls_trust_file {self.ca}\n"
                    "account default : a\n")
        os.chmod(conf, 0o600)
        run("msmtp", "-C", conf, "--", TO, data=data, folder=self.b.dir)

    def curl(self, data, mechanism, user, password):
        run("curl", "-sS", "--ssl-reqd", "--cacert", self.ca, "--user", f"{user}:{password}", "--login-options",
            f"AUTH={mechanism}", "--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", "-",
            f"smtps://localhost:{self.b.port['submissions']}/client.test",
            data=data.replace(b"\n", b"\r\n"))

    def mutt(self, data, mechanism, user, password):
        rc = self.b.dir + "/muttrc"
        with open(rc, "w") as f:
            f.write(f'set smtp_url="smtps://{user}@localhost:{self.b.port["submissions"]}" smtp_pass="{password}"\n'
                    f'set smtp_authenticators="{mechanism}" ssl_starttls=yes certificate_file={self.ca}\n'
                    f'set ssl_ca_certificates_file={self.ca} from="{FROM}" copy=no\n')
        subject = data.split(b"Subject: ")[1].split(b"\n")[0].decode()
        run("mutt", "-n", "-F", rc, "-s", subject, "--", TO, data=b"Hello.\n", folder=self.b.dir)

    def mpop(self, mechanism, user, password, code=0):
        conf = self.b.dir + "/mpoprc"
        with open(conf, "w") as f:
            f.write(f"account a\nhost localhost\nport {self.b.port['pop3s']}\nauth {mechanism}\nuser {user}\n"
                    f"password {password}\ntls on\ntls_starttls off\ntls_trust_file {self.ca}\nkeep on\n"
                    f"uidls_file {self.b.dir}/uidls\ndelivery mbox {self.b.dir}/mbox\naccount default : a\n")
        os.chmod(conf, 0o600)
        return run("mpop", "-C", conf, "-s", folder=self.b.dir, code=code)


# ---- the tests -------------------------------------------------------------------------------


def add_users(b, *lines):
    with open(b.dir + "/users", "a", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in lines))


def keyed(password, *names):
    """What `gsasl --mkpasswd` makes of it: the form of Dovecot, too."""
    out = run("gsasl", "--mkpasswd", "--mechanism=SCRAM-SHA-256", "--iteration-count=5000", "--password",
              password).decode()
    key = out.strip().split("\n")[-1]
    assert key.startswith("{SCRAM-SHA-256}5000,"), out
    return [f"{name}:{key}" for name in names]


def ehlo(b, name):
    with Wire(b.port[name], tls=name == "submissions") as w:
        w.reply()
        return w.smtp("EHLO client.test")


def offered(b):
    assert b"AUTH PLAIN LOGIN\n" in ehlo(b, "submissions"), ehlo(b, "submissions")
    add_users(b, *keyed(KEYED, "dave"))
    wait_for("SCRAM on offer", lambda: b"AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS" in ehlo(b, "submissions"))
    add_users(b, "carol:{PLAIN}" + SECRET, "erin:{PLAIN}plain")
    wait_for("CRAM-MD5 on offer", lambda: b"AUTH PLAIN LOGIN CRAM-MD5 SCRAM-" in ehlo(b, "submissions"))
    # Without TLS only what is named, and there is nothing to be tied to.
    assert b"AUTH CRAM-MD5 SCRAM-SHA-256\n" in ehlo(b, "smtp"), ehlo(b, "smtp")
    with Wire(b.port["pop3s"], True) as w:
        w.line()
        w.send("CAPA\r\n")
        assert b"SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS" in w.lines()
        w.send("AUTH\r\n")
        assert w.lines()[-5:] == [b"PLAIN", b"LOGIN", b"CRAM-MD5", b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"]


def by_programs(b):
    p = Programs(b)
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
        p.gsasl("submission", mechanism, "erin", "plain")
        assert b"535" in p.gsasl("submission", mechanism, "erin", "wrong", code=1)
    p.gsasl("submission", "SCRAM-SHA-256-PLUS", "dave", KEYED)
    p.gsasl("submission", "PLAIN", "dave", KEYED)
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        p.arrives(p.swaks, mechanism, "erin", "plain")
        p.arrives(p.curl, mechanism, "erin", "plain")
    for mechanism in ("plain", "login", "cram-md5", "scram-sha-256", "on"):
        p.arrives(p.msmtp, mechanism, "erin", "plain")
    for mechanism in ("scram-sha-256", "plain"):
        p.arrives(p.mutt, mechanism, "erin", "plain")
    for mechanism in ("user", "plain", "login", "cram-md5", "scram-sha-256"):
        p.mpop(mechanism, "erin", "plain")
    p.mpop("scram-sha-256", "erin", "wrong", code=77)
    log = b.log()
    for method in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
        assert f"SASL {method} authentication succeeded, sasl_username=erin" in log
        assert f"SASL {method} authentication failed" in log
    for method in ("USER", "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
        assert f"LOGIN, user=erin, ip=[127.0.0.1], method={method}," in log, method


def scram_lies(b):
    """RFC 5802 5.1, 6: whoever lies is not let in, and who is nobody looks like somebody."""
    yes = scram(b, Scram("dave", KEYED))
    assert yes.startswith(b"235 2.7.0 "), yes
    assert scram(b, Scram("carol", SECRET)).startswith(b"235 ")
    assert scram(b, Scram("dave@example.test", KEYED)).startswith(b"235 ")
    for lie in (Scram("dave", "wrong"), Scram("dave", KEYED, binding=b"x"), Scram("alice", PASSWORD),
                Scram("nobody", KEYED), Scram("dave", KEYED, flag="y"), Scram("dave", KEYED, flag="p=tls-exporter")):
        answer = scram(b, lie)
        assert answer == b"535 5.7.8 Authentication failed", (lie.header, lie.user, answer)
    assert scram(b, Scram("dave", KEYED), spoil="nonce").startswith(b"535 ")
    # Tied to another session than this one; the certificate is the same for all.
    plus = Scram("dave", KEYED, "p=tls-exporter", b"x" * 32)
    assert scram(b, plus, "SCRAM-SHA-256-PLUS") == b"535 5.7.8 Authentication failed"
    with open(b.dir + "/localhost.pem", encoding="ascii") as f:
        cert = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).digest()
    assert scram(b, Scram("dave", KEYED, "p=tls-server-end-point", cert), "SCRAM-SHA-256-PLUS").startswith(b"235 ")
    assert scram(b, Scram("dave", KEYED, "p=tls-server-end-point", cert[::-1]), "SCRAM-SHA-256-PLUS").startswith(b"535 ")
    # CONFORMANCE S-38: the same salt each time, another for another, the usual count; over a restart, too.
    seen = {}
    for name in ("nobody", "NOBODY", "somebody", "alice", "nobody"):
        client = Scram(name, "x")
        scram(b, client)
        assert client.count == 5000 and len(base64.b64decode(client.salt)) == 16
        assert seen.setdefault(name.lower(), client.salt) == client.salt
    assert len(set(seen.values())) == 3
    b.stop()
    b.start()
    client = Scram("nobody", "x")
    scram(b, client)
    assert client.salt == seen["nobody"]


def by_tls_12(b):
    """What SCRAM is tied to before TLS 1.3 (RFC 5929 3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Wire(b.port["submissions"]) as w:
        w.sock = context.wrap_socket(w.sock)
        w.reply()
        w.smtp("EHLO client.test")
        client = Scram("dave", KEYED, "p=tls-unique", w.sock.get_channel_binding("tls-unique"))
        answer = w.smtp("AUTH SCRAM-SHA-256-PLUS " + client.first())
        assert answer.startswith(b"334 "), answer
        assert w.smtp(client.final(answer[4:])).startswith(b"334 ")
        assert w.smtp("").startswith(b"235 ")


BAD = ["=", "*", "A", "AA=A", "====", "\t", "AAAA\tAAAA", b64("\0" * 5), b64("\0\0"), b64("\0alice"), b64("alice\0"),
       b64(b"\0\xff\xfe\0\xff"), b64("\0al\tice\0x"), b64("\0al\nice\0x"), b64("n,,n=,r="), b64("n,,n=a=b,r=x"),
       b64("y,,n=a,r=x,m=x"), b64("p=,,"), b64("n=a" * 1000), "A" * 12284, "A" * 12300]


def rude_smtp(b, mechanism, messages):
    """All of MESSAGES to one MECHANISM, in as many sessions as it takes; none of them logs in."""
    messages = list(messages)
    while messages:
        with Wire(b.port["submissions"], True) as w:
            w.reply()
            w.smtp("EHLO rude.test")
            while messages:
                answer = w.smtp("AUTH " + mechanism)
                while answer.startswith(b"334"):
                    answer = w.smtp(messages.pop() if messages else "*")
                assert answer[:4] in (b"501 ", b"500 ", b"535 ", b"421 "), answer
                if answer.startswith(b"421 "):
                    break


def rude_pop3(b, mechanism, messages):
    for message in messages:
        with Wire(b.port["pop3s"], True) as w:
            w.line()
            w.send(f"AUTH {mechanism}\r\n")
            answer = w.line()
            while answer.startswith(b"+ "):
                w.send(message + "\r\n")
                answer = w.line()
                message = "*"
            assert answer.startswith(b"-ERR"), (mechanism, message, answer)


def broken_exchanges(b):
    """CONFORMANCE S-23, RFC 5034: whatever some send, others log in meanwhile."""
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
    def good(name, password):
        for _ in range(3):
            assert scram(b, Scram(name, password)).startswith(b"235 ")
    calls = [partial(rude_smtp, b, m, BAD) for m in mechanisms]
    calls += [partial(rude_pop3, b, m, BAD[::4]) for m in mechanisms]
    calls += [partial(good, *who) for who in [("dave", KEYED), ("erin", "plain")] * 6]
    at_once(*calls)


def cancelled(b):
    """CONFORMANCE S-23: AUTH and "*" a thousand times in one session, which does not grow."""
    with Wire(b.port["smtp"]) as w:
        w.reply()
        w.smtp("EHLO client.test")
        pid = re.findall(r"smtpd\[(\d+)\]: connect from", b.log())[-1]
        memory = []
        for i in range(1000):
            assert w.smtp("AUTH CRAM-MD5" if i % 2 else "AUTH SCRAM-SHA-256").startswith(b"334 ")
            assert w.smtp("*").startswith(b"501 5.7.0 ")
            if i in (99, 999):
                memory.append(int(re.search(r"VmRSS:\s+(\d+)", b.read(f"/proc/{pid}/status")).group(1)))
        assert memory[1] - memory[0] <= (4096 if sanitized() else 64), memory
        assert w.smtp("NOOP").startswith(b"250 ")


def main():
    need("gsasl", "swaks", "curl", "msmtp", "mutt", "mpop")
    extra = ALL + 'auth { without-tls = {"CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}  failure-delay = 10ms }\n' \
        "limits { errors = 10000  connections-per-address = 200 }\n"
    with Barid(extra=extra) as b:
        offered(b)
        by_programs(b)
        scram_lies(b)
        by_tls_12(b)
        broken_exchanges(b)
        cancelled(b)


main()
