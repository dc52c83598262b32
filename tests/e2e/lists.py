# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailing lists: who may send, what the members get, what DMARC asks for, errors to the owner, loops, many members.

FEATURES D6, D7.
"""
import email
import email.policy
import os
import re
import smtplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, run, route, spool_file, upstream, wait_for  # noqa: E402

ZONE = """_dmarc.strict.example TXT "v=DMARC1; p=none; sp=reject"
_dmarc.own.strict.example TXT "v=DMARC1; p=quarantine; t=y"
_dmarc.far.example TXT "v=DMARC1; p=none"
_dmarc.silent.example SERVFAIL
_dmarc.half.alone TXT "v=DMARC1; p=none"
_dmarc.alone SERVFAIL
_dmarc.hard.example TXT "v=DMARC1; p=reject; rua=mailto:x@hard.example"
"""
CONF = """
recipient "dev@example.test" {{ list = "dev" }}
recipient "all@example.test" {{ list = "all" }}
recipient "dev-owner@example.test" {{ mailbox = "owner" }}
recipient "staff@example.test" {{ forward = {{"dev@example.test"}} }}
recipient "back@example.test" {{ forward = {{"dev@example.test"}} }}
list "dev" {{
  members = "{dir}/dev"
  return-path = "dev-owner@example.test"
  subject-prefix = "[dev]"
  attachments = false
  posters = {{"robot@*"}}
  subjects = {{"[build] *"}}
  headers = {{"List-Unsubscribe: <mailto:dev-owner@example.test?subject=leave>"}}
}}
list "all" {{
  members = "{dir}/all"
  return-path = "dev-owner@example.test"
  members-only = false
  reply-to-list = true
  other-lists = true
}}
dkim-sign "example.test" {{ selector = "s" key = "{dir}/dkim.pem" }}
queue {{ retry = {{1s}} }}
extract-headers = true
"""
MEMBERS = """# of dev
alice@example.test
Bob@Example.test   # whatever case
carol@far.example
dave@hard.example  no-mail
erin@sub.strict.example no-mail
frank@own.strict.example no-mail
gone@example.test disabled
back@example.test
nobody@broken.example
"""


def text(sender, subject="hello", more="", to="dev@example.test", body="text\r\n"):
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{more}\r\n{body}"


def got(b, user, count):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in b.mail(user, count)]


def refusal(b, sender, message, rcpts=("dev@example.test",)):
    with b.smtp() as s:
        try:
            s.sendmail(sender, rcpts, message)
        except smtplib.SMTPDataError as e:
            return e.smtp_code, e.smtp_error.decode()
    raise AssertionError("it was taken")


def who(b):
    """Refusals are the answer to the text: nobody is sent a report."""
    only = (550, "5.7.2 <dev@example.test>: Only members may send to this list")
    assert refusal(b, "eve@far.example", text("eve@far.example")) == only, refusal(b, "eve@far.example", text("eve@far.example"))
    assert refusal(b, "gone@example.test", text("gone@example.test")) == only
    # For nobody: the message is one.
    assert refusal(b, "eve@far.example", text("eve@far.example"), ("alice@example.test", "dev@example.test")) == only
    mixed = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n'
    assert refusal(b, "alice@example.test", text("alice@example.test", more=mixed))[1] == \
        "5.7.0 <dev@example.test>: This list takes no attachments"
    assert refusal(b, "alice@example.test", text("alice@example.test", more="Auto-Submitted: auto-replied\r\n"))[0] == 550
    assert refusal(b, "alice@example.test", text("alice@example.test", more="List-Id: x <x.far.example>\r\n"))[0] == 550
    assert refusal(b, "alice@example.test", text("alice@example.test", more="List-ID:\r\n <dev.example.test>\r\n")) == \
        (554, "5.4.6 <dev@example.test>: The message was sent by this list already: it goes in circles")
    assert refusal(b, "", text("alice@example.test"))[0] == 550
    assert b.spooled() == [] and b.mailbox("alice") == []


def members(b, sink):
    b.send("x@bounce.far.example", ["dev@example.test"],
           text('"Doe, Carol" <CAROL@far.example>', "Re: [dev] re: [DEV] hello",
                "Return-Path: <old@far.example>\r\nDisposition-Notification-To: <c@far.example>\r\n"
                "DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=x; h=From; bh=AA==; b=AA==\r\n"))
    m = got(b, "alice", 1)[0]
    assert m["Subject"] == "[dev] Re: hello", m["Subject"]
    assert m["From"] == '"Doe, Carol" <CAROL@far.example>' and m["Reply-To"] is None
    assert m["List-Id"] == "dev <dev.example.test>" and m["List-Post"] == "<mailto:dev@example.test>"
    assert m["List-Unsubscribe"] == "<mailto:dev-owner@example.test?subject=leave>" and m["Precedence"] == "list"
    assert m["Disposition-Notification-To"] is None and "d=far.example" in m["DKIM-Signature"]
    assert m.get_all("Return-Path") == ["<dev-owner@example.test>"], m.get_all("Return-Path")
    assert m.get_all("Delivered-To") == ["alice@example.test", "dev@example.test"]
    assert m.get_payload().strip() == "text", m.get_payload()
    far = sink.messages(1)
    # "nobody@broken.example" was refused: whoever keeps the list is told, nobody else.
    assert [r["path"] for r in far[0]["rcpts"]] == ["carol@far.example"], far
    signed = email.message_from_bytes(far[0]["text"]).get_all("DKIM-Signature")
    assert len(signed) == 2 and "d=example.test" in signed[0], signed
    assert far[0]["mail"]["path"] == "dev-owner@example.test", far[0]
    report = got(b, "owner", 1)[0]
    assert "nobody@broken.example" in report.as_string() and "back@example.test" not in report["To"]
    b.empty()
    # The member who leads back to the list is a loop, which ends there.
    assert re.search(r"to=<dev@example\.test>, orig_to=<back@example\.test>, relay=list, .* status=bounced "
                     r"\(554 5\.4\.6 The message was sent by this list already", b.log()), b.log()
    assert len(b.mailbox("alice")) == 1 and len(b.mailbox("bob")) == 1


def dmarc(b, names):
    """T5: whose author could not be shown as such is shown as the list; whose domain cannot be asked now waits."""
    n = len(b.mailbox("alice"))
    b.send("nobody@far.example", ["dev@example.test"], text("nobody@far.example", "[build] all is well"))
    n += 1
    assert got(b, "alice", n)[-1]["Subject"] == "[dev] [build] all is well"
    for sender, munged in (("dave@hard.example", True), ("erin@sub.strict.example", True),
                           ("frank@own.strict.example", False), ("alice@example.test", False),
                           ("robot@half.alone", False)):
        b.send(sender, ["staff@example.test"], text(f"=?utf-8?q?D=C3=A4ve?= <{sender}>", "=?utf-8?q?=5Bdev=5D_gr=C3=BCn?="))
        n += 1
        m = got(b, "alice", n)[-1]
        assert m["Subject"] == "[dev] grün", m["Subject"]
        if munged:
            assert str(m["From"]) == "Däve via dev <dev@example.test>", m["From"]
            assert str(m["Reply-To"]) == str(m["X-Original-From"]) == f"Däve <{sender}>"
        else:
            assert str(m["From"]) == f"Däve <{sender}>" and m["Reply-To"] is None, (sender, m["From"])
    b.empty()
    # Asked again as often as anything is tried; and nothing comes back for it when that is over.
    b.send("robot@silent.example", ["dev@example.test"], text("robot@silent.example", "waits"))
    assert "dsn=4.4.3" in b.deferred("DNS does not say now what silent.example wants of mail that a list changes (DMARC)")
    b.sendmail("-f", "robot@silent.example", "dev@example.test",
               text=text("robot@silent.example", "once", "X-Barid-Max-Attempts: 1\r\n").replace("\r", ""))
    m = got(b, "alice", n + 1)[-1]
    assert (m["Subject"], m["From"]) == ("[dev] once", "robot via dev <dev@example.test>"), m.items()
    names.change(ZONE.replace("_dmarc.silent.example SERVFAIL\n", ""))
    m = got(b, "alice", n + 2)[-1]
    assert (m["Subject"], m["From"]) == ("[dev] waits", "robot@silent.example"), m.items()
    b.empty()
    assert "to=<robot@silent.example>" not in b.log(), b.log()


def other(b):
    """A list of everybody, with a list among its members; and what is not answered at once."""
    b.send("eve@far.example", ["all@example.test"], text("eve@far.example", more="Reply-To: eve@far.example\r\n", to="all@example.test"))
    m = got(b, "rest", 1)[0]
    shown = [m[name].strip("<>") for name in ("Reply-To", "Subject", "From")]
    assert shown == ["all@example.test", "hello", "eve@far.example"], shown
    b.empty()
    # Who leads to a list by another address is told by a report, a report by nothing.
    before = len(b.mailbox("alice"))
    b.send("", ["staff@example.test"], text("mailer-daemon@far.example"))
    b.empty()
    assert re.search(r"to=<dev@example\.test>, orig_to=<staff@example\.test>, relay=list.*This list takes no reports", b.log())
    assert len(b.mailbox("alice")) == before
    b.ctl("audit")
    said = b.ctl("explain", "dev@example.test").stdout
    assert "a mailing list: dev <dev@example.test>, reports to <dev-owner@example.test>" in said, said
    assert "8, of whom 3 get no mail; they alone may send" in said, said
    assert "a mailing list: dev" in b.sendmail("-bv", "dev@example.test").stdout.decode()


def cut_off(b, number):
    """A copy of message NUMBER for m77777, as an attempt that was cut off leaves it."""
    env = ("id: 0651F0C3D2A1BF00042\nfrom: <dev-owner@example.test>\ntime: 1795305600000000\ndelays: 00\n"
           f"copy-of: {number}/0/0\nrcpt: Q <m77777@example.test>\n\n").encode()
    b.stop()
    path = f"{b.dir}/spool/new/0651F0C3D2A1BF00042"
    with open(path, "wb") as f:
        f.write(spool_file(env, text("eve@far.example").encode()))
    os.chmod(path, 0o600)
    b.give(path)
    b.start()


def large(b):
    """12,000 members: three messages, each with its own progress; the file is read anew."""
    with open(f"{b.dir}/all", "w", encoding="ascii") as f:
        f.writelines(f"m{i}@example.test\n" for i in range(12000))
    b.send("eve@far.example", ["all@example.test"], text("eve@far.example"))
    wait_for("the list to be sent", lambda: "sent to list all, 12000 members, as" in b.log())
    b.empty(60)
    assert b.log().count("discarded by recipient /m[0-9]+@.*/") == 12000
    # While nobody can read it, mail waits.
    os.rename(f"{b.dir}/all", f"{b.dir}/all.away")
    b.send("eve@far.example", ["all@example.test"], text("eve@far.example"))
    number = re.search(r" ([0-9A-F]{19}): ", b.deferred("the members of the list cannot be read")).group(1)
    # What was made of it already goes when the spool knows that, also where it is held meanwhile.
    b.ctl("queue", "hold", number)
    cut_off(b, number)
    with open(f"{b.dir}/all", "w", encoding="ascii") as f:
        f.write("rest@example.test\n")
    b.ctl("queue", "release", number)
    b.mail("rest", 2)
    b.empty()
    log = b.log()
    assert 0 < log.rindex("sent to list all, 1 members") < log.rindex("to=<m77777@example.test>"), log[-4000:]


def padded(octets, subject):
    """A message whose header has so many, with what matters at its end."""
    end = f"From: alice@example.test\r\nSubject: {subject}\r\n\r\n"
    pad = "".join("X-Pad: " + "p" * 70 + "\r\n" for _ in range((octets - len(end)) // 79 - 1))
    pad += "X-Pad: " + "p" * (octets - len(end) - len(pad) - 9) + "\r\n"
    return pad + end + "body\r\n"


def long_headers(b):
    """All of a header is header, with what stands before it here; or nobody gets it."""
    before = len(b.mailbox("rest"))
    b.send("alice@example.test", ["all@example.test"], padded(102390, "long"))
    number = "0651F0C3D2A1BF00043"
    path = f"{b.dir}/spool/drop/tmp.{number}"
    env = f"id: {number}\nfrom: <alice@example.test>\ntime: 1795305600000000\ndelays: 00\nrcpt: Q <all@example.test>\n\n"
    with open(path, "wb") as f:
        f.write(spool_file(env.encode(), padded(500000, "longer").encode()))
    os.chmod(path, 0o644)
    os.rename(path, path.replace("tmp.", ""))
    report = wait_for("a report", lambda: [m for m in got(b, "alice", 1) if "5.3.4" in str(m)])[0]
    assert "too long for a list" in str(report), report
    b.empty()
    m, = [m for m in got(b, "rest", before + 1) if "X-Pad" in m]
    assert (m["From"], m["Subject"], m.get_content()) == ("alice@example.test", "long", "body\n"), m.get_content()[:1000]


def wrong(b):
    for conf, words in (('list "x" { members = "/x" return-path = "y@z.example" }', "list.x.address: no recipient with one address"),
                        ('list "x" { address = "a@b.example" members = "/x" }', "list.x.return-path: \"\" is no address"),
                        ('list "x" { address = "a@b.example" return-path = "A@b.example" members = "/x" }', "reports would come to the list itself"),
                        ('list "x" { address = "a@b.example" return-path = "o@b.example" members = "x" }', "list.x.members: \"x\" is no path"),
                        ('list "x" { address = "a@b.example" return-path = "o@b.example" members = "/x" headers = {"Subject: x"} }', "list.x.headers: "),
                        ('list "x" { address = "a@b.example" return-path = "o@b.example" members = "/x" posters = {"<<"} }', "list.x.posters: "),
                        ('recipient "q@example.test" { list = "nix" }', "recipient.q@example.test.list: there is no list \"nix\"")):
        with open(f"{b.dir}/wrong.conf", "w", encoding="ascii") as f:
            f.write(conf + "\n")
        r = run(os.environ["BARID_STAGE"] + os.environ["BARID_PREFIX"] + "/sbin/barid", "-t", "-c", f"{b.dir}/wrong.conf", code=78)
        assert words in str(r), (words, r)


def main():
    with Sink(rules=("RCPT /^nobody@/=550 5.1.1 nobody is here",)) as sink, Names(ZONE) as names:
        b = Barid(users=("alice", "bob"), start=False)
        conf = CONF.format(dir=b.dir) + 'recipient "rest@example.test" { mailbox = "rest" }\n' + names.conf
        conf += "recipient '/m[0-9]+@.*/' { discard = true }\n" + upstream("up", sink.port) + route("*", "up")
        b.write_conf(conf)
        for name, content in (("dev", MEMBERS), ("all", "rest@example.test\ndev@example.test\n")):
            with open(f"{b.dir}/{name}", "w", encoding="ascii") as f:
                f.write(content)
        run("openssl", "genrsa", "-out", f"{b.dir}/dkim.pem", "2048")
        with b.start():
            who(b)
            members(b, sink)
            dmarc(b, names)
            other(b)
            large(b)
            long_headers(b)
            wrong(b)


if __name__ == "__main__":
    main()
