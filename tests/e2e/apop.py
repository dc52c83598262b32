#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""apop -- APOP (RFC 1939 7) where it is wanted and can be: by poplib, curl, fetchmail and mpop."""
import os
import poplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Wire, NO_VERIFY, PASSWORD, need, run, wait_for  # noqa: E402

SECRET = "tanstaaf"
WANTED = 'auth { mechanisms = {"PLAIN", "LOGIN", "APOP"} }\n'
CLEAR = 'auth { mechanisms = {"PLAIN", "APOP"} without-tls = {"APOP"} }\n'
LISTEN = {"pop3": ("pop3", "starttls"), "pop3s": ("pop3", "implicit"), "smtp": ("smtp", "off")}


def banner(b, name):
    with Wire(b.port[name], tls=name == "pop3s") as w:
        return w.line()


def with_secret(b):
    with open(b.dir + "/users", "a", encoding="ascii") as f:
        f.write("carol:{PLAIN}" + SECRET + "\n")


def refused(c, user, secret):
    try:
        c.apop(user, secret)
    except poplib.error_proto as e:
        return e.args[0]
    raise AssertionError(f"{user} could log in")


def offered():
    """Only where it is wanted, somebody can use it, and nobody reads along."""
    with Barid(extra="", listen=LISTEN, start=False) as b:
        with_secret(b)
        b.start()
        assert b"<" not in banner(b, "pop3s")
    with Barid(extra=WANTED, listen=LISTEN) as b:
        assert b"<" not in banner(b, "pop3s"), "all passwords are hashes"
        with_secret(b)
        wait_for("the time stamp", lambda: b"<" in banner(b, "pop3s"))
        assert b"<" not in banner(b, "pop3"), "without TLS"
        assert banner(b, "pop3s") != banner(b, "pop3s")
        # It is no mechanism of SMTP.
        with Wire(b.port["smtp"]) as w:
            w.reply()
            assert b"APOP" not in w.smtp("EHLO c")


def used():
    with Barid(extra=CLEAR, listen=LISTEN, start=False) as b:
        with_secret(b)
        b.start()
        for i in range(3):
            b.put("carol", f"{i}.x", b"Subject: %d\n\nx\n" % i)
        for name in ("pop3", "pop3s"):
            make = (lambda n=name: poplib.POP3(b.host, b.port[n], timeout=60)) if name == "pop3" else \
                (lambda n=name: poplib.POP3_SSL(b.host, b.port[n], context=NO_VERIFY, timeout=60))
            c = make()
            assert refused(c, "carol", "wrong").startswith(b"-ERR [AUTH]")
            # A hash is no password: nobody can prove one by it.
            assert refused(c, "alice", PASSWORD).startswith(b"-ERR [AUTH]")
            assert refused(c, "nobody", SECRET).startswith(b"-ERR [AUTH]")
            c.apop("carol", SECRET)
            assert c.stat()[0] == 3
            c.quit()
            # It is a password as well.
            if name == "pop3s":
                c = make()
                c.user("carol")
                c.pass_(SECRET)
                c.quit()
        with Wire(b.port["pop3"]) as w:
            w.line()
            for bad in ("APOP", "APOP carol", "APOP carol " + "0" * 31, "APOP carol " + "A" * 32,
                        "APOP carol " + "0" * 32 + " x"):
                assert w.cmd(bad).startswith(b"-ERR"), bad
            assert w.cmd("STLS").startswith(b"+OK")
            w.start_tls()
            assert w.cmd("APOP carol " + "0" * 32) == b"-ERR APOP is not offered here"
        clients(b)
        assert SECRET not in b.log()


def clients(b):
    text = run("curl", "-sS", "--login-options", "AUTH=+APOP", "--user", f"carol:{SECRET}",
               f"pop3://127.0.0.1:{b.port['pop3']}/1")
    assert b"Subject: 0" in text, text
    rc = b.dir + "/mpoprc"
    with open(rc, "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(f"account default\nhost 127.0.0.1\nport {b.port['pop3']}\ntls off\nauth apop\nuser carol\n"
                f"password {SECRET}\nkeep on\ndelivery mbox {b.dir}/mpop.box\nuidls_file {b.dir}/uidls\n")
    run("mpop", "-q", "-C", rc, folder=b.dir)
    with open(b.dir + "/mpop.box", "rb") as f:
        assert f.read().count(b"Subject: ") == 3
    rc = b.dir + "/fetchmailrc"
    with open(rc, "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(f"set no bouncemail\nset no syslog\npoll 127.0.0.1 protocol APOP port {b.port['pop3']} user carol "
                f'password {SECRET} sslproto "" mda "cat >>{b.dir}/fetch.box" nokeep\n')
    run("fetchmail", "-v", "--pidfile", b.dir + "/fetchmail.pid", "--fetchmailrc", rc, HOME=b.dir, FETCHMAILHOME=b.dir)
    with open(b.dir + "/fetch.box", "rb") as f:
        assert f.read().count(b"Subject: ") == 3
    wait_for("an empty mailbox", lambda: not b.mailbox("carol"))


def main():
    need("curl", "mpop", "fetchmail")
    offered()
    used()


main()
