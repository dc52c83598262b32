# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 6376 06, 07, S-58: what others sign is good for us, in every form; what is broken is not, and why; the same by other verifiers."""
import base64
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Names, need, program, run  # noqa: E402
from dkimtest import PYTHON, make_key_for_others  # noqa: E402

# Reads jobs as JSON, messages in base64; "sign", "seal", or what it makes of a message.
BY_PYTHON = r"""
import base64, dkim, dns.resolver, json, sys
r = dns.resolver.Resolver(configure=False)
r.nameservers, r.port = ["127.0.0.1"], int(sys.argv[1])
def txt(name, timeout=5):
    return b"".join(r.resolve(name.decode().rstrip("."), "TXT")[0].strings)
def one(j):
    m = base64.b64decode(j["message"])
    if j["do"] == "sign":
        f = dkim.sign(m, j["selector"].encode(), b"example.test", open(j["key"], "rb").read(), canonicalize=[c.encode() for c in j["form"]],
                      signature_algorithm=j["algorithm"].encode(), length=j.get("length", False), include_headers=j.get("headers") and
                      [h.encode() for h in j["headers"]], identity=j.get("identity") and j["identity"].encode())
        return base64.b64encode(f + m).decode()
    if j["do"] == "seal":
        f = dkim.arc_sign(m, j["selector"].encode(), b"example.test", open(j["key"], "rb").read(), b"mx.example.test")
        return base64.b64encode(b"".join(f) + m).decode()
    try:
        return dkim.arc_verify(m, dnsfunc=txt)[0].decode() if j["do"] == "arc" else bool(dkim.verify(m, dnsfunc=txt))
    except Exception as e:
        return str(e)
print(json.dumps([one(j) for j in json.load(sys.stdin)]))
"""
BY_PERL = r"""
use Mail::DKIM::Verifier; use Mail::DKIM::Signer; use Mail::DKIM::ARC::Signer; use Mail::DKIM::ARC::Verifier; use Net::DNS; use JSON::PP; use MIME::Base64;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => shift @ARGV, recurse => 0));
sub one {
    my $j = shift;
    my $m = decode_base64($j->{message});
    if ($j->{do} eq "sign") {
        my $s = Mail::DKIM::Signer->new(Algorithm => "rsa-sha256", Method => join("/", @{$j->{form}}), Domain => "example.test", Selector => $j->{selector}, KeyFile => $j->{key});
        $s->PRINT($m); $s->CLOSE();
        return encode_base64($s->signature->as_string . "\r\n" . $m, "");
    }
    if ($j->{do} eq "seal") {
        my $s = Mail::DKIM::ARC::Signer->new(Algorithm => "rsa-sha256", Domain => "example.test", SrvId => "mx.example.test", Selector => $j->{selector}, KeyFile => $j->{key}, Chain => "ar");
        $s->PRINT($m); $s->CLOSE();
        return encode_base64(join("\r\n", $s->as_strings) . "\r\n" . $m, "");
    }
    my $v = $j->{do} eq "arc" ? Mail::DKIM::ARC::Verifier->new() : Mail::DKIM::Verifier->new();
    $v->PRINT($m); $v->CLOSE();
    return $v->result;
}
my $text = do { local $/; <STDIN> };
print encode_json([map { one($_) } @{decode_json($text)}]);
"""


def ask(command, names, jobs):
    text = json.dumps([dict(j, message=base64.b64encode(j["message"]).decode()) for j in jobs])
    done = subprocess.run([*command, str(names.port)], input=text.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout)


def by_python(names, jobs):
    return ask([PYTHON, "-c", BY_PYTHON], names, jobs)


def by_perl(names, jobs):
    return ask(["perl", "-e", BY_PERL], names, jobs)


def by_opendkim(folder, records, messages):
    """It has no port for its resolver, and reads the same records from a file."""
    paths = []
    for i, m in enumerate(messages):
        paths.append(f"{folder}/o{i}")
        with open(paths[-1], "wb") as f:
            f.write(m)
    with open(folder + "/keys", "w", encoding="ascii") as f:
        f.write("".join(f"{name} {value}\n" for name, value in records.items()))
    with open(folder + "/opendkim.conf", "w", encoding="ascii") as f:
        f.write(f"Mode v\nTestPublicKeys {folder}/keys\nTemporaryDirectory {folder}\n")
    said = run("opendkim", "-x", folder + "/opendkim.conf", "-v", "-t", ",".join(paths), code=None).decode()
    return [f"{p}: verification" in said and "succeeded" in said.split(f"{p}: verification")[1].split("\n")[0] for p in paths]


