# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 6376 01, 03, 04, 05: what leaves is signed, and three verifiers that we did not write find it good, by a real DNS server."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, need, program, route, run, upstream, wait_for  # noqa: E402
from dkimtest import PYTHON, by_python, make_key, section, zone  # noqa: E402

BY_PERL = r"""
use Mail::DKIM::Verifier; use Net::DNS; use JSON::PP;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => shift @ARGV, recurse => 0));
my @found;
for my $path (@ARGV) {
    my $v = Mail::DKIM::Verifier->new();
    open(my $f, "<:raw", $path) or die; local $/; $v->PRINT(scalar <$f>); $v->CLOSE();
    push @found, [map { my $s = $_; $s->result eq "pass" ? JSON::PP::true : $s->result_detail } $v->signatures];
}
print encode_json(\@found);
"""


def by_perl(names, paths):
    return json.loads(run("perl", "-e", BY_PERL, str(names.port), *paths))


def by_opendkim(folder, records, paths):
    """It has no port for its resolver, and reads the same records from a file; it tells only of the first that is good."""
    with open(folder + "/keys", "w", encoding="ascii") as f:
        f.write("".join(f"{name} {value}\n" for name, value in records.items()))
    with open(folder + "/opendkim.conf", "w", encoding="ascii") as f:
        f.write(f"Mode v\nTestPublicKeys {folder}/keys\nTemporaryDirectory {folder}\n")
    said = run("opendkim", "-x", folder + "/opendkim.conf", "-v", "-t", ",".join(paths), code=None).decode()
    return [f"{p}: verification" in said and "succeeded" in said.split(f"{p}: verification")[1].split("\n")[0] for p in paths], said


HEAD = b"From: Alice <alice@example.test>\r\nTo: x@far.example\r\nSubject: %s\r\n"
MIME = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
EDGES = {
    "plain": b"\r\nhello\r\n",
    "empty": b"\r\n",
    "blank": b"\r\n\r\n\r\n\r\n",
    "trailing": b"\r\nhello \t \r\n\t\r\n\r\n \r\n",
    "inner": b"\r\n  a \t b\t\r\n\r\n\r\n  c\r\n.\r\n..\r\n.d\r\n",
    "folded": b"Subject-X:\r\n\t a\r\nReply-To:  \t<r@example.test>\r\n   (a \t comment)\t\r\nReferences:\r\n <a@b>\r\n\t<c@d>\r\n\r\nx\r\n",
    "twice": b"Comments: 1\r\nList-Id: <a.example.test>\r\nList-Unsubscribe: <https://x.example/>\r\nList-Unsubscribe:\r\n <mailto:y@x.example>\r\n\r\nx\r\n",
    "signed": b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=a; h=from; bh=; b=\r\n\r\nx\r\n",
    "long": b"\r\n" + b"y" * 998 + b"\r\n" + b"z " * 499 + b"\r\n",
    "8bit": MIME + b"\r\n" + "Größe  8 bit\t\r\n \r\n".encode() * 40,
    "middle": b"\r\n" + b"a line of forty octets, or about that.\r\n" * 2000,
    "large": b"\r\n" + (b"%s \t%s\r\n" % (b"x" * 40, b"y" * 30)) * 140000 + b"\r\n",
}


def edge(name):
    return HEAD % name.encode() + EDGES[name]


def hand_in(b, text, rcpt, login="alice"):
    """As it is, octet by octet, but for the dots."""
    with b.smtp("submission", login=login) as s:
        s.ehlo()
        assert s.mail("alice@example.test", ["BODY=8BITMIME"])[0] == 250
        assert s.rcpt(rcpt)[0] == 250
        assert s.data(text)[0] == 250


def signatures(message):
    return message.split(b"\r\n\r\n")[0].count(b"DKIM-Signature: v=1; a=") - message.count(b"d=x.example; s=a; h=from")


def subject(message):
    head = message.split(b"\r\n\r\n")[0]
    return next(line for line in head.split(b"\r\n") if line.startswith(b"Subject: "))[9:].decode()


