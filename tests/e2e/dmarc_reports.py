# SPDX-License-Identifier: GPL-3.0-or-later
"""Aggregate reports of DMARC (RFC 9990): what is counted, what a day's end makes of it, and who is written to."""
import base64
import email
import email.policy
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Clock, Names, Sink, Wire, program, route, run, upstream, wait_for  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's own, which has dkim
LOST = "/dmarc: Is a directory: reports will not have all"
NS = "{urn:ietf:params:xml:ns:dmarc-2.0}"
DAY = 86400
ACCESS = 'access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }\n'
CHECKS = """check "spf" { }
check "dkim" { }
check "arc" { }
check "dmarc" { exempt = {"192.0.2.77"} reports = true report-from = "dmarc@example.test" report-after = 10m
    report-org = "Mail & <Co>" report-contact = "see https://example.test/dmarc" }
"""
ZONE = """
mail.spf.test TXT "v=spf1 ip4:192.0.2.0/24 -all"
spf.test TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
_dmarc.spf.test TXT "v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:agg@spf.test, mailto:agg@other.test!10m, https://x.test/, mailto:small@spf.test!1k"
spf.test._report._dmarc.other.test TXT "v=DMARC1; rua=mailto:instead@other.test"
_dmarc.testing.test TXT "v=DMARC1; p=reject; t=y; rua=mailto:a%2Bb@testing.test"
_dmarc.soft.test TXT "v=DMARC1; p=quarantine; rua=mailto:a@sub.soft.test"
_dmarc.quiet.test TXT "v=DMARC1; p=reject"
_dmarc.lent.test TXT "v=DMARC1; p=none; rua=mailto:victim@elsewhere.test,mailto:x@moved.test"
lent.test._report._dmarc.moved.test TXT "v=DMARC1; rua=mailto:x@third.test"
_dmarc.slow.test TXT "v=DMARC1; p=none; rua=mailto:x@slow.test"
"""


def give(b, domain, subject=b"x", address="192.0.2.9", to=("alice@example.test",), sender="bounce@mail.spf.test", more=b""):
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        assert w.smtp("XCLIENT ADDR=" + ("IPV6:" + address if ":" in address else address)).startswith(b"220")
        w.smtp("EHLO client.test")
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        for one in to:
            assert w.smtp(f"RCPT TO:<{one}>").startswith(b"250")
        assert w.smtp("DATA").startswith(b"354")
        w.send(b"From: A <a@%s>\r\nTo: alice@example.test\r\nSubject: %s\r\n%s\r\nhello\r\n.\r\n" % (domain.encode(), subject, more))
        return w.reply().decode().strip()


def ctl(b, *args, code=0):
    r = subprocess.run([program("baridctl"), "-c", b.conf, *args], capture_output=True, env=b.env, timeout=60)
    assert r.returncode == code, (r.returncode, args, r.stdout, r.stderr)
    return r.stdout.decode()


def gathered(b):
    return {(r["state"], r["domain"]): (r["messages"], r["rows"]) for r in json.loads(ctl(b, "--json", "dmarc", "reports"))}


def report_of(text):
    """The XML of a message, and the message."""
    m = email.message_from_bytes(text, policy=email.policy.SMTP)
    part = [p for p in m.walk() if p.get_content_type() == "application/gzip"]
    assert len(part) == 1, m.as_string()
    return m, part[0], ET.fromstring(gzip.decompress(part[0].get_content()))


def flat(record):
    """A record as a set of "path=value"."""
    found = []

    def walk(e, path):
        path = path + [e.tag.replace(NS, "")]
        if len(e) == 0:
            found.append("/".join(path[1:]) + "=" + (e.text or ""))
        for c in e:
            walk(c, path)
    walk(record, [])
    return found


def fields(record):
    """What a record says, by the end of each path; results of DKIM as "domain/selector/result"."""
    f = {}
    for line in flat(record):
        if "/dkim/" in line and line.startswith("auth_results"):
            continue
        path, _, value = line.partition("=")
        f[path] = value
    f["signatures"] = ["/".join(e.text or "" for e in d) for d in record.iter(NS + "dkim") if len(d)]
    return f


