# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom: sections that say what becomes of an address, and aliases(5), down to those who get the mail.

FEATURES D4, R15.
"""
import email
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import USER, Barid, Sink, program, route, smarthost, upstream, wait_for  # noqa: E402

OUTSIDE = "carol@far.example"
OFF = 'tls = "off"'
RETRY = "queue { retry = {1s} }\n"
LIST = 'recipient "all@example.test" { forward = {"bob@example.test", "nobody@far.example", "x@far.example"} }\n'
CONF = """
recipient "info@example.test" { mailbox = "alice" }
recipient '/sales-[0-9]+@.*/' { forward = {"bob@example.test"} }
recipient "both@example.test" { forward = {"alice@example.test", "BOB@example.test", "dave@far.example", "bob@example.test"} }
recipient "away@example.test" { forward = {"alice@elsewhere.example"} }
recipient "no@example.test" { reject = "551 5.1.6 moved to <new@far.example>" }
recipient "later@example.test" { reject = "450 4.2.1 not today" }
recipient "drop@example.test" { discard = true }
recipient "*@example.test" { mailbox = "rest" }
queue { retry = {1s} }
"""


def message(subject, to="you@example.test"):
    return f"From: {OUTSIDE}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\ntext of {subject}\r\n"


def subjects(b, user):
    return sorted(email.message_from_bytes(m)["Subject"] for m in b.mail(user, 0))


def refused(b, rcpt):
    with b.smtp() as s:
        s.ehlo("far.example")
        s.mail(OUTSIDE)
        code, text = s.rcpt(rcpt)
        return code, text.decode()


def aliases(b, text, name="aliases", mode=0o644):
    path = f"{b.dir}/{name}"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)
    return path


def sections():
    with Sink() as sink, Barid(extra=upstream("up", sink.port) + route("*", "up") + CONF) as b:
        for name in ("info", "INFO", "sales-7", "both", "away", "drop", "nobody", "alice"):
            b.send(OUTSIDE, [f"{name}@example.test"], message(name))
        b.empty()
        assert subjects(b, "alice") == ["INFO", "alice", "both", "info"], subjects(b, "alice")
        assert subjects(b, "bob") == ["both", "sales-7"], subjects(b, "bob")
        # What nobody else gets goes into a mailbox that no user has.
        assert subjects(b, "rest") == ["nobody"]
        got = sink.messages(2)
        assert sorted(m["rcpts"][0]["path"] for m in got) == ["alice@elsewhere.example", "dave@far.example"], got
        assert len(got) == 2
        # Who forwards needs no leave to relay, and gives none.
        assert refused(b, "dave@far.example")[0] == 554
        assert refused(b, "no@example.test") == (551, "5.1.6 moved to <new@far.example>")
        assert refused(b, "later@example.test") == (450, "4.2.1 not today")
        log = b.log()
        assert re.search(r"to=<bob@example\.test>, orig_to=<sales-7@example\.test>, relay=local, .* status=sent", log)
        assert re.search(r"to=<dave@far\.example>, orig_to=<both@example\.test>, relay=\S+, .* status=sent", log)
        assert re.search(r"to=<drop@example\.test>, .* \(discarded by recipient drop@example\.test\)", log)
        # Mail for the mailbox tells for whom it was left there.
        for m in b.mail("bob", 2):
            assert email.message_from_bytes(m)["Delivered-To"].lower() == "bob@example.test", m
        audit = b.ctl("audit").stdout
        assert re.search(r"^\s*expanded\s+1$|expanded\W+1\b", audit, re.M), audit
        explained = b.ctl("explain", "both@example.test").stdout
        for part in ("both@example.test", f"{b.conf}:", "<alice@example.test>", "<dave@far.example>", "forwarded"):
            assert part in explained, (part, explained)
        steps = json.loads(b.ctl("--json", "explain", "nobody@example.test").stdout)
        assert "catch-all" in json.dumps(steps), steps


ALIASES = """# of this host
postmaster: root
root:       alice
team:       alice, bob,
            dave@far.example