def verify(folder, names, records, messages):
    """Each of MESSAGES, by its subject, has two signatures that are good for all three."""
    paths = []
    for i, m in enumerate(messages):
        paths.append(f"{folder}/m{i}")
        with open(paths[-1], "wb") as f:
            f.write(m)
        # Without the first field the second has to do.
        with open(f"{folder}/s{i}", "wb") as f:
            f.write(m[m.index(b"DKIM-Signature: ", 10):])
    python, perl = by_python(names, paths), by_perl(names, paths)
    milter, said = by_opendkim(folder, records, paths + [f"{folder}/s{i}" for i in range(len(messages))])
    for i, m in enumerate(messages):
        what = subject(m)
        extra = [] if what != "signed" else ["foreign"]
        assert signatures(m) == 2, (what, m[:3000])
        assert python[i][:2] == [True, True] and len(python[i]) == 2 + len(extra), (what, python[i], m[:3000])
        # Debian's does not know the other kind.
        assert perl[i][0] is True and "unsupported" in perl[i][1], (what, perl[i], m[:3000])
        assert milter[i] and milter[len(messages) + i], (what, said[-3000:])
    assert said.count("(s=a, d=example.test, 2048-bit key) succeeded") == len(messages), said
    assert said.count("(s=e, d=example.test, 0-bit key) succeeded") == len(messages), said


def edges(b, names, records, eight, seven):
    """RFC 6376 04: bodies at the edges of the forms; 03: to a host without 8BITMIME the octets are others."""
    for name in EDGES:
        hand_in(b, edge(name), "x@far.example")
    hand_in(b, edge("8bit"), "x@seven.example")
    hand_in(b, edge("plain").replace(b"plain", b"both"), "x@seven.example")
    # Line ends, and the last of them, are put right on the way.
    b.sendmail("-i", "-f", "alice@example.test", "x@far.example",
               text="From: alice@example.test\nSubject: sendmail\n\na \n.\n\n\nno end")
    got = eight.messages(len(EDGES) + 1, 60)
    assert sorted(subject(m["text"]) for m in got) == sorted(list(EDGES) + ["sendmail"]), got
    down = seven.messages(2)
    assert all(c < 128 for m in down for c in m["text"])
    verify(b.dir, names, records, [m["text"] for m in got + down])
    for m in got:
        head = m["text"].split(b"\r\n\r\n")[0]
        assert max(map(len, head.split(b"\r\n"))) <= 78 or subject(m["text"]) == "long", head
        assert head.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example.test;\r\n\ts=a; t=")
        # One more than there are: none can be added.
        h = head.split(b"h=")[1].split(b";")[0].replace(b"\r\n\t", b"").split(b":")
        assert h.count(b"From") == 2 and h.count(b"To") in (1, 2) and b"Subject" in h, h


def changed(b, names, records, eight):
    """What was changed on the way, or added to the header, is not good any more."""
    text = next(m["text"] for m in eight.messages() if subject(m["text"]) == "plain")
    wrong = [text.replace(b"hello", b"hallo"), text.replace(b"Subject: plain", b"Subject: plan"),
             text.replace(b"Subject: plain", b"Subject: plain\r\nCc: z@z.example"), b"From: eve@evil.example\r\n" + text,
             text + b"more\r\n"]
    paths = []
    for i, m in enumerate(wrong):
        paths.append(f"{b.dir}/w{i}")
        with open(paths[-1], "wb") as f:
            f.write(m)
    for found in by_python(names, paths) + by_perl(names, paths):
        assert True not in found, found
    milter, said = by_opendkim(b.dir, records, paths)
    # It says nothing of a message with two From.
    assert True not in milter and said.count("verification") >= len(wrong) - 1, said