def unpack(made):
    return [base64.b64decode(m) for m in made]


class Judge:
    """Our own verdicts, by `baridctl dkim verify`."""

    def __init__(self, folder, names):
        self.folder = folder
        self.conf = folder + "/barid.conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write('hostname = "mx.example.test"\n' + names.conf)

    def __call__(self, messages):
        paths = []
        for i, m in enumerate(messages):
            paths.append(f"{self.folder}/v{i}")
            with open(paths[-1], "wb") as f:
                f.write(m)
        done = subprocess.run([program("baridctl"), "-c", self.conf, "--json", "dkim", "verify", *paths], capture_output=True,
                              text=True, timeout=120, check=False)
        assert done.stderr == "", done
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(messages), done
        return found


def verdict(found, method="dkim"):
    """The first result of METHOD: "pass", or "fail: why"."""
    r = next(r for r in found if method in r)
    return r[method] + (": " + r["reason"] if r.get("reason") else "")


def zone(records):
    pieces = {name: " ".join(f'"{v[i:i + 255]}"' for i in range(0, len(v), 255)) for name, v in records.items()}
    return "".join(f"{name} TXT {v}\n" for name, v in pieces.items())


HEAD = (b"From: Alice <alice@example.test>\r\nTo:  x@far.example\r\nSubject: a \t folded\r\n  subject \r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
        b"Message-ID: <1@example.test>\r\nReceived: a\r\nReceived: b\r\n")
BODIES = {
    "empty": b"", "blank": b"\r\n\r\n\r\n", "plain": b"hello\r\n", "trailing": b"hello \t \r\n\t\r\n\r\n \r\n\r\n\r\n",
    "inner": b"  a \t b\t\r\n\r\n\r\n  c\r\n.\r\n..\r\n.d\r\n", "8bit": "Größe  8 bit\t\r\n \r\n".encode() * 40,
    "long": b"y" * 998 + b"\r\n" + b"z " * 499 + b"\r\n\r\n", "large": b"%s \t%s\r\n" % (b"x" * 40, b"y" * 30) * 20000,
}
FORMS = [(h, b) for h in ("simple", "relaxed") for b in ("simple", "relaxed")]


def good(names, judge, keys):
    """RFC 6376 06: each form and algorithm, and bodies at the edges."""
    jobs = [{"do": "sign", "message": HEAD + b"\r\n" + body, "selector": s, "key": keys + s, "form": form, "algorithm": a}
            for s, a in (("r", "rsa-sha256"), ("e", "ed25519-sha256")) for form in FORMS for body in BODIES.values()]
    made = unpack(by_python(names, jobs)) + unpack(by_perl(names, [j for j in jobs if j["selector"] == "r"]))
    assert len(made) == 96
    for m, found in zip(made, judge(made)):
        r = next(r for r in found if "dkim" in r)
        assert verdict(found) == "pass" and r["domain"] == "example.test", (found, m[:1500])
        assert r["selector"] in "re" and r["header.i"] == "@example.test" and verdict(found, "arc") == "none", found
    # What is kept with LF alone is the same message.
    lf = [m.replace(b"\r\n", b"\n") for m in made if b"8bit" not in m][:8]
    assert all(verdict(f) == "pass" for f in judge(lf))
    return made


def tag(message, name, value):
    """MESSAGE with another value of a tag in its first field."""
    end = message.index(b"\r\nFrom:")
    field = message[:end].split(b":", 1)[1].replace(b"\r\n", b"")
    tags = [t.split(b"=", 1) for t in field.split(b";") if t.strip()]
    done = [(n, v) if n.strip() != name else (n, value) for n, v in tags]
    if value is None:
        done = [(n, v) for n, v in tags if n.strip() != name]
    elif name not in [n.strip() for n, _ in tags]:
        done.append((b" " + name, value))
    return b"DKIM-Signature:" + b";".join(n + b"=" + v for n, v in done) + message[end:]


def field_of(message):
    return message[:message.index(b"\r\nFrom:") + 2]


BAD_KEY = "fail: the signature is not that of the key"
BAD_BODY = "fail: the body hash does not match"


