# Sourced by servers.sh: one line a set-up.

all4='110 143 993 995'
cleartext='disable_plaintext_auth = no'

setups()
{
	# no TLS at all
	dovecot dovecot-plain 198.18.10.10 "110 143" none "$cleartext"
	postfix postfix-plain 198.18.37.2 25 none
	postfix postfix-plain 198.18.37.2 587 none "smtpd_tls_auth_only = no"
	exim exim-plain 198.18.64.7 "25 587" none login=always

	# as it should be
	dovecot dovecot-good 198.18.101.20 "$all4" chain
	postfix postfix-good 198.18.130.25 25 good
	postfix postfix-good 198.18.130.25 465 good
	postfix postfix-good 198.18.130.25 587 good \
	    "smtpd_tls_security_level = encrypt"
	exim exim-good 198.18.150.6 "25 465 587" good

	# certificates
	dovecot dovecot-selfsigned 198.18.177.33 "$all4" selfsigned
	postfix postfix-selfsigned 198.18.178.9 25 selfsigned
	dovecot dovecot-expired 198.18.203.41 "$all4" expired
	exim exim-expired 198.18.204.14 "25 587" expired
	exim exim-future 198.19.180.18 25 future
	dovecot dovecot-rsa1024 198.19.5.77 "$all4" rsa1024
	postfix postfix-rsa1024 198.19.6.25 25 rsa1024
	dovecot dovecot-sha1 198.19.160.16 "143 993" sha1
	exim exim-otherca 198.19.170.17 "25 465" other
	postfix postfix-nochain 198.19.171.18 25 nochain

	# versions
	dovecot dovecot-tls10 198.19.20.10 "$all4" goodrsa \
	    "ssl_min_protocol = TLSv1"
	postfix postfix-tls10 198.19.21.25 25 goodrsa \
	    "smtpd_tls_protocols = TLSv1"
	postfix postfix-tls10 198.19.21.25 465 goodrsa \
	    "smtpd_tls_protocols = TLSv1" \
	    "smtpd_tls_mandatory_protocols = TLSv1"
	exim exim-tls10 198.19.22.25 25 goodrsa \
	    "tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.0"
	dovecot dovecot-tls13 198.19.40.3 "$all4" good \
	    "ssl_min_protocol = TLSv1.3"
	postfix postfix-tls13 198.19.41.25 25 good \
	    "smtpd_tls_protocols = >=TLSv1.3"
	exim exim-tls13 198.19.42.8 465 good \
	    "tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.3"

	# when a password may be said
	dovecot dovecot-logindisabled 198.19.60.12 "110 143" goodrsa \
	    "ssl = required"
	dovecot dovecot-cleartext 198.19.80.80 "$all4" good "$cleartext"
	postfix postfix-cleartext 198.19.81.25 25 good \
	    "smtpd_sasl_auth_enable = yes" "smtpd_tls_auth_only = no"
	postfix postfix-cleartext 198.19.81.25 587 good \
	    "smtpd_tls_auth_only = no"
	exim exim-cleartext 198.19.82.25 "25 587" good login=always

	# TLS from the first byte only
	dovecot dovecot-implicit 198.19.100.5 "993 995" good
	exim exim-implicit 198.19.101.5 465 good

	# slow, silent, unwilling, broken
	exim exim-slow 198.19.120.10 25 good \
	    'connect=  warn delay = 10s\n  accept'
	postfix postfix-slow 198.19.121.10 25 good \
	    "smtpd_delay_reject = no" \
	    "smtpd_client_restrictions = sleep 10, permit"
	silent silent 198.19.140.1 "25 110 143"
	exim exim-unwilling 198.19.190.19 25 good \
	    'connect=  drop message = 554 No service for you'
	exim exim-brokentls 198.19.200.20 25 missing

	# IPv6
	dovecot dovecot6-good fd00:198:18::10 "$all4" good
	dovecot dovecot6-plain fd00:198:18::99 "110 143" none "$cleartext"
	postfix postfix6-good fd00:198:18::25 25 good
	postfix postfix6-good fd00:198:18::25 587 good
	exim exim6-selfsigned fd00:198:18::e1 "25 465" selfsigned

	# must never see a packet
	dovecot forbidden 198.19.255.25 "$all4" good
}
