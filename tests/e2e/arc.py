# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 8617 02, 03, RFC 6376 08: mail that is forwarded, or sent on by a list, is sealed by ARC; two verifiers that we did not write find the chain good."""
import base64
import email
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, Wire, need, program, route, run, upstream, wait_for  # noqa: E402
from dkimtest import PYTHON, chains_by_python  # noqa: E402

BY_DKIM = r"""
import dkim, dns.resolver, json, sys
r = dns.resolver.Resolver(configure=False)
r.nameservers, r.port = ["127.0.0.1"], int(sys.argv[1])
def txt(name, timeout=5):
    return b"".join(r.resolve(name.decode().rstrip("."), "TXT")[0].strings)
print(json.dumps([[dkim.DKIM(open(p, "rb").read()).verify(idx=i, dnsfunc=txt) for i in range(2)] for p in sys.argv[2:]]))
"""
SEAL = r"""
import dkim, sys
m = sys.stdin.buffer.read()
f = dkim.arc_sign(b"Authentication-Results: mx.sealer.test; arc=none; spf=pass smtp.mailfrom=a@author.test\r\n" + m, b"r", b"sealer.test",
                  open(sys.argv[1], "rb").read(), b"mx.sealer.test")
sys.stdout.buffer.write(b"".join(f) + m)
"""
BY_PERL = r"""
use Mail::DKIM::ARC::Verifier; use Net::DNS; use JSON::PP;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => shift @ARGV, recurse => 0));
my @found;
for my $path (@ARGV) {
    my $v = Mail::DKIM::ARC::Verifier->new();
    open(my $f, "<:raw", $path) or die; local $/; $v->PRINT(scalar <$f>); $v->CLOSE();
    push @found, $v->result;
}
print encode_json(\@found);
"""
CONF = """
access {{ connect = {{"0.0.0.0/0", "::/0"}} relay = {{"198.51.100.7"}} xclient = {{"127.0.0.1"}} }}
check "dkim" {{ }}
check "arc" {{ }}
dkim-sign "example.test" {{ selector = "old" key = "{dir}/r.pem" not-after = "2020-01-01" arc = true }}
dkim-sign "example.test" {{ selector = "r" key = "{dir}/r.pem" arc = true }}
dkim-sign "example.test" {{ selector = "e" key = "{dir}/e.pem" canonicalization = "simple/simple" expire = 7d reports = true arc = true }}
recipient "away@example.test" {{ forward = {{"u@far.example"}} }}
recipient "seven@example.test" {{ forward = {{"u@seven.example"}} }}
recipient "dev@example.test" {{ list = "dev" }}
list "dev" {{ members = "{dir}/dev" return-path = "alice@example.test" members-only = false subject-prefix = "[dev]" from = "author" }}
"""


def give(b, text, to, address="192.0.2.9"):
    """A stranger's message."""
    with Wire(b.port["smtp"]) as w:
        w.reply()
        w.smtp("EHLO proxy.test")
        assert w.smtp(f"XCLIENT ADDR={address}").startswith(b"220")
        w.smtp("EHLO client.test")
        assert w.smtp("MAIL FROM:<a@author.test> BODY=8BITMIME").startswith(b"250")
        assert w.smtp(f"RCPT TO:<{to}>").startswith(b"250")
        assert w.smtp("DATA").startswith(b"354")
        w.send(text + b".\r\n")
        said = w.reply()
        assert said.startswith(b"250"), said