def broken_table(m, simple, ed, limited, over):
    """What was done to a good message, and what we make of it."""
    body = m.index(b"\r\n\r\n") + 4
    return {
        "a changed body": (m.replace(b"hello", b"hallo"), BAD_BODY),
        "more body": (m + b"more\r\n", BAD_BODY),
        "no body": (m[:body], BAD_BODY),
        "no end of the last line": (m[:-2], "pass"),
        "empty lines at the end": (m + b"\r\n\r\n", "pass"),
        "white space that the form forgives": (m.replace(b"To:  x@", b"TO : \t x@").replace(b"hello", b"hello \t "), "pass"),
        "white space that the form does not forgive": (simple.replace(b"To:  x@", b"To: x@"), BAD_KEY),
        "white space in a simple body": (simple.replace(b"hello", b"hello "), BAD_BODY),
        "a changed field": (m.replace(b"far.example", b"far.exbmple"), BAD_KEY),
        "a field without its like": (m.replace(b"To:  x@far.example\r\n", b""), BAD_KEY),
        "a field added that is signed oftener": (over.replace(b"To: ", b"Subject: evil\r\nTo: "), BAD_KEY),
        "a field added that is not": (m.replace(b"From: Alice", b"X-New: 1\r\nFrom: Alice"), "pass"),
        "a From added": (b"From: eve@evil.example\r\n" + m, "permerror: the message has more than one From"),
        "no From": (m.replace(b"\r\nFrom: Alice", b"\r\nX-From: Alice"), "permerror: the message has no From"),
        "fields in another order": (m.replace(b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n", b"").replace(
            b"\r\nFrom:", b"\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nFrom:"), "pass"),
        "b= folded between all octets": (tag(m, b"b", b"\r\n ".join(
            bytes([c]) for c in field_of(m).split(b" b=")[1].replace(b" ", b"").replace(b"\r\n", b"").rstrip(b";"))), "pass"),
        "b= of zeros": (tag(m, b"b", base64.b64encode(bytes(256))), BAD_KEY),
        "b= of no octets": (tag(m, b"b", b" "), "neutral: it has no b="),
        "b= that is no base64": (tag(m, b"b", b"%%%%"), "neutral: its b= is no base64 of a signature"),
        "b= of 64 KiB": (tag(m, b"b", b"\r\n ".join([b"A" * 70] * 900)), "neutral: its b= is no base64 of a signature"),
        "bh= of another body": (tag(m, b"bh", base64.b64encode(bytes(32))), BAD_BODY),
        "bh= of SHA-1": (tag(m, b"bh", base64.b64encode(bytes(20))), "neutral: its bh= is no SHA-256"),
        "no bh=": (tag(m, b"bh", None), "neutral: it has no bh="),
        "no v=": (tag(m, b"v", None), "neutral: it has no v="),
        "v=2": (tag(m, b"v", b"2"), "permerror: its version is not 1"),
        "no a=": (tag(m, b"a", None), "neutral: it has no a="),
        "rsa-sha1": (tag(m, b"a", b"rsa-sha1"), "permerror: rsa-sha1 is not to be trusted"),
        "an unknown algorithm": (tag(m, b"a", b"rsa-sha512"), "permerror: its algorithm is unknown"),
        "the other algorithm": (tag(m, b"a", b"ed25519-sha256"), "permerror: the key is for another algorithm"),
        "no d=": (tag(m, b"d", None), "neutral: it has no d="),
        "d= with a path": (tag(tag(m, b"i", None), b"d", b"../etc"), "permerror: its s= and d= are no name of a key"),
        "d= of 300 octets": (tag(tag(m, b"i", None), b"d", b"a." * 150 + b"test"), "permerror: its s= and d= are no name of a key"),
        "d= without a key": (tag(tag(m, b"i", None), b"d", b"none.test"), "permerror: there is no such key"),
        "d= of another": (tag(tag(m, b"i", None), b"d", b"other.test"), BAD_KEY),
        "no s=": (tag(m, b"s", None), "neutral: it has no s="),
        "s= of another": (tag(m, b"s", b"r2"), BAD_KEY),
        "s= that DNS does not answer for": (tag(m, b"s", b"late"), "temperror: DNS has no answer about the key now"),
        "s= with nothing of DKIM": (tag(m, b"s", b"spf"), "permerror: the record of the key is broken"),
        "s= with a revoked key": (tag(m, b"s", b"revoked"), "permerror: the key is revoked"),
        "s= with a key of 768 bits": (tag(m, b"s", b"small"), "permerror: the key has less than 1024 bits"),
        "s= with a key of 16384 bits": (tag(m, b"s", b"large"), "permerror: the key has more than 4096 bits"),
        "s= with a key that is none": (tag(m, b"s", b"junk"), "permerror: the key is broken"),
        "s= with a key for SHA-1": (tag(m, b"s", b"sha1"), "permerror: the key is not for sha256"),
        "s= with a key for something else": (tag(m, b"s", b"tlsrpt"), "permerror: the key is not for mail"),
        "s= with two records": (tag(m, b"s", b"two"), BAD_KEY),
        "s= with a record of 9 KiB": (tag(m, b"s", b"huge"), "permerror: the record of the key is broken"),
        "no h=": (tag(m, b"h", None), "neutral: it has no h="),
        "h= without From": (tag(m, b"h", b"to:subject"), "permerror: it does not sign From"),
        "h= of 10,000 names": (tag(m, b"h", b"from" + b":x\r\n " * 10000), "permerror: its h= has too many names"),
        "h= with other names": (tag(m, b"h", b"from:to:subject:date:message-id:x"), BAD_KEY),
        "i= of another": (tag(m, b"i", b"@evil.example"), "permerror: its i= is not in its d="),
        "i= that ends so": (tag(m, b"i", b"@evilexample.test"), "permerror: its i= is not in its d="),
        "x= in the past": (tag(m, b"x", b"1000000001"), "permerror: it expires before it was made"),
        "x= and t= in the past": (tag(tag(m, b"t", b"1000000000"), b"x", b"1000000001"), "policy: the signature has expired"),
        "t= in the future": (tag(m, b"t", b"9999999999"), "policy: the signature is from the future"),
        "t= that is no number": (tag(m, b"t", b"now"), "neutral: its t= is no number"),
        "q= unknown": (tag(m, b"q", b"http"), "permerror: its key is not asked of DNS"),
        "c= unknown": (tag(m, b"c", b"nofws"), "permerror: its canonicalization is unknown"),
        "a tag twice": (m.replace(b" s=", b" v=1; s=", 1), "neutral: a tag stands in it twice"),
        "10,000 tags": (m.replace(b" s=", b"".join(b" z%d=1;\r\n" % i for i in range(5000)) + b" s=", 1), "neutral: it has too many tags"),
        "no tags at all": (m.replace(field_of(m), b"DKIM-Signature: hello\r\n"), "neutral: it is no list of tags"),
        "nothing": (m.replace(field_of(m), b"DKIM-Signature:\r\n"), "neutral: it has no v="),
        "l= and all of it": (limited, "pass"),
        "l= and more behind it": (limited + b"an advertisement\r\n", "policy: it signs only a part of the body (l=)"),
        "l= of more than there is": (limited[:-3], "fail: the body is shorter than its l="),
        "l=0 of another": (tag(m, b"l", b"0"), BAD_BODY),
        "l= of 10^20": (tag(m, b"l", b"1" + b"0" * 20), "fail: the body is shorter than its l="),
        "a header with a line that is none": (m.replace(b"\r\nTo:", b"\r\nhello there\r\nTo:"), "permerror: a line of the header is no field"),
        "a header with a bare LF": (m.replace(b"\r\nTo:", b"\r\nX: a\n b\r\nTo:"), "permerror: the header has a CR or LF alone"),
        "a header with a bare CR": (m.replace(b"\r\nTo:", b"\r\nX: a\rb\r\nTo:"), "permerror: the header has a CR or LF alone"),
        "a header of 200 KB": (m.replace(b"\r\nTo:", b"\r\nX: " + b"x" * 200000 + b"\r\nTo:"), "permerror: the header is too large"),
        "ed25519 changed": (ed.replace(b"hello", b"hallo"), BAD_BODY),
        "ed25519 with another subject": (ed.replace(b"a \t folded", b"a folder"), BAD_KEY),
        "ed25519 by a key of RSA": (tag(ed, b"s", b"r"), "permerror: the key is for another algorithm"),
        "no signature": (HEAD + b"\r\nhello\r\n", "none"),
        "a body alone": (b"\r\nDKIM-Signature: v=1\r\n", "none"),
        "nothing whatever": (b"", "none"),
    }


