# SPDX-License-Identifier: GPL-3.0-or-later
"""Spam, as SpamAssassin's spamd and Rspamd see it: noted, refused, edited.

FEATURES F8, S1, S2.
"""
import email
import email.header
import os
import smtplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, wait_for  # noqa: E402
from scantest import GTUBE, Rspamd, Spamd, explained, message  # noqa: E402

BINARY = b"edit me\n" + bytes(range(256)) + b"\r\n.\r\n\n\r"
FORGED = "X-Spam-Status: No, score=-100\r\nX-SPAM-FLAG: NO\r\nX-Spam-Score: -9\r\nX-Other: kept\r\n"


def check(server, options=""):
    return f'check "spam" {{ server = "{server}" {options} }}\n'


def fields(text, name):
    """Unfolded values of each field NAME in the header of TEXT."""
    header = text.split(b"\n\n", 1)[0].decode().replace("\n\t", " ").replace("\n ", " ")
    return [line.partition(":")[2].strip() for line in header.split("\n") if line.lower().startswith(name.lower() + ":")]


def refused(b, text, sender="a@far.test", rcpts=("alice@example.test",), **kw):
    try:
        b.send(sender, list(rcpts), text, **kw)
    except smtplib.SMTPDataError as e:
        return e.smtp_code, e.smtp_error.decode()
    return None


def take(b, text, count, user="alice", **kw):
    b.send("a@far.test", ["alice@example.test"], text, **kw)
    return b.mail(user, count)[-1]


def noted(spamd):
    with Barid(extra=check(f"localhost:{spamd.port}", "max-size = 200KB")) as b:
        # T4: nor does it say anything in our name, whatever is checked.
        claim = "Authentication-Results: mx.example.test; dmarc=pass header.from=bank.test\r\n"
        got = take(b, message(header=FORGED + claim), 1)
        assert fields(got, "X-Spam-Status") == ["No, score=0.0 required=5.0 tests=none"] and b"bank.test" not in got, got
        assert fields(got, "X-Spam-Score") == ["0.0"] and not fields(got, "X-Spam-Flag"), got
        assert fields(got, "X-Other") == ["kept"], got
        got = take(b, message("something odd " + GTUBE), 2)
        assert fields(got, "X-Spam-Status") == ["Yes, score=21.5 required=5.0 tests=BARID_GTUBE,BARID_ODD"], got
        assert fields(got, "X-Spam-Flag") == ["YES"] and fields(got, "X-Spam-Score") == ["21.5"], got
        assert got.count(GTUBE.encode()) == 1
        wait_for("the line", lambda: "check spam: spam (21.5/5.0) tests=BARID_GTUBE,BARID_ODD, delay=" in b.log())
        # One that is not held in memory, whose line breaks are where pieces end; and one that is too long.
        lines = "\n".join("x" * (n % 70) for n in range(3000))
        got = take(b, message(GTUBE + "\n" + lines), 3)
        assert fields(got, "X-Spam-Flag") == ["YES"] and lines.encode() in got, got[:500]
        got = take(b, message(GTUBE + "\n" + lines * 3, FORGED), 4)
        assert not fields(got, "X-Spam-Status") and len(got) > 300000, got[:1000]
        assert "are more than max-size" in b.log()
        # Who logs in is nobody's spammer, and what his mail says stays as it is.
        got = take(b, message(GTUBE, FORGED), 5, name="submission", login="alice")
        assert fields(got, "X-Spam-Status") == ["No, score=-100"], got


def rejected(spamd):
    options = 'action = "reject"'
    with Barid(extra=check(f"spamd:127.0.0.1:{spamd.port}", options)) as b:
        code, text = refused(b, message(GTUBE))
        assert code == 550 and text == "5.7.1 The message looks like spam (20.0 points)", (code, text)
        assert "reject: END-OF-MESSAGE from" in b.log() and "looks like spam" in b.log()
        assert refused(b, message("something odd")) is None
        # Postmasters hear of it, but not where others would.
        assert refused(b, message(GTUBE), rcpts=["postmaster@example.test", "abuse@example.test"]) is None \
            or "abuse" in b.log()
        assert refused(b, message(GTUBE), rcpts=["postmaster@example.test", "alice@example.test"])[0] == 550
        assert len(b.mail("alice", 1)) >= 1
        b.write_conf(check(f"127.0.0.1:{spamd.port}", options + " reject-score = 21  relayed = true"))
        b.reload()
        assert refused(b, message(GTUBE)) is None, "20 points are not 21"
        assert refused(b, message("something odd " + GTUBE), name="submission", login="alice",
                       sender="alice@example.test")[0] == 550


