#!/usr/bin/python3
"""Every cell of the feeds beside what the store and openssl(1) say.

    test/e2e/feed_cells.py FEEDS DUMP.JSONL CERTIFICATES

FEEDS: a directory of `mailsweep feed`, re-read by python3's csv. DUMP: of
`mailsweep dump`. CERTIFICATES: the servers' own files (*.pem), which openssl(1)
reads; our store is not asked about them. What a column holds is said here anew,
from FEEDS.md 1 and 2. One line "ok WHAT" or "FAILED WHAT" a column.
"""

import collections
import csv
import glob
import hashlib
import json
import os
import re
import ssl
import subprocess
import sys

NOT_MEASURED = {"sslv3_supported", "freak_vulnerable", "freak_cipher_suite",
                "jarm", "auth_ssl_response", "raw_cert", "raw_cert_chain"}
SEVERITY = {"pop3": "low", "imap": "low", "smtp": "info",
            "pop3_vulnerable": "medium", "imap_vulnerable": "medium",
            "smtp_vulnerable": "critical"}
LEVELS = {"2.23.140.1.1": "EV", "2.23.140.1.2.1": "DV",
          "2.23.140.1.2.2": "OV"}
NAMES = {"business_category": "businessCategory", "common_name": "commonName",
         "country": "countryName", "email_address": "emailAddress",
         "given_name": "givenName", "locality_name": "localityName",
         "organization_name": "organizationName",
         "organization_unit_name": "organizationalUnitName",
         "postal_code": "postalCode", "serial_number": "serialNumber",
         "state_or_province_name": "stateOrProvinceName",
         "street_address": "streetAddress", "surname": "surname"}
CERTIFICATE = (
    ["cert_issue_date", "cert_expiration_date", "cert_length",
     "cert_serial_number", "key_algorithm", "signature_algorithm",
     "ssl_version", "validation_level", "md5_fingerprint", "sha1_fingerprint",
     "sha256_fingerprint", "sha512_fingerprint"] +
    [f"{side}_{name}" for side in ("subject", "issuer") for name in NAMES])
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def openssl(der, *options):
    return subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", *options], input=der,
        capture_output=True, check=True).stdout.decode("utf-8", "replace")


def one(pattern, text, default=""):
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else default


def moment(text):
    """Jun  5 10:00:00 2026 GMT"""
    month, day, time, year, _ = text.split()
    return f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02} {time}"


def parts(der, which):
    """Of a name, the last value of each kind."""
    text = openssl(der, f"-{which}", "-nameopt", "multiline,utf8,-esc_msb")
    return dict(re.findall(r"^\s+(\w+)\s*= (.*)$", text, re.M))


class Certificate:
    def __init__(self, der):
        text = openssl(der, "-text")
        self.cells = {
            "cert_issue_date": moment(one(r"Not Before *: (.*)", text)),
            "cert_expiration_date": moment(one(r"Not After *: (.*)", text)),
            "cert_length": one(r"Public-Key: \((\d+) bit", text),
            "cert_serial_number":
                one(r"serial=([0-9A-F-]+)", openssl(der, "-serial")),
            "key_algorithm": one(r"Public Key Algorithm: (.*)", text),
            "signature_algorithm": one(r"Signature Algorithm: (.*)", text),
            "ssl_version": str(int(one(r"Version: (\d+)", text)) - 1),
            "validation_level": next(
                (level for oid, level in LEVELS.items()
                 if re.search(rf"Policy: {re.escape(oid)}$", text, re.M)),
                "unknown"),
        }
        for kind in ("md5", "sha1", "sha256", "sha512"):
            raw = hashlib.new(kind, der).hexdigest().upper()
            self.cells[f"{kind}_fingerprint"] = ":".join(
                raw[i:i + 2] for i in range(0, len(raw), 2))
        for side in ("subject", "issuer"):
            values = parts(der, side)
            for column, name in NAMES.items():
                self.cells[f"{side}_{column}"] = values.get(name, "")
        self.names = re.findall(r"DNS:([^,\s]+)", text) + [
            self.cells["subject_common_name"]]


def certificates(directory):
    """By SHA-256: each that the servers have."""
    found = {}
    for path in glob.glob(os.path.join(directory, "**/*.pem"),
                          recursive=True):
        with open(path, encoding="latin-1") as file:
            blocks = re.findall(
                r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----",
                file.read(), re.S)
        for block in blocks:
            der = ssl.PEM_cert_to_DER_cert(block)
            found[hashlib.sha256(der).hexdigest()] = der
    return found