# Where the others are of another opinion, and why that is fine.
PYTHON_PASSES = {"l= and more behind it", "l= of more than there is", "h= with other names", "t= in the future",
                 "a header with a bare LF", "a header with a bare CR", "a header of 200 KB", "s= with a key for something else"}
PERL_PASSES = {"l= and more behind it", "a From added", "s= with two records", "a header with a bare LF", "a header with a bare CR",
               "a header with a line that is none", "a header of 200 KB"}
OPENDKIM_PASSES = {"l= and more behind it", "a From added"}


def broken(names, judge, keys, records):
    """RFC 6376 07, S-58: what is made of each; nobody else takes what we refuse, but for what is said above."""
    sign = {"do": "sign", "message": HEAD + b"\r\nhello\r\n", "selector": "r", "key": keys + "r", "algorithm": "rsa-sha256",
            "form": ("relaxed", "relaxed"), "headers": ["from", "to", "subject", "date", "message-id"]}
    m, simple, ed, limited, over = unpack(by_python(names, [
        sign, dict(sign, form=("simple", "simple")), dict(sign, selector="e", key=keys + "e", algorithm="ed25519-sha256"),
        dict(sign, length=True), dict(sign, headers=["from", "from", "to", "subject", "subject"])]))
    table = broken_table(m, simple, ed, limited, over)
    assert len(table) >= 60, len(table)
    found = judge([text for text, _ in table.values()])
    wrong = {name: (verdict(f), want) for (name, (_, want)), f in zip(table.items(), found) if verdict(f) != want}
    assert not wrong, json.dumps(wrong, indent=1)
    others = [(name, text, want) for name, (text, want) in table.items() if want not in ("pass", "none")]
    jobs = [{"do": "verify", "message": text} for _, text, _ in others]
    python, perl = by_python(names, jobs), by_perl(names, jobs)
    more = {name for (name, _, _), p in zip(others, python) if p is True} - PYTHON_PASSES
    assert not more, more
    more = {name for (name, _, _), p in zip(others, perl) if p == "pass"} - PERL_PASSES
    assert not more, more
    milter = by_opendkim(judge.folder, records, [m] + [text for _, text, _ in others])
    assert milter[0]
    more = {name for (name, _, _), passes in zip(others, milter[1:]) if passes} - OPENDKIM_PASSES
    assert not more, more


