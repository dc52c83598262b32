# SPDX-License-Identifier: GPL-3.0-or-later
"""Viruses, as ClamAV's clamd sees them, by a socket of this host and by TCP; and both checks of one message.

FEATURES S1: an answer that does not come is deferred.
"""
import os
import smtplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Wire, wait_for  # noqa: E402
from scantest import EICAR, Clamd, Scand, explained, message  # noqa: E402


def check(server, options=""):
    return f'check "virus" {{ server = "{server}" {options} }}\n'


def send(b, text, **kw):
    """The reply that is no yes, or None."""
    try:
        b.send("a@far.test", ["alice@example.test"], text, **kw)
    except smtplib.SMTPDataError as e:
        return e.smtp_code, e.smtp_error.decode()
    return None


INFECTED = (554, "5.7.1 The message has a virus: Barid.Eicar.UNOFFICIAL")


def by_socket(c):
    with Barid(extra=check("unix:" + c.socket)) as b:
        assert send(b, message(EICAR)) == INFECTED
        assert explained(b, "virus", message(EICAR))[1] == "refused by virus: 554 " + INFECTED[1]
        assert explained(b, "virus", message())[0] == f"unix:{c.socket}: clean"
        assert send(b, message(EICAR), name="submission", login="alice") == INFECTED, "who logs in has viruses, too"
        assert send(b, message(header="X-Virus-Status: Infected (forged)\r\n")) is None
        got = b.mail("alice", 1)[0]
        assert b"X-Virus-Status: Clean\n" in got and b"forged" not in got, got
        # In the file of the spool, at its end.
        lines = "\n".join("x" * (n % 70) for n in range(20000))
        assert send(b, message(lines + "\n" + EICAR)) == INFECTED
        assert send(b, message(lines)) is None
        assert lines.encode() in b.mail("alice", 2)[1]
        # More than its own limit, which it says before it has heard everything.
        said = send(b, message("\n".join("z" * 70 for _ in range(30000))))
        assert said == (451, "4.7.1 The message cannot be checked now"), said
        wait_for("the reason", lambda: "the message is longer than its StreamMaxLength; deferred" in b.log())
        b.write_conf(check("unix:" + c.socket, 'max-size = 1000KB'))
        b.reload()
        assert send(b, message("\n".join("z" * 70 for _ in range(30000)))) is None, "not looked at"


def again(c):
    """S-19: what was refused at its end leaves nothing of itself, and the next one is looked at anew."""
    with Barid(extra=check("unix:" + c.socket)) as b, Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220") and w.smtp("EHLO x").startswith(b"250")
        for text, want in ((message(EICAR), b"554 5.7.1 "), (message(), b"250 "), (message(EICAR), b"554 5.7.1 ")):
            for line, code in (("MAIL FROM:<a@far.test>", b"250"), ("RCPT TO:<alice@example.test>", b"250"), ("DATA", b"354")):
                assert w.smtp(line).startswith(code), (line, want)
            w.send(text + ".\r\n")
            assert w.reply().startswith(want), want
            for line in ("RCPT TO:<alice@example.test>", "DATA"):
                assert w.smtp(line).startswith(b"503 5.5.1"), (line, want)
        b.mail("alice", 1)


def by_tcp(c):
    with Barid(extra=check(f"clamd:[::1]:{c.port}", 'on-error = "accept"')) as b:
        assert send(b, message(EICAR)) is None, "nobody is there"
        wait_for("the reason", lambda: "Connection refused; accepted all the same" in b.log())
        assert b"X-Virus" not in b.mail("alice", 1)[0]
        b.write_conf(check(f"localhost:{c.port}", 'action = "note"'))
        b.reload()
        assert send(b, message(EICAR)) is None
        assert b"X-Virus-Status: Infected (Barid.Eicar.UNOFFICIAL)\n" in b.mail("alice", 2)[1]


def both(c):
    """Both are asked at once; a virus goes before spam, and either before a server that cannot say."""
    spam = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 9.0 / 5.0\r\n\r\nA,B\r\n"
    with Scand(lambda n, heard: spam if EICAR.encode() in heard or b"hello" in heard else None) as s:
        conf = check("unix:" + c.socket) + f'check "spam" {{ server = "127.0.0.1:{s.port}" action = "reject" }}\n'
        with Barid(extra=conf) as b:
            assert send(b, message(EICAR)) == INFECTED
            assert send(b, message())[0] == 550
            assert len(s.heard) == 2
            b.write_conf(check("unix:" + c.socket + ".not") + conf.split("\n")[1] + "\n")
            b.reload()
            assert send(b, message())[0] == 451, "a virus is what must not pass"


def main():
    with Clamd() as c:
        by_socket(c)
        again(c)
        by_tcp(c)
        both(c)


if __name__ == "__main__":
    main()
