# Sourced by foreign.sh: one line a set-up.

foreign_setups()
{
	courier courier-plain 198.18.20.10 "110 143 25" none no
	courier courier 198.18.20.11 "110 143 25 993 995 465" good may
	courier courier-required 198.18.20.12 "110 143 25" good must

	mailutils mailutils-plain 198.18.20.60 110 none no
	mailutils mailutils-plain 198.18.20.60 143 none no
	mailutils mailutils 198.18.20.61 110 good ondemand
	mailutils mailutils 198.18.20.61 143 good ondemand
	mailutils mailutils-required 198.18.20.62 110 good required
	mailutils mailutils-required 198.18.20.62 143 good required
	mailutils mailutils-tls 198.18.20.63 995 good connection
	mailutils mailutils-tls 198.18.20.63 993 good connection

	nginx nginx-on 198.18.20.50 on good
	nginx nginx-only 198.18.20.51 only good
	nginx nginx-off 198.18.20.52 off good

	serve popa3d 198.18.20.70 110 /usr/sbin/popa3d
	serve solid-pop3d 198.18.20.71 110 /usr/sbin/solid-pop3d
	serve mailfront 198.18.20.140 25 /usr/sbin/smtpfront-echo
	serve mailfront 198.18.20.140 110 /usr/sbin/pop3front-auth true true
	serve mailfront 198.18.20.140 143 env CVM_SASL_PLAIN=/bin/false \
	    /usr/sbin/imapfront-auth true true
	running smtp-sink 198.18.20.161 smtp-sink -u nobody 198.18.20.161:25 10
	running msmtpd 198.18.20.180 msmtpd --interface=198.18.20.180 --port=25 \
	    --command=/usr/bin/true
	running aiosmtpd-plain 198.18.20.90 aiosmtpd -n -l 198.18.20.90:25
	running aiosmtpd 198.18.20.91 aiosmtpd -n -l 198.18.20.91:25 \
	    --tlscert "$certs/good.pem" --tlskey "$certs/good.key" \
	    --no-requiretls
	running aiosmtpd-required 198.18.20.92 aiosmtpd -n -l 198.18.20.92:25 \
	    --tlscert "$certs/good.pem" --tlskey "$certs/good.key"
	running aiosmtpd-tls 198.18.20.93 aiosmtpd -n -l 198.18.20.93:465 \
	    --smtpscert "$certs/good.pem" --smtpskey "$certs/good.key"
	running smtpd.py 198.18.20.94 python3 -Wignore -m smtpd -n \
	    -c smtpd.DebuggingServer 198.18.20.94:25

	opensmtpd opensmtpd-plain 198.18.20.30 none "25" "587"
	opensmtpd opensmtpd 198.18.20.31 goodrsa "25 tls pki lab" \
	    "465 smtps pki lab auth-optional <users>" \
	    "587 tls-require pki lab auth <users>"

	opensmtpd opensmtpd-ec 198.18.20.32 good "25 tls pki lab" \
	    "465 smtps pki lab"

	sendmail sendmail-plain 198.18.20.40 none "Port=25"
	sendmail sendmail 198.18.20.41 goodrsa "Port=25 Port=465,M=s"
	sendmail sendmail-login 198.18.20.42 goodrsa "Port=25 Port=587" \
	    "define(\`confAUTH_MECHANISMS', \`LOGIN PLAIN')
TRUST_AUTH_MECH(\`LOGIN PLAIN')"
	sendmail sendmail-required 198.18.20.43 goodrsa "Port=25" \
	    "define(\`confAUTH_OPTIONS', \`p')
define(\`confAUTH_MECHANISMS', \`LOGIN PLAIN')
TRUST_AUTH_MECH(\`LOGIN PLAIN')"

	cyrus cyrus-plain 198.18.20.20 "110 143" none "allowplaintext: yes"
	cyrus cyrus 198.18.20.21 "110 143 993 995" goodrsa "allowplaintext: no"
	cyrus cyrus-login 198.18.20.22 "110 143" goodrsa "allowplaintext: yes"
	cyrus cyrus-nologin 198.18.20.23 "110 143" none "allowplaintext: no"

	perdition perdition 198.18.20.80 110 POP3 good --ssl_mode tls_listen
	perdition perdition 198.18.20.80 143 IMAP4 good --ssl_mode tls_listen
	perdition perdition-plain 198.18.20.81 110 POP3 good
	perdition perdition-plain 198.18.20.81 143 IMAP4 good
	perdition perdition-required 198.18.20.82 110 POP3 good \
	    --ssl_mode tls_listen_force
	perdition perdition-required 198.18.20.82 143 IMAP4 good \
	    --ssl_mode tls_listen_force
	perdition perdition-tls 198.18.20.83 995 POP3S good --ssl_mode ssl_listen
	perdition perdition-tls 198.18.20.83 993 IMAP4S good --ssl_mode ssl_listen

	stunnel stunnel 198.18.20.121 995 198.18.20.60:110 good
	stunnel stunnel 198.18.20.121 993 198.18.20.60:143 good
	stunnel stunnel 198.18.20.121 465 198.18.20.161:25 good
	stunnel stunnel-starttls 198.18.20.122 25 198.18.20.161:25 good \
	    "protocol = smtp"
	stunnel stunnel-starttls 198.18.20.122 110 198.18.20.60:110 good \
	    "protocol = pop3"
	stunnel stunnel-starttls 198.18.20.122 143 198.18.20.60:143 good \
	    "protocol = imap"
	haproxy haproxy 198.18.20.120 good "995 198.18.20.140:110" \
	    "993 198.18.20.60:143" "465 198.18.20.161:25"

	chasquid chasquid 198.18.20.130 good
	qpsmtpd qpsmtpd-plain 198.18.20.110 "25" none
	qpsmtpd qpsmtpd 198.18.20.111 "25" goodrsa

	dovecot_submission dovecot-submission 198.18.20.150 good
	dovecot_submission dovecot-submission-clear 198.18.20.152 good
	dovecot_submission dovecot-submission-plain 198.18.20.151 none \
	    "disable_plaintext_auth = no"

	running aiosmtpd-login 198.18.20.95 "$bin/foreign.py" aiosmtpd \
	    198.18.20.95 "$certs/good.pem" "$certs/good.key" login
	running aiosmtpd-nologin 198.18.20.96 "$bin/foreign.py" aiosmtpd \
	    198.18.20.96 "$certs/good.pem" "$certs/good.key"
	running twisted-plain 198.18.20.100 "$bin/foreign.py" twisted \
	    198.18.20.100
	running twisted 198.18.20.101 "$bin/foreign.py" twisted 198.18.20.101 \
	    "$certs/good.pem" "$certs/good.key"
	running server-mail 198.18.20.190 "$bin/foreign.pl" server-mail \
	    198.18.20.190 "$certs/goodrsa.pem" "$certs/goodrsa.key"
	running server-mail-broken 198.18.20.191 "$bin/foreign.pl" server-mail \
	    198.18.20.191
	running smtp-server 198.18.20.192 "$bin/foreign.pl" smtp-server \
	    198.18.20.192
	inetsim inetsim 198.18.20.170 goodrsa
	postscreen postscreen 198.18.20.160 good

	imapproxy imapproxy 198.18.20.84 198.18.20.20
	proxsmtp proxsmtp 198.18.20.181 198.18.20.41:25
}