def whose(b, names, records, eight):
    """Mail of ours and our reports are signed; a stranger's is not, whatever its From says."""
    before = len(eight.messages())
    with b.smtp() as s:
        s.sendmail("eve@evil.example", ["away@example.test"], edge("plain").replace(b"plain", b"forged"))
    hand_in(b, edge("plain").replace(b"alice@example", b"alice@sub.example").replace(b"plain", b"sub"), "x@far.example")
    hand_in(b, edge("plain").replace(b"alice@example.test", b"a@other.example").replace(b"plain", b"other"), "x@far.example")
    hand_in(b, edge("plain").replace(b"plain", b"refused"), "nobody@far.example")
    # The report goes to who sent it.
    with b.smtp("submission", login="alice") as s:
        s.sendmail("reports@far.example", ["nobody@far.example"], edge("plain").replace(b"plain", b"reported"))
    got = {subject(m["text"]): m["text"] for m in eight.messages(before + 4)[before:]}
    report = next(s for s in got if s not in ("forged", "sub", "other"))
    assert signatures(got["forged"]) == 0 and signatures(got["other"]) == 0, got
    assert b"d=example.test" in got["sub"] and b"MAILER-DAEMON@mx.example.test" in got[report], got
    verify(b.dir, names, records, [got["sub"], got[report]])
    assert b"s=old" not in b"".join(got.values())


def refused(b):
    """A key that nobody would take, or that others can read, is refused with its place."""
    conf = b.dir + "/t.conf"
    run("openssl", "genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1000", "-out", b.dir + "/small.pem")
    run("openssl", "genpkey", "-algorithm", "x25519", "-out", b.dir + "/kind.pem")
    with open(b.dir + "/none.pem", "w", encoding="ascii") as f:
        f.write("no key\n")
    with open(b.dir + "/e.pem", encoding="ascii") as f, open(b.dir + "/open.pem", "w", encoding="ascii") as g:
        g.write(f.read())
    for name, words, mode in (("small", "less than 1024 bits", 0o600), ("kind", "neither an RSA nor an Ed25519", 0o600),
                              ("none", "holds no private key", 0o600), ("open", "others can read it", 0o644),
                              ("away", "No such file", None)):
        if mode:
            os.chmod(f"{b.dir}/{name}.pem", mode)
        with open(b.conf, encoding="utf-8") as f, open(conf, "w", encoding="utf-8") as g:
            g.write(f.read().rstrip("\n") + "\n" + section("x.example", "s", f"{b.dir}/{name}.pem"))
        said = subprocess.run([program("barid"), "-t", "-c", conf], capture_output=True, text=True, timeout=60).stderr
        assert "dkim-sign.x.example.key: " in said and words in said and "t.conf:" in said, (name, said)


