# What reads strangers' bytes.
PRODUCTS = probes/products probes/products_read probes/pattern
PROBE_DIALOG = probes/dialog probes/facts probes/line probes/classify \
    probes/conclude probes/refusal probes/product $(PRODUCTS) probes/pop3 probes/imap probes/smtp \
    storage/record
UNIT_products = $(PRODUCTS) storage/record
UNIT_transcript = $(PROBE_DIALOG) probes/chain probes/digests \
    probes/handshake test/unit/transcript
PROBE_TLS = probes/tls probes/heap probes/tls_report probes/narrow probes/chain probes/digests probes/handshake
UNIT_probe = $(PROBE_DIALOG) $(PROBE_TLS) probes/wheel probes/conversation \
    probes/talking probes/securing probes/turn probes/ending probes/report probes/worker \
    engine/wire engine/stats engine/role engine/log engine/addr \
    engine/conf_port engine/optouts engine/ranges test/unit/probe_lab
UNIT_late = $(UNIT_probe)
UNIT_narrow = probes/narrow
UNIT_turn = $(PROBE_DIALOG) $(PROBE_TLS) probes/wheel probes/conversation \
    probes/talking probes/securing probes/turn probes/ending engine/addr \
    engine/ranges engine/conf_port
UNIT_sip = $(UNIT_turn)
UNIT_tls = $(PROBE_TLS) probes/facts probes/line probes/classify storage/record
UNIT_heap = probes/heap
UNIT_line = probes/line
UNIT_wheel = probes/wheel
UNIT_facts = probes/facts probes/line probes/classify probes/digests \
    probes/handshake storage/record