def lost(b):
    """While nothing can be counted that is said once a day."""
    path = b.dir + "/spool/dmarc"
    wait_for("a place to count in", lambda: os.path.isdir(path))
    os.mkdir(path + "/open")
    for _ in range(3):
        assert give(b, "testing.test", sender="x@far.test").startswith("250")
    # What this one asks of barid-check comes behind them.
    assert give(b, "quiet.test", sender="x@far.test").startswith("550")
    os.rmdir(path + "/open")
    wait_for("the line", lambda: LOST in b.log())


def counted(b):
    """Each way that a message may go, and what it is counted as; what is none of the domain's business is not."""
    assert give(b, "spf.test").startswith("250")
    assert give(b, "spf.test").startswith("250")
    assert give(b, "spf.test", address="2001:db8::9", sender="x@spf.test").startswith("250")
    assert give(b, "spf.test", address="198.18.0.1", sender="").startswith("550 5.7.1 Refused by the policy")
    assert give(b, "spf.test", address="198.18.0.1", sender="x@far.test", to=("postmaster@example.test",)).startswith("250")
    assert give(b, "spf.test", address="192.0.2.77", sender="x@far.test").startswith("250"), "exempt"
    assert give(b, "sub.spf.test", sender="x@far.test").startswith("250"), "set apart"
    assert give(b, "testing.test", sender="x@far.test").startswith("250")
    assert give(b, "quiet.test", sender="x@far.test").startswith("550"), "nobody is told"
    assert give(b, "soft.test", sender="x@far.test", more=b"DKIM-Signature: v=1; a=rsa-sha256; d=soft.test; s=none; h=from; bh=eHg=; b=eHg=\r\n").startswith("250")
    assert give(b, "lent.test", sender="x@far.test").startswith("250")
    assert give(b, "slow.test", sender="x@far.test").startswith("250")
    # No report is about reports, and none about what comes to where ours are from.
    assert give(b, "spf.test", subject=b"Report Domain: example.test Submitter: spf.test Report-ID: 1").startswith("250")
    assert give(b, "spf.test", to=("dmarc@example.test",)).startswith("250")
    # Who may relay is not checked.
    assert give(b, "spf.test", address="198.51.100.7").startswith("250")
    wait_for("all that was told", lambda: sum(m for m, _ in gathered(b).values()) == 11)
    assert gathered(b) == {("open", "spf.test"): (7, 6), ("open", "testing.test"): (1, 1), ("open", "soft.test"): (1, 1),
                           ("open", "lent.test"): (1, 1), ("open", "slow.test"): (1, 1)}, gathered(b)
    assert b.log().count(LOST) == 1, b.log()
    people = ctl(b, "dmarc", "reports")
    assert re.search(r"^\d{4}-\d\d-\d\d  open  spf\.test +7 messages in 6 rows$", people, re.M), people
    xml = ET.fromstring(ctl(b, "dmarc", "print", "testing.test"))
    assert xml.find(f"{NS}policy_published/{NS}testing").text == "y"
    # The day is not over.
    assert ctl(b, "dmarc", "send") == "" and not sink.facts("[0-9]*")


def killed(b, number):
    """barid-check is killed amid the day: what it has counted stays, and counting goes on."""
    old = [p for p in os.listdir("/proc") if p.isdigit() and parent_of(p) == b.process.pid and name_of(p) == "barid-check"]
    assert len(old) == 1, old
    os.kill(int(old[0]), signal.SIGKILL)
    wait_for("another barid-check", lambda: [p for p in os.listdir("/proc") if p.isdigit() and
                                             parent_of(p) == b.process.pid and name_of(p) == "barid-check" and p not in old])
    assert give(b, "spf.test").startswith("250")
    wait_for("one more", lambda: gathered(b)["open", "spf.test"] == (number, 6))


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def sent(b, key):
    """The day ends: a report to each that wants it, which others can read, verify and hold to be what it says."""
    day = int(time.time() + AHEAD) // DAY
    names.change(ZONE.replace("_dmarc.slow.test TXT", "_dmarc.slow.test SERVFAIL #") + key)
    clock.freeze(AHEAD + DAY)
    wait_for("the reports", lambda: len(sink.facts("[0-9]*")) >= 3)
    wait_for("the one that waits", lambda: "that to slow.test waits: DNS does not say" in b.log())
    wait_for("one that nobody wants", lambda: "none to lent.test: those whom its record names" in b.log())
    got = {}
    for m in sink.messages(3):
        text, part, xml = report_of(m["text"])
        domain = xml.findtext(f"{NS}policy_published/{NS}domain")
        assert domain not in got, "twice"
        got[domain] = (m, text, part, xml)
        assert verified(m["text"], key), "its signature"
        check_message(m, text, part, xml, domain, day)
    rcpts = {d: sorted(r["path"] for r in m["rcpts"]) for d, (m, *_) in got.items()}
    assert rcpts == {"spf.test": ["agg@spf.test", "instead@other.test", "small@spf.test"], "testing.test": ["a+b@testing.test"],
                     "soft.test": ["a@sub.soft.test"]}, rcpts
    check_rows(got)
    assert gathered(b) == {("due", "slow.test"): (1, 1)}
    read_by_barid(got["spf.test"][0]["text"], b)
    line = re.search(r"dmarc report [0-9a-f]{16}: domain=spf\.test, messages=8, rows=6, to=<agg@spf\.test, instead@other\.test, small@spf\.test>", b.log())
    assert line, b.log()
    return day