def explains(spamd):
    """By the same way as for a session, and in what words it is not."""
    with Barid(extra=check(f"127.0.0.1:{spamd.port}", 'action = "reject" on-error = "defer"')) as b:
        server = f"127.0.0.1:{spamd.port}"
        assert explained(b, "spam", message()) == (f"{server}: clean (0.0/5.0)", "no check that was made refuses it")
        found, verdict = explained(b, "spam", message(GTUBE))
        assert found == f"{server}: spam (20.0/5.0) tests=BARID_GTUBE: 550 5.7.1 The message looks like spam (20.0 points)", found
        assert verdict == "refused by spam: 550 5.7.1 The message looks like spam (20.0 points)", verdict
        assert not b.spooled() and "looks like spam" not in b.log()
        if os.geteuid() == 0:
            found, verdict = explained(b, "spam", message(GTUBE), user=1)
            assert found == f"not looked at: {server} cannot be shown it: only root and the mail user may have it shown", found
            assert verdict == "no check that was made refuses it", verdict
        b.stop()
        assert explained(b, "spam", message(GTUBE))[0] == f"not looked at: {server} cannot be shown it: barid does not run"


def edited(spamd):
    with Barid(extra=check(f"127.0.0.1:{spamd.port}", 'action = "edit"')) as b:
        got = take(b, message(header=FORGED), 1)
        assert fields(got, "X-Spam-Status")[0].startswith("No, score=0.0 required=5.0 tests=none"), got
        assert got.endswith(b"\n\nhello\n"), got
        got = take(b, message("something odd " + GTUBE), 2)
        header = got.split(b"\n\n", 1)[0]
        # Ours first, once; then what spamd makes of it, which with report_safe has the message within.
        assert header.split(b"\n")[2].startswith(b"Received: from client.test "), got
        assert header.count(b"(barid) with ESMTP id") == 1, got
        assert fields(got, "X-Spam-Flag") == ["YES"] and fields(got, "Content-Type")[0].startswith("multipart/mixed"), got
        assert GTUBE.encode() in got and b"message/rfc822" in got
        wait_for("the line", lambda: "check spam: spam (21.5/5.0) tests=BARID_GTUBE,BARID_ODD, delay" in b.log())
        long = "\n".join("y" * 60 for n in range(5000))
        got = take(b, message(long), 3)
        assert long.encode() in got and fields(got, "X-Spam-Checker-Version"), got[:1000]
        assert got.index(b"Received: ") < got.index(b"X-Spam-Checker-Version"), got[:1000]
        # What has no lines stays as it is, and says what was found.
        got = binary(b, 4)
        assert fields(got, "X-Spam-Status") == ["No, score=1.5 required=5.0 tests=BARID_ODD"] and not fields(got, "X-Spam-Checker-Version"), got


def rspamd():
    with Rspamd() as r, Barid(extra=check(f"rspamd:127.0.0.1:{r.port}", 'action = "reject"') +
                              'access { connect = {"0.0.0.0/0"} xclient = {"127.0.0.1"} }\n') as b:
        code, text = refused(b, message(GTUBE))
        assert code == 550 and text.startswith("5.7.1 The message looks like spam (15.0 points): Gtube"), (code, text)
        got = take(b, message("something odd"), 1)
        assert fields(got, "X-Spam-Flag") == ["YES"], got
        assert "BARID_ODD" in fields(got, "X-Spam-Status")[0], got
        code, text = refused(b, message("come again"))
        assert code == 451 and text.startswith("4.7.1 The message is to come again"), (code, text)
        for words, found in ((GTUBE, "spam, to be refused (15.0/15.0) tests="), ("come again", "later (4.5/15.0) tests=")):
            said, verdict = explained(b, "spam", message(words))
            assert found in said and verdict.startswith("refused by spam: "), (said, verdict)
        # What it is told of the message besides.
        with b.smtp() as c:
            c.ehlo()
            assert c.docmd("XCLIENT ADDR=192.0.2.7")[0] == 220
            c.ehlo_resp = c.helo_resp = None  # It is another client now.
            c.sendmail("a@far.test", ["alice@example.test", "bob@example.test"], message())
        got = b.mail("bob", 1)[0]
        assert "BARID_TOLD" in fields(got, "X-Spam-Status")[0], got
        assert fields(got, "X-Spam-Status")[0].startswith("No, score=0.5 required=15.0"), got