def many(names, judge, keys):
    """Eight signatures are looked at, and what begins alike is told apart."""
    sign = {"do": "sign", "message": HEAD + b"\r\nhello\r\n", "selector": "r", "key": keys + "r", "form": ("relaxed", "relaxed"),
            "algorithm": "rsa-sha256"}
    m = unpack(by_python(names, [sign]))[0]
    before = len([q for q in names.asked() if "r._domainkey" in q])
    found = judge([field_of(m) * 1000 + HEAD + b"\r\nhello\r\n"])[0]
    assert [r["dkim"] for r in found if "dkim" in r] == ["permerror"] * 8, found
    found = judge([field_of(m) * 100 + HEAD + b"\r\nhello\r\n"])[0]
    assert [r["dkim"] for r in found if "dkim" in r] == ["pass"] * 8, found
    assert len([q for q in names.asked() if "r._domainkey" in q]) == before + 1


def chains(names, judge, keys):
    """RFC 8617 01: chains that two others make in turns are good for all three; what breaks one breaks it for all."""
    seal = {"do": "seal", "selector": "r", "key": keys + "r"}
    results = b"Authentication-Results: mx.example.test; arc=%s; dkim=pass header.d=example.test; spf=pass smtp.mailfrom=alice@example.test\r\n"
    text = HEAD + b"\r\nhello\r\n"
    steps = [text]
    for i, by in enumerate((by_python, by_perl, by_python, by_perl)):
        sealed = unpack(by(names, [dict(seal, message=results % (b"none" if i == 0 else b"pass") + steps[-1])]))[0]
        steps.append(sealed.replace(results % (b"none" if i == 0 else b"pass"), b""))
    found = judge(steps)
    assert [verdict(f, "arc") for f in found] == ["none"] + ["pass"] * 4, found
    m = steps[3]
    cases = {
        "another body": (m.replace(b"hello", b"hallo"), "fail: signature of instance 3: the body hash does not match"),
        "another subject": (m.replace(b"a \t folded", b"a folder"), "fail: signature of instance 3: the signature is not that of the key"),
        "other results": (m.replace(b"spf=pass", b"spf=fail"), "fail: seal of instance 3: the signature is not that of the key"),
        "another cv": (m.replace(b"cv=pass", b"cv=none", 1), "fail: a seal does not say cv=pass"),
        "a failed one": (m.replace(b"cv=pass", b"cv=fail", 1), "fail: the chain had failed before (cv=fail)"),
        "a lost field": (m.replace(b"ARC-Message-Signature:", b"X-Message-Signature:", 1), "fail: an instance is not complete"),
    }
    assert all(text != m for text, _ in cases.values())
    for (name, (_, want)), f in zip(cases.items(), judge([t for t, _ in cases.values()])):
        assert verdict(f, "arc") == want, (name, f, want)
    for others in (by_python, by_perl):
        got = others(names, [{"do": "arc", "message": t} for t, _ in cases.values()])
        assert "pass" not in got, (others, got)
    # What came first was changed, then sealed again: it is good since instance 2.
    changed = steps[1].replace(b"hello\r\n", b"hello\r\n-- \r\na list\r\n")
    two = unpack(by_perl(names, [dict(seal, message=results % b"pass" + changed)]))[0]
    r = next(r for r in judge([two])[0] if "arc" in r)
    assert r["arc"] == "pass" and r["header.oldest-pass"] == "2", r