def read_by_barid(text, b):
    """What the other end of ours makes of it."""
    with open(b.dir + "/report.eml", "wb") as f:
        f.write(text)
    said = json.loads(ctl(b, "--json", "report", f.name))
    assert said["kind"] == "dmarc" and not said.get("why"), said
    assert (said["domain"], said["org"], said["row-count"]) == ("spf.test", "Mail & <Co>", 6), said
    assert sorted(int(r["messages"]) for r in said["rows"]) == [1, 1, 1, 1, 1, 3], said


def check_message(m, text, part, xml, domain, day):
    assert m["mail"]["path"] == "dmarc@example.test" and not m["faults"], m
    assert all("NOTIFY=NEVER" in r["params"] for r in m["rcpts"]), m["rcpts"]
    assert text["Auto-Submitted"] == "auto-generated" and "dmarc@example.test" in text["From"]
    begin, end, ident = (xml.findtext(f"{NS}report_metadata/{NS}{p}") for p in (f"date_range/{NS}begin", f"date_range/{NS}end", "report_id"))
    assert (int(begin), int(end)) == (day * DAY, day * DAY + DAY - 1), (begin, end, day)
    assert re.sub(r"\s+", " ", text["Subject"]) == f"Report Domain: {domain} Submitter: example.test Report-ID: {ident}", text["Subject"]
    assert part.get_filename() == f"example.test!{domain}!{begin}!{end}!{ident}.xml.gz", part.get_filename()
    assert text["Message-ID"] == f"<{ident}.{domain}@example.test>"
    meta = {e.tag.replace(NS, ""): e.text for e in xml.find(NS + "report_metadata")}
    assert (meta["org_name"], meta["email"], meta["extra_contact_info"]) == ("Mail & <Co>", "dmarc@example.test", "see https://example.test/dmarc")
    if XMLLINT:
        with tempfile.NamedTemporaryFile() as f:
            f.write(gzip.decompress(part.get_content()))
            f.flush()
            run("xmllint", "--noout", "--schema", os.environ["BARID_SRC"] + "/tests/e2e/dmarc_reports.xsd", f.name)


