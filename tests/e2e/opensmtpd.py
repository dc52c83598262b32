# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSMTPD as the next hop and as a client, over STARTTLS with certificates that are verified.

With OpenSSL 3 its process for keys finds none, so that it offers STARTTLS and no handshake succeeds: Debian 12's is such a
one.  Then it shows how mail goes to a server that promises what it cannot do.  Its package and that of another mail server exclude each other, so that `make deps` only fetches it.  It runs unpacked,
among mounts of its own: users, hosts, spool and sockets are those of the test, and the host sees nothing of them.
"""
import glob
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, Barid, fetched, free_port, listening, route, run, same, skip, upstream, wait_for  # noqa: E402

SENDER = "alice@example.test"
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"

# It has its directories compiled in.
NAMESPACE = """
for f in passwd group hosts resolv.conf; do mount --bind "$1/etc/$f" "/etc/$f"; done
mount --bind "$1/ca.pem" /etc/ssl/certs/ca-certificates.crt
mount -t tmpfs none /usr/libexec
mkdir /usr/libexec/opensmtpd
mount --bind "$1/root/usr/libexec/opensmtpd" /usr/libexec/opensmtpd
for d in /run /var/lib /var/spool; do mount -t tmpfs -o mode=755 none "$d"; done
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd
chmod 711 /var/lib/opensmtpd/empty /var/spool/smtpd
cd /var/spool/smtpd
for d in corrupt incoming purge queue temporary; do install -d -m 700 -o opensmtpq -g root "$d"; done
install -d -m 770 -o root -g opensmtpq offline
exec "$1/root/usr/sbin/smtpd" -d -f "$1/smtpd.conf"
"""

CONF = """
pki peer cert "{d}/peer.pem"
pki peer key "{d}/peer.key"
listen on 127.0.0.1 port {port} hostname peer.test tls pki peer
table anybody {{ "@" = "nobody" }}
action "keep" maildir "{d}/mail/%{{rcpt.user}}" virtual <anybody>
action "relay" relay host smtp+tls://localhost:{next} helo peer.test
match from any for domain "kept.test" action "keep"
match from any for domain "example.test" action "relay"
"""


class OpenSMTPD:
    """One that keeps mail for kept.test, and relays mail for example.test to localhost:NEXT_PORT, which has CA's certificate."""

    def __init__(self, next_port, ca):
        self.port = free_port(["127.0.0.1"])
        self.dir = d = tempfile.mkdtemp(prefix="barid-opensmtpd-")
        os.chmod(d, 0o755)
        fetched("opensmtpd", d + "/root")
        os.mkdir(d + "/etc")
        self.copy_and_add("passwd", "opensmtpd:x:64001:64001::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"
                          "opensmtpq:x:64002:64002::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n")
        self.copy_and_add("group", "opensmtpd:x:64001:\nopensmtpq:x:64002:\n")
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        # Of no server, and no names but those of the file above.
        self.write("etc/resolv.conf", "lookup file\nnameserver 127.0.0.1\n")
        shutil.copy(ca, d + "/ca.pem")
        os.mkdir(d + "/mail")
        shutil.chown(d + "/mail", "nobody")
        # Keys of elliptic curves it has never known.
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=peer.test", "-days", "30", "-addext",
            "subjectAltName=DNS:peer.test", "-keyout", d + "/peer.key", "-out", d + "/peer.pem")
        os.chmod(d + "/peer.key", 0o600)
        self.write("smtpd.conf", CONF.format(d=d, port=self.port, next=next_port))
        with open(d + "/log", "wb") as log:
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-euc", NAMESPACE, "sh", d], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def write(self, name, text):
        with open(f"{self.dir}/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    def copy_and_add(self, name, lines):
        with open(f"/etc/{name}", encoding="utf-8") as f:
            kept = [line for line in f if not line.startswith("opensmtp")]
        self.write(f"etc/{name}", "".join(kept) + lines)

    def log(self):
        with open(self.dir + "/log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready(self):
        def look():
            if self.process.poll() is None:
                return listening(self.port)
            if "unshare: " in self.log() or "mount: " in self.log():
                skip("no mounts of one's own are allowed here")
            raise AssertionError(f"OpenSMTPD ended: {self.log()}")
        wait_for("OpenSMTPD", look)

    def can_tls(self):
        """Whether a client that is not ours gets a session."""
        out = run("openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{self.port}", "-CAfile",
                  self.dir + "/peer.pem", "-quiet", data=b"QUIT\r\n", code=None)
        return b"\n221 " in out

    def kept(self, user, count):
        """The messages of a Maildir of its, oldest first."""
        pattern = f"{self.dir}/mail/{user}/new/*"
        wait_for(f"{count} messages of {user}", lambda: len(glob.glob(pattern)) >= count)
        found = []
        for path in sorted(glob.glob(pattern)):
            with open(path, "rb") as f:
                found.append(f.read())
        return found

    def __enter__(self):
        try:
            self.ready()
        except BaseException:
            self.__exit__(None)
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            print("---- OpenSMTPD\n" + self.log()[-4000:])
        # All of its processes are in the session that was made for it.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def message(subject, body="hello\r\n"):
    return (f"From: {SENDER}\r\nTo: you@kept.test\r\nSubject: {subject}\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
            f"Message-ID: <{subject}@example.test>\r\n\r\n{body}").encode()


BODY = "8-bit: \u00e4\r\n.\r\n..\r\n.x\r\n" + "y" * 990 + "\r\n\r\nend\r\n"


def there(b, peer, proto):
    """To it, by PROTO: text as it was, many messages on one connection, its refusals in our reports."""
    b.send(SENDER, ["carol@kept.test", "dave@kept.test"], message("first", BODY), mail_options=["BODY=8BITMIME"])
    for user in ("carol", "dave"):
        text = peer.kept(user, 1)[0]
        same(text.split(b"\n\n", 1)[1], BODY.replace("\r\n", "\n").encode(), f"the mail of {user}")
        head = text.split(b"\n\n", 1)[0].decode()
        assert re.search(rf"Received: from {b.hostname} \(.*\n.*by peer\.test \(OpenSMTPD\) with {proto} ", head), head
        assert f"Return-Path: <{SENDER}>" in head.replace(SENDER.lower(), SENDER), head
    b.empty()
    assert re.search(r"to=<carol@kept\.test>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+, .*status=sent \(250 2\.0\.0 ", b.log())
    for n in range(30):
        b.send(SENDER, ["erin@kept.test"], message(f"number {n}"))
    assert len(peer.kept("erin", 30)) == 30
    b.empty()
    # One that it does not take, beside one that it does.
    b.send(SENDER, ["frank@kept.test", "grace@not-kept.test"], message("half"))
    peer.kept("frank", 1)
    report = b.mail("alice", 1)[0]
    assert b"grace@not-kept.test" in report and b"Diagnostic-Code: smtp; 550" in report, report
    assert b"frank@kept.test" not in report.split(b"Subject: half")[0].split(b"message/delivery-status")[1], report
    b.empty()


def back(b, peer):
    """From it: over TLS with our certificate verified; what we put off comes again, what we refuse comes back to its sender."""
    before = len(b.mailbox("bob"))
    with smtplib.SMTP("127.0.0.1", peer.port, local_hostname="client.test") as c:
        c.sendmail("dan@kept.test", ["bob@example.test"], message("second", BODY), mail_options=["BODY=8BITMIME"])
        text = b.mail("bob", before + 1)[-1]
        same(text.split(b"\n\n", 1)[1], BODY.replace("\r\n", "\n").encode(), "the mail of bob")
        head = text.split(b"\n\n", 1)[0].decode()
        assert re.search(r"Received: from peer\.test \(.*\n(?:\t.*\n)*?.*with ESMTPS ", head), head
        for n in range(20):
            c.sendmail("dan@kept.test", ["bob@example.test", "alice@example.test"], message(f"back {n}"))
        assert len(b.mail("bob", before + 21)) == before + 21
        # Its report goes to its own sender.
        c.sendmail("dan@kept.test", ["nobody-here@example.test"], message("refused"))
        report = peer.kept("dan", 1)[0]
        assert b"nobody-here@example.test" in report and b"550 5.1.1" in report, report
    assert 'mta server-cert-check result="success"' in peer.log(), peer.log()
    assert not re.search(r"status=(deferred|bounced).*@example\.test", b.log()), b.log()


def promised(b, peer):
    """It offers TLS and cannot: mail that may do without goes in the clear, mail that may not waits and says why."""
    b.send(SENDER, ["waits@kept.test"], message("waits"))
    line = b.deferred("TLS handshake failed")
    assert "dsn=4.7.5" in line and "to=<waits@kept.test>" in line, line
    assert " smtp message " not in peer.log(), [x for x in peer.log().split("\n") if "mta" in x and "delivery" not in x]
    configure(b, peer, 'tls = "may"')
    b.reload()
    b.ctl("queue", "flush")
    peer.kept("waits", 1)
    b.empty()


def configure(b, peer, tls):
    b.write_conf(f'tls {{ ca = "{peer.dir}/peer.pem" }}\n' + upstream("peer", ("127.0.0.1", peer.port, tls)) +
                 route("*", "peer") + SLOW)


def main():
    if not ROOT:
        skip("OpenSMTPD runs as root only")
    fetched("opensmtpd", tempfile.mkdtemp(prefix="barid-opensmtpd-"))
    with Barid(start=False) as b, OpenSMTPD(b.port["smtp"], b.dir + "/localhost.pem") as peer:
        b.relay = ("127.0.0.0/8",)
        configure(b, peer, 'tls = "verified" tls-name = "peer.test"')
        b.start()
        tls = peer.can_tls()
        if not tls:
            print("this OpenSMTPD offers STARTTLS and cannot do it")
            promised(b, peer)
        there(b, peer, "ESMTPS" if tls else "ESMTP")
        back(b, peer)


main()
