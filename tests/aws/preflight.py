"""Runs the program preflight against an emulated account: first as the account is made, then with a sender and a certificate.

usage: preflight.py PROGRAM     PROGRAM: target/debug/preflight; prints one line. The emulator knows neither SMS attributes nor quotas:
these questions must end as unknown.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402
from account import Account  # noqa: E402

DOMAIN = "latchkey.example"
UNKNOWN = ["API Gateway requests", "EventBridge PutEvents", "SMS sandbox", "SMS spend limit"]


def run(program, account, folder, parameters):
    """The findings of the program: what is asked -> (verdict, text), and the exit status."""
    stage = folder / "stage.yaml"
    stage.write_text("".join(f"{name}: {value}\n" for name, value in parameters.items()))
    environment = {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_REGION": project.PSEUDO["AWS::Region"],
        "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"],
        "AWS_SECRET_ACCESS_KEY": "x",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run([program, "--stage", stage], env=environment, stdout=subprocess.PIPE, text=True, timeout=60)
    findings = {}
    for line in done.stdout.splitlines():
        what, text = line[9:].split(": ", 1)
        findings[what] = (line[:9].strip(), text)
    return findings, done.returncode


def expect(findings, verdicts):
    for what, verdict in verdicts.items():
        assert findings[what][0] == verdict, (what, findings)


def main(program):
    with tempfile.TemporaryDirectory(prefix="latchkey-preflight-") as folder:
        account = Account(Path(folder), Path(folder) / "build")
        try:
            account.wait()
            findings, status = run(program, account, Path(folder), {"EmailSender": f"no-reply@{DOMAIN}"})
            expect(findings, {"alarm topic": "to do", "mail sender": "to do", "Lambda concurrency": "to do", "SMS region": "ready"})
            expect(findings, dict.fromkeys(UNKNOWN, "unknown"))
            assert status == 1, findings
            account.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
            certificate = account.client("acm").request_certificate(DomainName=f"api.{DOMAIN}")["CertificateArn"]
            filled = {
                "EmailSender": f"no-reply@{DOMAIN}",
                "AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:alarms",
                "ApiDomain": f"api.{DOMAIN}",
                "ApiCertificateArn": certificate,
            }
            findings, _ = run(program, account, Path(folder), filled)
            expect(findings, {"alarm topic": "ready", "mail sender": "ready", "certificate": "ready", "SES production access": "ready"})
            other, _ = run(program, account, Path(folder), {**filled, "ApiDomain": "api.example.net"})
            expect(other, {"certificate": "to do"})
        finally:
            account.end()
    print(f"ok  preflight {len(findings)} questions, {len(UNKNOWN)} of which the emulator cannot answer")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