def check_rows(got):
    rows = [fields(r) for r in got["spf.test"][3].iter(NS + "record")]
    by = {(r["row/source_ip"], r["identifiers/header_from"], r["identifiers/envelope_from"]): r for r in rows}

    def row(*key):
        r = by.pop(key)
        return (int(r["row/count"]), *(r["row/policy_evaluated/" + k] for k in ("disposition", "dkim", "spf")),
                r.get("row/policy_evaluated/reason/type"), r["auth_results/spf/domain"], r["auth_results/spf/result"])
    assert row("192.0.2.9", "spf.test", "mail.spf.test") == (3, "pass", "fail", "pass", None, "mail.spf.test", "pass")
    assert row("2001:db8::9", "spf.test", "spf.test") == (1, "pass", "fail", "pass", None, "spf.test", "pass")
    assert row("198.18.0.1", "spf.test", "") == (1, "reject", "fail", "fail", None, "client.test", "none")
    assert row("198.18.0.1", "spf.test", "far.test") == (1, "none", "fail", "fail", "local_policy", "far.test", "none")
    assert row("192.0.2.77", "spf.test", "far.test") == (1, "none", "fail", "fail", "local_policy", "far.test", "none")
    assert row("192.0.2.9", "sub.spf.test", "far.test") == (1, "quarantine", "fail", "fail", None, "far.test", "none")
    assert not by, by
    assert [r["signatures"] for r in rows] == [[]] * 6
    policy = {e.tag.replace(NS, ""): e.text for e in got["spf.test"][3].find(NS + "policy_published")}
    assert policy == {"domain": "spf.test", "discovery_method": "treewalk", "p": "reject", "sp": "quarantine", "np": "quarantine",
                      "adkim": "s", "aspf": "r", "testing": "n"}, policy
    one = fields(next(got["testing.test"][3].iter(NS + "record")))
    assert (one["row/policy_evaluated/disposition"], one["row/policy_evaluated/reason/type"]) == ("quarantine", "policy_test_mode")
    one = fields(next(got["soft.test"][3].iter(NS + "record")))
    assert one["signatures"] == ["soft.test/none/neutral"], one["signatures"]


def waited(b):
    """What DNS had no answer for is sent when it has; by hand, too, and once."""
    names.change(ZONE)
    assert ctl(b, "dmarc", "send") == ""
    assert report_of(sink.messages(4)[3]["text"])[2].findtext(f"{NS}policy_published/{NS}domain") == "slow.test"
    assert gathered(b) == {}
    ctl(b, "dmarc", "send")
    assert os.listdir(b.dir + "/spool/dmarc") == ["lock"], os.listdir(b.dir + "/spool/dmarc")
    wait_for("an empty queue", lambda: not json.loads("[" + ctl(b, "--json", "queue").replace("}\n{", "},{") + "]"))
    assert len(sink.facts("[0-9]*")) == 4


def refused(b):
    """Without an address there are no reports."""
    for given, complaint in (("reports = true", 'report-from: "" does not fit, expected an address such as'),
                             ('report-from = "nobody"', 'report-from: "nobody" does not fit')):
        with open(b.conf, encoding="utf-8") as f:
            text = f.read()
        with open(b.conf + ".bad", "w", encoding="utf-8") as f:
            f.write(re.sub(r'check "dmarc" \{[^}]*\}[^}]*\}', lambda _: f'check "dmarc" {{ {given} }}', text))
        said = run(program("barid"), "-t", "-c", b.conf + ".bad", code=None).decode()
        assert complaint in said, said


VERIFY = """
import dkim, sys
names = dict(line.split("=", 1) for line in sys.argv[1:])
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: names[name.decode().rstrip(".")].encode()))
"""


def verified(text, key):
    record = "".join(re.findall(r'"([^"]*)"', key))
    # To whom the signature is not of the future.
    return run(PYTHON, "-c", VERIFY, "sel._domainkey.example.test=" + record, data=text,
               LD_PRELOAD=clock.env["LD_PRELOAD"], FAKETIME=f"+{AHEAD + 2 * DAY}s").strip() == b"True"


def key_of(folder):
    path = folder + "/dkim.pem"
    run("openssl", "genrsa", "-out", path, "2048")
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    v = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
    return path, "sel._domainkey.example.test TXT " + " ".join(f'"{v[i:i + 255]}"' for i in range(0, len(v), 255)) + "\n"


XMLLINT = shutil.which("xmllint")
clock, names, sink = Clock(), Names(ZONE), Sink()
# An hour into the day.
AHEAD = DAY - int(time.time()) % DAY + 3600
try:
    clock.freeze(AHEAD)
    private, public = key_of(clock.folder)
    sign = f'dkim-sign "example.test" {{ selector = "sel" key = "{private}" }}\n'
    with Barid(extra=names.conf + ACCESS + CHECKS + sign + 'recipient "dmarc@example.test" { discard = true }\n' + upstream("out", sink.port) + route("*", "out"),
               folder=clock.folder, env=clock.env) as barid:
        for case, args in ((refused, ()), (lost, ()), (counted, ()), (killed, (8,)), (sent, (public,)), (waited, ())):
            print(case.__name__, flush=True)
            case(barid, *args)
finally:
    names.stop()
    sink.stop()
