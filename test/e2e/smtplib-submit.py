"""Logs in with Python's smtplib and sends: smtplib-submit.py PORT starttls|implicit FROM TO CA, on stdin password and message."""
import smtplib
import ssl
import sys

port, how, sender, recipient, trust = sys.argv[1:]
password, _, message = sys.stdin.read().partition("\n")
context = ssl.create_default_context(cafile=trust)
if how == "implicit":
    client = smtplib.SMTP_SSL("localhost", int(port), context=context)
else:
    client = smtplib.SMTP("localhost", int(port))
    client.starttls(context=context)
client.login(sender, password)
client.sendmail(sender, [recipient], message)
client.quit()