def message(subject, body=b"hello\r\n"):
    return (b"From: A <a@author.test>\r\nTo: x@example.test\r\nSubject: " + subject + b"\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body)


def sealed(b, text):
    return subprocess.run([PYTHON, "-c", SEAL, b.dir + "/r.old"], input=text, check=True, capture_output=True).stdout


def arrives(sink, subject):
    """What the host got of it."""
    def look():
        found = [m["text"] for m in sink.messages() if re.search(rb"\nSubject: (\[dev\] )?" + subject + rb"\r\n", m["text"])]
        return found[0] if found else None
    return wait_for(f"the message {subject}", look)


def instances(text):
    head = text.split(b"\r\n\r\n")[0] + b"\r\n"
    return [sorted(int(i) for i in re.findall(rb"(?m)^" + name + rb": i=(\d+);", head)) for name in (
        b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results")]


def judge(b, names, texts):
    """By all three: whether each chain is good, and how long it is."""
    paths = []
    for i, t in enumerate(texts):
        paths.append(f"{b.dir}/t{i}")
        with open(paths[-1], "wb") as f:
            f.write(t)
    python = chains_by_python(names, paths)
    perl = json.loads(run("perl", "-e", BY_PERL, str(names.port), *paths))
    done = subprocess.run([program("baridctl"), "-c", b.conf, "--json", "dkim", "verify", *paths], capture_output=True, text=True,
                          timeout=60, check=False)
    ours = [next(r["arc"] for r in json.loads(line) if "arc" in r) for line in done.stdout.splitlines()]
    return list(zip(python, perl, ours))


def forwarded(b, names, sink, seven):
    """RFC 8617 02, FEATURES T7: a first set, and one more on a chain that is good; the octets are those that leave."""
    body = b"a line \t of text  \r\n\r\n" * 2000 + "Größe\r\n".encode() + b"\r\n\r\n"
    give(b, message(b"first"), "away@example.test")
    give(b, message(b"large", body * 40), "away@example.test")
    give(b, sealed(b, message(b"second", body)), "away@example.test")
    give(b, message(b"eight", body), "seven@example.test")
    give(b, sealed(b, message(b"other", body)), "away@example.test", address="192.0.2.10")
    first, large, second = (arrives(sink, s) for s in (b"first", b"large", b"second"))
    eight = arrives(seven, b"eight")
    assert all(c < 128 for c in eight)
    assert instances(first) == instances(large) == instances(eight) == [[1]] * 3, first
    assert instances(second) == [[1, 2]] * 3, second
    found = judge(b, names, [first, large, second, eight])
    assert found == [("pass", "pass", "pass")] * 4, found
    for text in (first, second):
        m = email.message_from_bytes(text)
        assert "cv=pass" in m["ARC-Seal"] if text is second else "cv=none" in m["ARC-Seal"], m["ARC-Seal"]
        assert "d=example.test" in m["ARC-Seal"] and "s=r;" in m["ARC-Seal"] and "a=rsa-sha256" in m["ARC-Seal"]
        # It says what our field says.
        told = re.sub(r"\s+", " ", m["ARC-Authentication-Results"]).split("; ", 1)[1]
        assert told == re.sub(r"\s+", " ", m["Authentication-Results"]) and "arc=" in told, told
        if text is second:
            assert "arc=pass (domain=sealer.test selector=r) header.oldest-pass=0 smtp.remote-ip=192.0.2.9; " in told, told
        # Nobody but us signs by DKIM, and we do not: it is not ours.
        assert m["DKIM-Signature"] is None
    log = b.log()
    assert "ARC set 1 added (s=r, d=example.test)" in log and "ARC set 2 added (s=r, d=example.test)" in log, log


def listed(b, names, sink):
    """The list changes the text, and its members can see what it was before."""
    give(b, sealed(b, message(b"to the list")), "dev@example.test")
    text = arrives(sink, b"to the list")
    m = email.message_from_bytes(text)
    assert instances(text) == [[1, 2]] * 3 and m["List-Id"] is not None and m["Subject"].startswith("[dev]"), text
    assert len(m.get_all("DKIM-Signature")) == 2, text
    assert judge(b, names, [text]) == [("pass", "pass", "pass")]
    done = subprocess.run([program("baridctl"), "-c", b.conf, "--json", "dkim", "verify", f"{b.dir}/t0"], capture_output=True, text=True,
                          timeout=60, check=False)
    r = json.loads(done.stdout)
    # The first signature was of another subject.
    assert next(x for x in r if "arc" in x)["header.oldest-pass"] == "2", r
    assert [x["dkim"] for x in r if "dkim" in x] == ["pass", "pass"], r


def simple(b, names, sink, seven):
    """FEATURES T6, T8: another form, an end, and reports; good for others in every form that the text leaves in."""
    body = b"a  line \t \r\n" * 1000 + "Größe  \r\n".encode() + b"\r\n\r\n"
    ours = message(b"simple", body).replace(b"a@author.test", b"alice@example.test")
    with b.smtp("submission", login="alice") as s:
        s.sendmail("alice@example.test", ["u@far.example"], ours, ["BODY=8BITMIME"])
        s.sendmail("alice@example.test", ["u@seven.example"], ours, ["BODY=8BITMIME"])
        s.sendmail("alice@example.test", ["u@far.example"], ours.replace(b"simple", b"huge") + body * 150, ["BODY=8BITMIME"])
    b.sendmail("-i", "-f", "alice@example.test", "u@far.example", text="From: alice@example.test\nSubject: no end\n\na \n.\n\n\nno end")
    texts = [arrives(sink, b"simple"), arrives(seven, b"simple"), arrives(sink, b"huge"), arrives(sink, b"no end")]
    paths = []
    for i, t in enumerate(texts):
        paths.append(f"{b.dir}/s{i}")
        with open(paths[-1], "wb") as f:
            f.write(t)
    assert json.loads(run(PYTHON, "-c", BY_DKIM, str(names.port), *paths)) == [[True, True]] * len(texts)
    assert all(c < 128 for c in texts[1]) and texts[2].count(b"line") == 151000
    field = texts[0][texts[0].index(b"a=ed25519-sha256"):]
    assert field.startswith(b"a=ed25519-sha256; c=simple/simple;") and b" r=y;" in field, field[:500]
    made, ends = (int(re.search(rb" %s=(\d+);" % t, field)[1]) for t in (b"t", b"x"))
    assert ends == made + 7 * 86400, field[:500]


def left_alone(b, sink):
    """RFC 8617 03: a chain that failed, one that is not whole, and mail of ours."""
    good = sealed(b, message(b"broken"))
    give(b, good.replace(b"hello", b"hallo"), "away@example.test")
    assert instances(arrives(sink, b"broken")) == [[1]] * 3
    part = sealed(b, message(b"in part")).replace(b"ARC-Seal:", b"X-Seal:")
    give(b, part, "away@example.test")
    assert instances(arrives(sink, b"in part")) == [[], [1], [1]]
    # A field that says that it is ours is not believed.
    give(b, b"Authentication-Results: mx.example.test; arc=pass; dkim=pass header.d=bank.test\r\n" + good.replace(
        b"hello", b"hallo").replace(b"broken", b"claimed"), "away@example.test")
    text = arrives(sink, b"claimed")
    assert instances(text) == [[1]] * 3 and b"bank.test" not in text, text
    with b.smtp("submission", login="alice") as s:
        s.sendmail("alice@example.test", ["u@far.example"], message(b"ours").replace(b"a@author.test", b"alice@example.test"))
    text = arrives(sink, b"ours")
    assert instances(text) == [[], [], []] and b"DKIM-Signature" in text, text
    give(b, message(b"relayed"), "u@far.example", address="198.51.100.7")
    assert instances(arrives(sink, b"relayed")) == [[], [], []]


def main():
    need("perl", PYTHON, "openssl")
    folder = tempfile.mkdtemp(prefix="barid-arc-")
    run("openssl", "genrsa", "-out", folder + "/r.pem", "2048")
    run("openssl", "rsa", "-traditional", "-in", folder + "/r.pem", "-out", folder + "/r.old")
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", folder + "/e.pem")
    der = {k: subprocess.run(["openssl", "pkey", "-in", f"{folder}/{k}.pem", "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout for k in "re"}
    rsa = "v=DKIM1; k=rsa; p=" + base64.b64encode(der["r"]).decode()
    record = " ".join(f'"{rsa[i:i + 255]}"' for i in range(0, len(rsa), 255))
    zone = f"r._domainkey.example.test TXT {record}\nr._domainkey.sealer.test TXT {record}\n"
    zone += f'e._domainkey.example.test TXT "v=DKIM1; k=ed25519; p={base64.b64encode(der["e"][-32:]).decode()}"\n'
    with Sink("--caps", "PIPELINING,8BITMIME,SIZE,CHUNKING") as sink, Sink("--caps", "PIPELINING") as seven, Names(zone) as names:
        b = Barid(users=("alice",), start=False)
        for name in ("r.pem", "r.old", "e.pem"):
            os.rename(f"{folder}/{name}", f"{b.dir}/{name}")
        os.rmdir(folder)
        with open(b.dir + "/dev", "w", encoding="ascii") as f:
            f.write("m@far.example\n")
        b.write_conf(CONF.format(dir=b.dir) + names.conf + upstream("far", sink.port) + upstream("seven", seven.port) +
                     route("seven.example", "seven") + route("far.example", "far"))
        with b.start():
            forwarded(b, names, sink, seven)
            listed(b, names, sink)
            left_alone(b, sink)
            simple(b, names, sink, seven)


if __name__ == "__main__":
    main()
