"""Sends what comes in on standard input with Python's own SMTP client: PORT RECIPIENT [CA-FILE]."""
import smtplib
import ssl
import sys

port, recipient = int(sys.argv[1]), sys.argv[2]
message = sys.stdin.buffer.read()
with smtplib.SMTP("localhost", port, local_hostname="client.example", timeout=20) as smtp:
    if len(sys.argv) > 3:
        smtp.starttls(context=ssl.create_default_context(cafile=sys.argv[3]))
    refused = smtp.sendmail("bob@elsewhere.example", [recipient], message, ["BODY=8BITMIME"])
    sys.exit(1 if refused else 0)