def is_hostname(name):
    labels = name.removesuffix(".").split(".")
    return (len(labels) > 1 and not labels[-1].isdigit() and
            all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", x) for x in labels))


def hostname(row, cert):
    for source, keys in (("ptr", ["ptr"]),
                         ("banner", ["greeting_name", "ehlo_name"])):
        for key in keys:
            if is_hostname(row.get(key, "")):
                return row[key].removesuffix("."), source
    for name in cert.names if cert else []:
        if is_hostname(name):
            return name.removesuffix("."), "cert"
    return "", ""


def yes_no(value):
    return "Y" if value else "N"


def expected(kind, row, cert):
    """What each column has to hold; tag without the holes of a version."""
    tls, findings = row.get("tls") or {}, set(row["findings"])
    host, source = hostname(row, cert)
    product = re.sub(r"[^a-z0-9._]", "-", row.get("product", "").lower())
    tag = [row["protocol"], *(f.replace("_", "-") for f in row["findings"]),
           *([product] if product else [])]
    upper = {key: row.get(key, "").upper() for key in ("region", "city")}
    want = dict.fromkeys(NOT_MEASURED, "")
    want |= {
        "timestamp": row["time"][:19].replace("T", " "),
        "severity": "critical" if kind == "imap_vulnerable" and
                    "preauth" in findings else SEVERITY[kind],
        "ip": row["ip"], "protocol": "tcp", "port": str(row["port"]),
        "hostname": host, "hostname_source": source, "tag": ";".join(tag),
        "asn": str(row["asn"]) if row["asn"] else "",
        "geo": "" if row["country"] == "??" else row["country"],
        **upper, "naics": row.get("naics", ""),
        "sector": row.get("sector", ""),
        "banner": row.get("greeting", ""),
        "auth_tls_response": row.get("starttls_reply", ""),
        "handshake": tls.get("version", ""),
        "cipher_suite": tls.get("cipher", ""),
        "tlsv13_support": yes_no(tls["version"] == "TLSv1.3") if tls else "",
        "tlsv13_cipher":
            tls["cipher"] if tls.get("version") == "TLSv1.3" else "",
        "x_starttls": row["starttls"],
        "x_product": " ".join(
            x for x in (row.get("product"), row.get("version")) if x),
        "x_evidence": ("STLS" if row["protocol"] == "pop3" else "STARTTLS") +
                      "|" + row.get("starttls_reply", ""),
        "cert_valid": "", "cert_expired": "", "self_signed": "",
    }
    if row.get("offered") is not None:
        want["x_offered"] = yes_no(row["offered"])
    else:
        want["x_offered"] = ""
    if tls and cert:
        want |= cert.cells
        want["cert_expired"] = yes_no("expired" in findings)
        want["self_signed"] = yes_no("self_signed" in findings)
        want["cert_valid"] = yes_no(
            tls["chain"] == "trusted" and
            not findings & {"expired", "not_yet_valid"})
    else:
        want |= dict.fromkeys(CERTIFICATE, "")
    return want


def main():
    directory, dump, pem = sys.argv[1:4]
    with open(dump, encoding="utf-8") as file:
        store = {(r["ip"], str(r["port"])): r for r in map(json.loads, file)}
    ders = certificates(pem)
    certs = {}
    cells, full = collections.Counter(), collections.Counter()
    wrong = collections.defaultdict(list)
    for name in sorted(os.listdir(directory)):
        kind = re.match(r"[\d-]+-scan6?_(\w+?)-", name).group(1)
        with open(os.path.join(directory, name), encoding="utf-8",
                  newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            stored = store[row["ip"], row["port"]]
            leaf = stored.get("cert_sha256", "").lower()
            if leaf in ders and leaf not in certs:
                certs[leaf] = Certificate(ders[leaf])
            want = expected(kind, stored, certs.get(leaf))
            for column, got in row.items():
                cells[column] += 1
                full[column] += got != ""
                if column == "tag":
                    got = re.sub(r"(;CVE-[\d-]+)*(;banner-version)?$", "",
                                 got, flags=re.I)
                if column == "x_evidence":  # IMAP's has a tag before it
                    got = re.sub(r"^\w+ (?=STARTTLS\|)", "", got)
                if got != want.get(column):
                    wrong[column].append(
                        f"{name}, {row['ip']}:{row['port']}: "
                        f"{got!r}, not {want.get(column)!r}")
    for column, n in cells.items():
        good = not wrong[column]
        print(f"{'ok' if good else 'FAILED'} {column}: {n} cells, "
              f"{full[column]} full" +
              ("" if good else f": {len(wrong[column])} wrong, "
               f"{wrong[column][0]}"))


main()
