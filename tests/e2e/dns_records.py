# SPDX-License-Identifier: GPL-3.0-or-later
"""baridctl dns-records: what it prints is what DNS needs, and what is wrong with DNS is said."""
import hashlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, run, wait_for  # noqa: E402

LISTEN = {"smtp": ("smtp", "starttls")}
MORE = """
listen "a" { service = "submission" port = "465" address = {"127.0.0.9"} tls = "implicit" }
listen "b" { service = "pop3" port = "995" address = {"127.0.0.9"} tls = "implicit" }
dkim-sign "example.test" { selector = "s" key = "%s/rsa.pem" }
dkim-sign "example.test" { selector = "e" key = "%s/ed.pem" }
dkim-sign "example.test" { selector = "old" key = "%s/none.pem" not-after = "2020-01-01" }
dkim-sign "other.test" { selector = "s" key = "%s/rsa.pem" }
source { addresses = {"192.0.2.7"} }
"""


def ask(b, *args, code, fits=lambda text: True):
    """What it prints once the server has read its zone, which it does in its own time."""
    last = []

    def look():
        last[:] = [b.ctl(*args, "dns-records", "example.test", check=False)]
        return last[0].returncode == code and fits(last[0].stdout)

    try:
        wait_for("an answer as it should be", look)
    except AssertionError as e:
        raise AssertionError(f"{e}: {last}") from None
    return last[0].stdout


def states(b, code):
    said = json.loads(ask(b, "--json", code=code))
    assert said["domain"] == "example.test"
    return {(r["name"], r["type"]): r for r in said["records"]}


def zone_of(text):
    """The records that are printed, as dnsd reads them."""
    lines = []
    for line in text.splitlines():
        if line.startswith(";"):
            continue
        name, _, kind, value = line.split(";")[0].replace("\t", " ").split(" ", 3) if '"' not in line else \
            line.replace("\t", " ").rsplit(" ;", 1)[0].split(" ", 3)
        value = value.strip()
        if kind == "A/AAAA":
            kind, value = "A", "192.0.2.1"
        if kind == "SRV":
            lines.append(f"{name} RAW SRV {srv(value)}")
        else:
            lines.append(f"{name} {kind} {value}")
    return "\n".join(lines) + "\n"


def srv(value):
    *numbers, host = value.split()
    octets = b"".join(int(n).to_bytes(2, "big") for n in numbers)
    for label in filter(None, host.rstrip(".").split(".")):
        octets += bytes([len(label)]) + label.encode()
    return (octets + b"\0").hex()


def main():
    with Names("") as names, Barid(listen=LISTEN, start=False) as b:
        b.write_conf(MORE.replace("%s", b.dir) + names.conf)
        for name, kind in (("rsa", ("rsa", "-pkeyopt", "rsa_keygen_bits:2048")), ("ed", ("ed25519",))):
            run("openssl", "genpkey", "-algorithm", *kind, "-out", f"{b.dir}/{name}.pem")
            os.chmod(f"{b.dir}/{name}.pem", 0o600)
        text = ask(b, code=1)
        assert ": ok" not in text and "; missing" in text, text
        key = subprocess.run(f"openssl x509 -in {b.dir}/localhost.pem -noout -pubkey | openssl pkey -pubin -outform DER",
                             shell=True, check=True, capture_output=True).stdout
        for line in ("example.test.\tIN MX\t10 mx.example.test.", 'IN TXT\t"v=spf1 mx ip4:192.0.2.7 -all"',
                     "_submissions._tcp.example.test.\tIN SRV\t0 1 465 mx.example.test.",
                     "_pop3s._tcp.example.test.\tIN SRV\t0 1 995 mx.example.test.", "_imap._tcp.example.test.\tIN SRV\t0 0 0 .",
                     "_25._tcp.mx.example.test.\tIN TLSA\t3 1 1 " + hashlib.sha256(key).hexdigest(),
                     "s._domainkey.example.test.\tIN TXT\t\"v=DKIM1; k=rsa; p=", "e._domainkey.example.test.\tIN TXT\t\"v=DKIM1; k=ed25519; p=",
                     "https://autoconfig.example.test/", "https://mta-sts.example.test/"):
            assert line in text, (line, text)
        # All of it published: nothing to complain of.
        zone = zone_of(text)
        names.change(zone)
        said = ask(b, code=0)
        assert "missing" not in said and "differs" not in said and "without DNSSEC" in said, said
        names.change(zone + "example.test SECURE\n")
        ask(b, code=0, fits=lambda text: "without DNSSEC" not in text)
        assert "old._domainkey" not in said and said.count("_domainkey") == 2, said
        names.change(zone.replace("k=ed25519; p=", "k=ed25519; t=y; p="))
        wait_for("a test", lambda: states(b, 1)["e._domainkey.example.test", "TXT"]["state"] == "differs")
        # Another way to say it, and wrong ones.
        names.change(zone.replace("v=spf1 mx", "v=spf1 a mx include:x.test").replace("p=none", "p=reject"))
        assert all(r["state"] == "ok" for r in states(b, 0).values())
        bad = zone.replace("MX 10 mx.", "MX 5 other.").replace("ip4:192.0.2.7 ", "").replace("3 1 1 ", "3 1 1 00") \
            + 'example.test TXT "a\\tb"\n_dmarc.example.test TXT "v=DMARC1; p=none"\n'
        bad = bad.replace("3 1 1 00" + hashlib.sha256(key).hexdigest(), "3 1 1 " + "00" * 32)
        names.change(bad)
        found = states(b, 1)
        for name, kind, words in (("example.test", "MX", "5 other.example.test."), ("example.test", "TXT", "v=spf1 mx -all"),
                                  ("_dmarc.example.test", "TXT", "2 such records"),
                                  ("_25._tcp.mx.example.test", "TLSA", "other keys")):
            r = found[name, kind]
            assert r["state"] == "differs" and words in r["found"], r
        # DNS is silent: that is no word against the records.
        names.change("example.test SERVFAIL\n*.example.test SERVFAIL\n")
        found = states(b, 75)
        assert {r["state"] for r in found.values()} == {"unknown"}, found
        assert b.ctl("dns-records", "x..y", check=False).returncode == 65
        assert b.ctl("dns-records", check=False).returncode == 64


main()