def command(judge, keys):
    """What a person sees, and what a script."""
    with open(judge.folder + "/plain", "wb") as f:
        f.write(HEAD + b"\r\nhello\r\n")
    for args, code, words in ((["plain"], 1, "Authentication-Results: mx.example.test;"), (["away"], 66, "No such file"), (["--all"], 64, "")):
        done = subprocess.run([program("baridctl"), "-c", judge.conf, "dkim", "verify", *args], capture_output=True, text=True,
                              timeout=60, cwd=judge.folder, check=False)
        assert done.returncode == code and words in done.stdout + done.stderr, done
    with open(judge.folder + "/plain", "rb") as f:
        done = subprocess.run([program("baridctl"), "-c", judge.conf, "dkim", "verify"], stdin=f, capture_output=True, text=True,
                              timeout=60, check=False)
    assert done.returncode == 1 and "dkim=none" in done.stdout and "arc=none" in done.stdout and "\r" not in done.stdout, done
    assert os.path.exists(keys + "r")


def main():
    need("opendkim", "perl", PYTHON, "openssl")
    with tempfile.TemporaryDirectory(prefix="barid-verify-") as folder:
        keys = folder + "/key-"
        p = {s: make_key_for_others(keys + s, "rsa") for s in ("r", "r2", "other")}
        p["e"] = make_key_for_others(keys + "e", "ed25519")
        p["small"] = make_key_for_others(keys + "small", "rsa", 768)
        # As large as 16,384 bits; nobody has its private half.
        n = b"\x02\x82\x08\x01\x00" + b"\xff" * 2048 + b"\x02\x03\x01\x00\x01"
        large = base64.b64encode(b"\x30\x82" + len(n).to_bytes(2, "big") + n).decode()
        records = {f"{s}._domainkey.example.test": f"v=DKIM1; k={k}; p={p[s]}" for s, k in (("r", "rsa"), ("r2", "rsa"), ("e", "ed25519"),
                   ("small", "rsa"))}
        records.update({f"{s}._domainkey.example.test": text for s, text in (
            ("revoked", "v=DKIM1; p="), ("junk", "v=DKIM1; p=QUFB"), ("sha1", "v=DKIM1; h=sha1; p=" + p["r"]), ("spf", "v=spf1 -all"),
            ("tlsrpt", "v=DKIM1; s=tlsrpt; p=" + p["r"]), ("large", "v=DKIM1; p=" + large), ("huge", "v=DKIM1; n=" + "x" * 9000 + "; p=" + p["r"]),
            ("two", "v=DKIM1; p="))})
        records["r._domainkey.other.test"] = "v=DKIM1; p=" + p["other"]
        two = zone({"two._domainkey.example.test": "v=DKIM1; p=" + p["r2"]})
        with Names(zone(records) + two + "late._domainkey.example.test SERVFAIL\n") as names:
            judge = Judge(folder, names)
            good(names, judge, keys)
            broken(names, judge, keys, records)
            many(names, judge, keys)
            chains(names, judge, keys)
            command(judge, keys)


if __name__ == "__main__":
    main()
