# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that we did not write send mail: each message arrives once, byte for byte."""
import base64
import email
import email.policy
import os
import random
import re
import shlex
import shutil
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, need, program, run, same  # noqa: E402

FROM, TO = "alice@example.test", "bob@example.test"
TEXT = ("8-bit: \u00e4\u00f6\u00fc \u0645\u0631\u062d\u0628\u0627\n.\n..\n. a dot\n.\n\n \ntrailing blanks  \n"
        "From the start of a line\n" + "x" * 990 + "\n" + "." * 990 + "\n\nend\n").encode()
RANDOM = random.Random(20261120)
ATTACHMENT = RANDOM.randbytes(10 << 20)


def message(subject, text=TEXT):
    return f"From: Alice <{FROM}>\nTo: {TO}\nSubject: {subject}\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n" \
        f"Message-ID: <{subject}@client.test>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n" \
        f"Content-Transfer-Encoding: 8bit\n\n".encode() + text


def large(subject):
    head, _, _ = message(subject).partition(b"MIME-Version")
    b64 = base64.encodebytes(ATTACHMENT)
    return head + b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=.edge\n\n--.edge\n" \
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + TEXT + \
        b"\n--.edge\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" + \
        b64 + b"\n--.edge--\n"


class Sending:
    """What was sent, and must arrive."""

    def __init__(self, b):
        self.b = b
        self.dir = b.dir + "/client"
        os.mkdir(self.dir)
        self.ca = b.dir + "/localhost.pem"
        self.raw = {}
        self.composed = []

    def file(self, data, crlf=False):
        path = self.dir + "/message"
        with open(path, "wb") as f:
            f.write(data.replace(b"\n", b"\r\n") if crlf else data)
        return path

    def send(self, subject, how, *args, big=False):
        """A message of ours, handed on by the client as it is."""
        self.raw[subject] = large(subject) if big else message(subject)
        how(self.raw[subject], *args)

    # ---- clients of SMTP ---------------------------------------------------------

    def swaks(self, data, service, *args):
        # It adds a line end of its own.
        tls = "--tls-on-connect" if service == "submissions" else "--tls"
        out = run("swaks", "--server", "127.0.0.1", "--port", str(self.b.port[service]), tls, "--tls-verify",
                  "--tls-ca-path", self.ca, "--from", FROM, "--to", TO, "--auth-user", "alice",
                  "--auth-password", PASSWORD, "--data", "@" + self.file(data[:-1]), "--suppress-data", *args)
        assert re.search(rb"(?m)^<~ +250 2\.", out), out

    def msmtp(self, data, service, auth):
        conf = self.dir + "/msmtprc"
        with open(conf, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(f"account default\nhost 127.0.0.1\nport {self.b.port[service]}\nfrom {FROM}\ntls on\n"
                    f"tls_starttls {'off' if service == 'submissions' else 'on'}\ntls_trust_file {self.ca}\n"
                    f"auth {auth}\nuser alice\npassword {PASSWORD}\n")
        run("msmtp", "-C", conf, "--", TO, data=data, folder=self.dir)

    def curl(self, data, service, *args):
        scheme = "smtps" if service == "submissions" else "smtp"
        run("curl", "-sS", "--ssl-reqd", "--cacert", self.ca, "--user", f"alice:{PASSWORD}",
            "--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", self.file(data, crlf=True), *args,
            f"{scheme}://127.0.0.1:{self.b.port[service]}/client.test")

    def smtplib(self, data, service):
        with self.b.smtp(service, login="alice") as c:
            refused = c.sendmail(FROM, [TO], data.replace(b"\n", b"\r\n"), mail_options=["BODY=8BITMIME"])
            assert refused == {}

    def sendmail(self, data, *args):
        run(program("sendmail"), "-C", self.b.conf, "-i", "-f", FROM, *args, data=data)

    # ---- programs that compose the message themselves --------------------------------

    def compose(self, subject, command, **env):
        """The command gets TEXT on its standard input, and sends it with ATTACHMENT."""
        self.composed.append(subject)
        run(*command, data=TEXT, folder=self.dir, **env)

    def mail_command(self):
        """A sendmail for programs that want a path and no more."""
        path = self.dir + "/sendmail"
        with open(path, "w") as f:
            os.fchmod(f.fileno(), 0o755)
            f.write(f"#!/bin/sh\nexec {shlex.quote(program('sendmail'))} -C {shlex.quote(self.b.conf)} \"$@\"\n")
        return path

    def s_nail(self, subject, attachment, *settings):
        args = [a for s in ("v15-compat", "from=" + FROM, "ttycharset=utf-8", "sendcharsets=utf-8",
                            "mime-encoding=8bit", "DEAD=/dev/null", *settings) for a in ("-S", s)]
        self.compose(subject, ["s-nail", "-:/", "-r", FROM, *args, "-s", subject, "-a", attachment, TO],
                     MAILRC="/dev/null", NAILRC="/dev/null")

    def mutt(self, subject, attachment, *settings):
        rc = self.dir + "/muttrc"
        with open(rc, "w") as f:
            f.write(f"set from=\"{FROM}\" use_from=yes use_envelope_from=yes charset=utf-8 send_charset=utf-8\n"
                    f"set allow_8bit=yes copy=no record=\"\" ssl_ca_certificates_file=\"{self.ca}\"\n"
                    "set ssl_starttls=yes ssl_force_tls=yes abort_noattach=no\n")
            f.write("".join(f"set {s}\n" for s in settings))
        self.compose(subject, ["mutt", "-n", "-F", rc, "-s", subject, "-a", attachment, "--", TO])


def send_raw(s):
    s.send("swaks-login", s.swaks, "submission", "--auth", "LOGIN")
    s.send("swaks-plain", s.swaks, "submission", "--auth", "PLAIN")
    s.send("swaks-pipeline", s.swaks, "submission", "--auth", "PLAIN", "--pipeline")
    s.send("swaks-submissions", s.swaks, "submissions", "--auth", "LOGIN", "--pipeline")
    s.send("swaks-large", s.swaks, "submissions", "--auth", "PLAIN", big=True)
    s.send("msmtp-starttls", s.msmtp, "submission", "plain")
    s.send("msmtp-login", s.msmtp, "submission", "login")
    s.send("msmtp-auto", s.msmtp, "submissions", "on")
    s.send("msmtp-large", s.msmtp, "submission", "on", big=True)
    s.send("curl-starttls", s.curl, "submission")
    s.send("curl-login", s.curl, "submission", "--login-options", "AUTH=LOGIN", "--mail-auth", FROM)
    s.send("curl-smtps", s.curl, "submissions", "--login-options", "AUTH=PLAIN")
    s.send("curl-large", s.curl, "submissions", big=True)
    s.send("smtplib-starttls", s.smtplib, "submission")
    s.send("smtplib-large", s.smtplib, "submissions", big=True)
    s.send("sendmail-arguments", s.sendmail, "--", TO)
    s.send("sendmail-header", s.sendmail, "-t")
    s.send("sendmail-large", s.sendmail, "-t", big=True)


def send_composed(s):
    attachment = s.dir + "/attachment.bin"
    with open(attachment, "wb") as f:
        f.write(ATTACHMENT)
    command = s.mail_command()
    user = f"alice:{PASSWORD}@localhost:"
    starttls, implicit = s.b.port["submission"], s.b.port["submissions"]
    s.s_nail("s-nail-sendmail", attachment, "mta=" + command)
    tls = ("tls-ca-file=" + s.ca, "tls-ca-no-defaults", "smtp-auth=plain", "tls-verify=strict")
    s.s_nail("s-nail-starttls", attachment, f"mta=smtp://{user}{starttls}", "smtp-use-starttls", *tls)
    s.s_nail("s-nail-smtps", attachment, f"mta=smtps://{user}{implicit}", *tls)
    s.mutt("mutt-sendmail", attachment, f'sendmail="{command} -oem -oi"')
    s.mutt("mutt-dsn", attachment, f'sendmail="{command} -oem -oi"', "dsn_notify=failure,delay", "dsn_return=hdrs")
    s.mutt("mutt-starttls", attachment, f'smtp_url="smtp://{user}{starttls}"')
    s.mutt("mutt-smtps", attachment, f'smtp_url="smtps://{user}{implicit}"')


def refused(s):
    """What must not be let in is not, and the client says so."""
    out = run("swaks", "--server", "127.0.0.1", "--port", str(s.b.port["submission"]), "--tls", "--from", FROM,
              "--to", TO, "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", "wrong", code=28)
    assert b"535 5.7.8" in out, out
    out = run("curl", "-sS", "--ssl-reqd", "--cacert", s.ca, "--mail-from", FROM, "--mail-rcpt", TO,
              "--upload-file", s.file(b"x\r\n"), f"smtp://127.0.0.1:{s.b.port['submission']}", code=55)
    out = run("swaks", "--server", "127.0.0.1", "--port", str(s.b.port["submission"]), "--from", FROM,
              "--to", TO, code=23)
    assert b"530 5.7.0" in out, out
    # No certificate that was not asked for.
    run("curl", "-sS", "--ssl-reqd", "--user", f"alice:{PASSWORD}", "--mail-from", FROM, "--mail-rcpt", TO,
        "--upload-file", s.file(b"x\r\n"), f"smtps://127.0.0.1:{s.b.port['submissions']}", code=60)


def subject_of(data):
    return re.search(rb"(?m)^Subject: (.*)$", data).group(1).decode()


def check(s):
    got = s.b.mail("bob", len(s.raw) + len(s.composed), timeout=60)
    s.b.empty()
    arrived = sorted(map(subject_of, got))
    assert arrived == sorted([*s.raw, *s.composed]), arrived
    assert len(s.b.mailbox("bob")) == len(got)
    for data in got:
        subject = subject_of(data)
        head = data.partition(b"\n\n")[0]
        assert data.startswith(b"Return-Path: <" + FROM.encode() + b">\n"), head
        if subject in s.raw:
            # What we added stands above; the rest is what was sent.
            same(data[-len(s.raw[subject]):], s.raw[subject], subject)
            for field in (b"From", b"To", b"Date", b"Message-ID"):
                assert len(re.findall(rb"(?im)^" + field + b":", head)) == 1, (subject, field, head)
            continue
        m = email.message_from_bytes(data, policy=email.policy.default)
        text, attachment = m.iter_parts()
        assert text.get_payload(decode=True).replace(b"\r\n", b"\n") == TEXT, (subject, text.as_bytes()[:900])
        assert attachment.get_payload(decode=True) == ATTACHMENT, subject
        assert attachment.get_filename() == "attachment.bin"


def main():
    need("swaks", "msmtp", "curl", "s-nail", "mutt")
    with Barid() as b:
        s = Sending(b)
        send_raw(s)
        send_composed(s)
        refused(s)
        check(s)
        log = b.log()
        assert "sasl_method=LOGIN, sasl_username=alice" in log and "sasl_method=PLAIN" in log
        shutil.rmtree(s.dir)


main()