def binary(b, count):
    """A message that has no lines (RFC 3030), as alice gets it in another form."""
    text = message("", 'MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n')
    data = text.replace("hi", "something odd", 1).encode()[:-2] + BINARY
    with b.smtp() as c:
        c.ehlo()
        assert c.docmd("MAIL FROM:<a@far.test> BODY=BINARYMIME")[0] == 250
        assert c.docmd("RCPT TO:<alice@example.test>")[0] == 250
        c.send(b"BDAT %d LAST\r\n" % len(data) + data)
        code, said = c.getreply()
        assert code == 250, said
    got = b.mail("alice", count)[-1]
    assert email.message_from_bytes(got).get_payload(decode=True) == BINARY, got
    return got


def rspamd_edits():
    """What Rspamd wants is done: fields, the Subject, refusals; what it may not have is left out."""
    header = "X-Gone: 1\r\nX-Some: a\r\nX-Gone: 2\r\nX-Some: b\r\n"
    with Rspamd() as r, Barid(extra=check(f"rspamd:127.0.0.1:{r.port}", 'action = "edit"')) as b:
        got = take(b, message("plain", header), 1)
        assert fields(got, "X-Gone") == ["1", "2"] and fields(got, "X-Spam-Status")[0].startswith("No, score=0.0"), got
        lines = "\n".join("x" * (n % 70) for n in range(8000))
        for n, (words, subject) in enumerate((("edit me", "hi"), ("edit me, new subject\n" + lines, "=?UTF-8?Q?[spam]_gr=C3=BCn?="))):
            got = take(b, message(words, header), n + 2)
            head, body = got.split(b"\n\n", 1)
            assert b"\nReceived: from client.test " in head and head.count(b"\nReceived: ") == 1, got[:2000]
            assert not fields(got, "X-Gone") and fields(got, "X-Some") == ["a"], got[:2000]
            assert fields(got, "X-Plain") == ["one"] and b"\nX-Folded: two\n\tfolded\n" in head, got[:2000]
            assert fields(got, "X-Twice") == ["first", "second"], got[:2000]
            assert fields(got, "X-Evil") == ["x X-Injected: yes body"] and not fields(got, "X-Injected"), got[:2000]
            assert not fields(got, "Bad Name") and len(fields(got, "X-Spam-Status")) == 1, got[:2000]
            assert len(fields(got, "Subject")) == 1 and len(fields(got, "From")) == 1, got[:2000]
            assert body.strip() == words.strip().encode(), body[:200]
            if subject == "hi":
                assert fields(got, "Subject") == ["hi"], got[:2000]
            else:
                assert str(email.header.make_header(email.header.decode_header(fields(got, "Subject")[0]))) == "[spam] grün", got[:2000]
                assert fields(got, "X-Spam-Flag") == ["YES"], got[:2000]
        # Also behind a line that is no field.
        got = take(b, message("edit me", "X-Gone: 1\r\njunk\r\nX-Gone: 2\r\n"), 4)
        head = got.split(b"\n\n", 1)[0]
        assert b"\njunk\n" in head and b"X-Gone" not in head and b"\nX-Plain: one\n" in head + b"\n", got[:2000]
        got = binary(b, 5)
        assert fields(got, "X-Plain") == ["one"] and "BARID_ODD" in fields(got, "X-Spam-Status")[0], got
        wait_for("the warning", lambda: "they are left out" in b.log())
        code, text = refused(b, message("edit me, not now"))
        assert code == 451 and text.startswith("4.7.1 The message is to come again: not now"), (code, text)
        assert refused(b, message("come again"))[0] == 451
        assert refused(b, message(GTUBE))[0] == 550
        assert refused(b, message("edit me, not now"), rcpts=["postmaster@example.test"]) is None


def main():
    with Spamd() as spamd:
        noted(spamd)
        rejected(spamd)
        explains(spamd)
    with Spamd(report_safe=1) as spamd:
        edited(spamd)
    rspamd()
    rspamd_edits()


if __name__ == "__main__":
    main()