def tools(b, names, records):
    """baridctl dkim: keys are made, their records printed and held against DNS."""
    first = b.ctl("dkim", "check")
    assert first.stdout == "a._domainkey.example.test: ok\ne._domainkey.example.test: ok\n", first
    shown = b.ctl("dkim", "dns", "example.test").stdout.splitlines()
    assert len(shown) == 3 and len(re.findall('"', shown[0])) == 4 and all(len(s) <= 255 for s in re.findall('"(.*?)"', shown[0]))
    for line in shown:
        name, text = line.split(". IN TXT ")
        assert "".join(re.findall('"(.*?)"', text)) == records[name], line
    for kind in ("rsa", "ed25519"):
        made = b.ctl("dkim", "keygen", "--type", kind, "new.example", kind)
        path = f"{b.dir}/dkim/new.example.{kind}.pem"
        assert os.stat(path).st_mode & 0o777 == 0o600 and path in made.stderr, made
        again = b.ctl("dkim", "keygen", "--type", kind, "new.example", kind, check=False)
        assert again.returncode == 73 and "File exists" in again.stderr, again
        with open(b.conf, "a", encoding="utf-8") as f:
            f.write(made.stderr.split("\n")[1] + "\n")
        name, text = made.stdout.rstrip("\n").split(". IN TXT ")
        records[name] = "".join(re.findall('"(.*?)"', text))
        assert b.ctl("dkim", "dns", "new.example").stdout.splitlines()[-1] == made.stdout.rstrip("\n")
    assert b.ctl("config", "check").returncode == 0
    none = b.ctl("dkim", "check", "new.example", check=False)
    assert none.returncode == 1 and none.stdout.count("there is no record") == 2, none
    wrong = dict(records, **{"ed25519._domainkey.new.example": records["e._domainkey.example.test"],
                             "rsa._domainkey.new.example": "v=DKIM1; p="})
    for zone_now, code, words in ((records, 0, ": ok"), (wrong, 1, "that of another key"), (wrong, 1, "is revoked")):
        names.change(zone(zone_now))
        wait_for(words, lambda c=code, w=words: (lambda r: r.returncode == c and w in r.stdout)(
            b.ctl("dkim", "check", "new.example", check=False)))
    told = [json.loads(line) for line in b.ctl("--json", "dkim", "check", "new.example", check=False).stdout.splitlines()]
    assert [t["ok"] for t in told] == [False, False] and told[0]["name"] == "rsa._domainkey.new.example", told
    names.change("new.example SERVFAIL\n*.new.example SERVFAIL\n_domainkey.new.example SERVFAIL\n" +
                 "".join(f"{s}._domainkey.new.example SERVFAIL\n" for s in ("rsa", "ed25519")))
    wait_for("no answer", lambda: b.ctl("dkim", "check", "new.example", check=False).returncode == 75)
    for wrong_words in (["keygen", "a b", "s"], ["keygen", "a.example", 'x"']):
        assert b.ctl("dkim", *wrong_words, check=False).returncode == 65
    for wrong_words in (["keygen", "a.example"], [], ["dns", "a", "b"], ["keygen", "--type", "dsa", "a.example", "s"]):
        assert b.ctl("dkim", *wrong_words, check=False).returncode == 64, wrong_words
    assert b.ctl("dkim", "dns", "none.example", check=False).returncode == 78
    # DNS has names in ASCII, however they are written here.
    made = b.ctl("dkim", "keygen", "--type", "ed25519", "bücher.example", "x")
    assert made.stdout.startswith("x._domainkey.xn--bcher-kva.example. IN TXT "), made
    with open(b.conf, "a", encoding="utf-8") as f:
        f.write(made.stderr.split("\n")[1].replace("xn--bcher-kva", "bücher", 1) + "\n")
    for name in ("BÜCHER.example", "xn--bcher-kva.example"):
        assert b.ctl("dkim", "dns", name).stdout == made.stdout, name


def main():
    need("opendkim", "perl", PYTHON)
    with tempfile.TemporaryDirectory(prefix="barid-dkim-") as keys, Sink("--caps", "PIPELINING,8BITMIME,SIZE,CHUNKING",
              rules=["RCPT /^nobody@/=550 5.1.1 none"]) as eight, Sink("--caps", "PIPELINING") as seven:
        os.chmod(keys, 0o755)
        records = {f"{s}._domainkey.example.test": make_key(f"{keys}/{s}.pem", kind)
                   for s, kind in (("a", "rsa"), ("e", "ed25519"), ("old", "ed25519"))}
        extra = (upstream("eight", eight.port) + upstream("seven", seven.port) + route("seven.example", "seven") +
                 route("*", "eight") + 'recipient "away@example.test" { forward = {"x@far.example"} }\n' +
                 section("example.test", "a", keys + "/a.pem", "subdomains = true") +
                 section("example.test", "e", keys + "/e.pem", 'not-before = "2020-01-01"') +
                 section("example.test", "old", keys + "/old.pem", 'not-after = "2021-06-01 12:00"'))
        with Names(zone(records)) as names, Barid(extra=extra + names.conf) as b:
            for s in "ae":
                with open(f"{keys}/{s}.pem", "rb") as f, open(f"{b.dir}/{s}.pem", "wb") as g:
                    g.write(f.read())
            edges(b, names, records, eight, seven)
            changed(b, names, records, eight)
            whose(b, names, records, eight)
            refused(b)
            tools(b, names, dict(records))
            assert wait_for("a line for each", lambda: b.log().count("DKIM-Signature field added (s=e, d=example.test)") >= 15)


if __name__ == "__main__":
    main()
