# What reads strangers' bytes.
PROBE_DIALOG = probes/dialog probes/facts probes/line probes/classify \
    probes/conclude probes/product probes/pop3 probes/imap probes/smtp \
    storage/record
UNIT_transcript = $(PROBE_DIALOG) test/unit/transcript