bob:        bob, bobs@elsewhere.example
loop:       pool
pool:       loop
list:       :include:{dir}/members
gone:       :include:{dir}/nonexistent
deep@example.test: team, list
"""


def files():
    with Sink() as sink, smarthost(("127.0.0.1", sink.port, OFF), extra=RETRY) as b:
        path = aliases(b, ALIASES.format(dir=b.dir))
        aliases(b, "bob\n# nobody\nerin@elsewhere.example, alice\n", "members")
        b.stop()
        b.write_conf(f'aliases = {{"{path}"}}\n' + b.extra)
        b.start()
        for name in ("root", "Postmaster", "postmaster@example.test", "TEAM", "bob+x", "list", "deep"):
            to = name if name == "Postmaster" or "@" in name else f"{name}@example.test"
            b.send(OUTSIDE, [to], message(name))
        b.empty()
        assert subjects(b, "alice") == ["Postmaster", "TEAM", "deep", "list", "postmaster@example.test", "root"]
        assert subjects(b, "bob") == ["TEAM", "bob+x", "deep", "list"], subjects(b, "bob")
        outside = sorted((r["path"], email.message_from_bytes(m["text"])["Subject"])
                         for m in sink.messages(4) for r in m["rcpts"])
        assert outside == [("bobs@elsewhere.example", n) for n in ("TEAM", "bob+x", "deep", "list")] + \
            [("dave@far.example", "TEAM"), ("dave@far.example", "deep"),
             ("erin@elsewhere.example", "deep"), ("erin@elsewhere.example", "list")], outside
        faults(b)
        changes(b, path)


def faults(b):
    """A loop is returned with 5.4.6; who stands in a file that is not there waits for it."""
    b.send("alice@example.test", ["loop@example.test"], message("round"))
    report = wait_for("a report", lambda: [m for m in b.mail("alice", 0) if b"5.4.6" in m])[0]
    assert b"loop@example.test" in report
    b.send(OUTSIDE, ["gone@example.test"], message("gone"))
    b.deferred("No such file or directory")
    aliases(b, "alice\n", "nonexistent")
    wait_for("mail by the mended file", lambda: "gone" in subjects(b, "alice"))
    b.empty()
    r = b.sendmail(name="newaliases", check=False)
    assert r.returncode == 0, r
    assert re.fullmatch(rf"{b.dir}/aliases: 9 aliases, longest \d+ bytes, \d+ bytes total\n", r.stdout.decode()), r
    text = b.ctl("explain", "deep@example.test").stdout
    for who in ("alice@example.test", "bob@example.test", "dave@far.example", "erin@elsewhere.example"):
        assert f"<{who}>" in text, text
    shown = b.sendmail("-bv", "Root", "team+x", "list", "alice").stdout.decode().splitlines()
    assert [line.partition("... ")[2] for line in shown] == [
        "an alias: alice", "an alias: alice, bob, dave@far.example", f"an alias: :include:{b.dir}/members",
        "a mailbox of this host: mailbox alice"], shown
    # Nobody learns who stands in a list, but by policy.
    with b.smtp() as s:
        s.ehlo("x")
        assert s.docmd("EXPN", "team")[0] in (502, 252)


def changes(b, path):
    """What changes counts without a restart; what is broken changes nothing."""
    aliases(b, ALIASES.format(dir=b.dir) + "news: bob\n")
    wait_for("the new alias", lambda: refused(b, "news@example.test")[0] == 250)
    b.send(OUTSIDE, ["news@example.test"], message("news"))
    wait_for("its mail", lambda: "news" in subjects(b, "bob"))
    aliases(b, "news: alice\n", mode=0o666)
    wait_for("a complaint", lambda: "everybody can write it" in b.log())
    assert refused(b, "team@example.test")[0] == 250
    r = b.sendmail(name="newaliases", check=False)
    assert r.returncode == 65 and b"everybody can write it" in r.stderr, r
    # What cannot be read is said, and not made good by a guess.
    r = b.sendmail("-bv", "team", check=False)
    assert r.returncode == 0 and b"everybody can write it" in r.stderr, r
    aliases(b, "news: alice\nno colon here\nbad: a@@b\n")
    wait_for("the alias to go", lambda: refused(b, "team@example.test")[0] == 550)
    assert f"aliases: {path}:2: there is no" in b.log()
    r = b.sendmail(name="newaliases", check=False)
    assert r.returncode == 65 and b"aliases:2: there is no" in r.stderr and b'aliases:3: "a@@b" is no' in r.stderr, r
    os.unlink(path)
    r = subprocess.run([program("barid"), "-t", "-c", b.conf], capture_output=True, text=True, check=False)
    assert r.returncode != 0 and f"{path}: No such file" in r.stderr, r


def reports():
    """RFC 3461 5.2.7: a success is told of the list, a failure of its members."""
    rules = ["RCPT /^nobody@/=550 5.1.1 no such user"]
    with Sink(rules=rules) as sink, smarthost(("127.0.0.1", sink.port, OFF), extra=LIST) as b:
        with b.smtp() as s:
            s.ehlo("far.example")
            s.mail("alice@example.test", ["ENVID=list"])
            s.rcpt("all@example.test", ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;all@example.test"])
            s.data(message("to all"))
        b.empty()
        b.mail("bob", 1)
        parts = [p for m in b.mail("alice", 1) for p in email.message_from_bytes(m).walk()
                 if p.get_content_type() == "message/delivery-status"]
        groups = [g for p in parts for g in p.get_payload() if g["Final-Recipient"]]
        told = sorted((g["Final-Recipient"].split(";")[1].strip(), g["Action"].split()[0]) for g in groups)
        assert told == [("all@example.test", "expanded"), ("nobody@far.example", "failed")], told
        assert all(g["Original-Recipient"] == "rfc822;all@example.test" for g in groups), groups


def large():
    """What an envelope has no room for is a parameter less, and then a list that is refused."""
    with Barid(extra='route "*" { via = "discard" }\n' + RETRY) as b:
        wide = "@" + ".".join("d" * 60 for _ in range(3)) + ".example"
        aliases(b, "\n".join(f"m{n}@far.example" for n in range(8000)), "many")
        aliases(b, "\n".join(f"m{n:050}{wide}" for n in range(20000)), "wide")
        wide_names = [f"wide{n}@example.test" for n in range(16)]
        path = aliases(b, f"many: :include:{b.dir}/many\n" + "".join(f"{n}: :include:{b.dir}/wide\n" for n in wide_names) +
                       "run: " + ", ".join(f'"|exit 0 #{n}"' for n in range(20000)) + "\n")
        b.stop()
        b.write_conf(f'aliases = {{"{path}"}}\nrecipients {{ run-as = "{USER}" }}\n' + b.extra)
        b.start()
        with b.smtp() as s:
            s.ehlo("far.example")
            s.mail(OUTSIDE)
            s.rcpt("many@example.test", ["ORCPT=rfc822;" + "x" * 450])
            s.data(message("many"))
        b.empty()
        assert len(re.findall(r"to=<m\d+@far.example>, orig_to=<many@example.test>.* status=sent", b.log())) == 8000
        # What it takes to find that there is no room is given back each time.
        runners = b.runners()
        many_names = [f"many+{n}@example.test" for n in range(300)]
        b.send("alice@example.test", wide_names + many_names, message("wide"))
        report = b.mail("alice", 1)[0]
        b.empty()
        assert all(n.encode() in report for n in wide_names) and b"5.4.6" in report and b"many+" not in report, report
        assert len(re.findall(r"to=<m\d+@far.example>, orig_to=<many\+0@example.test>.* status=sent", b.log())) == 8000
        assert all(f"to=<{n}>, relay=alias" in b.log() for n in many_names), b.log()[-2000:]
        assert b.runners() == runners, b.log()[-2000:]
        # Programs get it one by one.
        b.send(OUTSIDE, ["run@example.test"], message("run"))
        wait_for("all of them to begin", lambda: "nrcpt=20001 (queue active)" in b.log())
        assert b.runners() == runners, b.log()[-2000:]
        b.kill()


def main():
    sections()
    files()
    large()
    reports()


main()
