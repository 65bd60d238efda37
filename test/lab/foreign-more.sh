# Sourced by foreign.sh: filters and wrappers in front of mail servers, more
# settings of those that are common, and what is no mail server at all.

# clamsmtp NAME ADDR BACKEND:PORT
clamsmtp()
{
	local name=$1 addr=$2 back=$3 conf=$LAB_DIR/etc/$1.conf

	wanted "$name" "$addr" || return 0
	printf '%s\n' "Listen: $addr:25" "OutAddress: $back" \
	    "ClamAddress: $LAB_DIR/run/none" >"$conf"
	/usr/sbin/clamsmtpd -d 4 -f "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# hitch NAME ADDR CERT "PORT BACKEND" ...: a process for each port
hitch()
{
	local name=$1 addr=$2 cert=$3 pair back

	wanted "$name" "$addr" || return 0
	shift 3
	for pair; do
		back=${pair#* }
		/usr/sbin/hitch --user=_hitch --daemon=off --quiet --workers=1 \
		    "--frontend=[$addr]:${pair% *}" \
		    "--backend=[${back%:*}]:${back##*:}" \
		    "$certs/$cert.both" >>"$logs/$name.log" 2>&1 </dev/null &
		disown
	done
}

# What is no mail server on the ports of mail: FTP, poppassd
ftpds()
{
	local conf=$LAB_DIR/etc/vsftpd

	mkdir -p /var/run/vsftpd/empty /run/vsftpd/empty
	printf '%s\n' listen=NO anonymous_enable=NO local_enable=YES \
	    secure_chroot_dir=/run/vsftpd/empty >"$conf.conf"
	{
		cat "$conf.conf"
		echo "ftpd_banner=mail.lab.test Hello, what may it be?"
	} >"$conf-banner.conf"
	serve vsftpd 198.18.20.240 25 /usr/sbin/vsftpd "$conf.conf"
	serve vsftpd 198.18.20.240 110 /usr/sbin/vsftpd "$conf.conf"
	serve vsftpd-banner 198.18.20.241 25 /usr/sbin/vsftpd "$conf-banner.conf"
	serve pure-ftpd 198.18.20.242 25 /usr/sbin/pure-ftpd -l puredb:/dev/null
	serve poppassd 198.18.20.243 25 /usr/sbin/poppassd
	serve poppassd 198.18.20.243 110 /usr/sbin/poppassd
	proftpd proftpd 198.18.20.247
}

proftpd()
{
	local name=$1 addr=$2 conf=$LAB_DIR/etc/$1.conf

	wanted "$name" "$addr" || return 0
	mkdir -p /run/proftpd
	printf '%s\n' "ServerName Lab" "ServerType standalone" "Port 25" \
	    "DefaultAddress $addr" "SocketBindTight on" "User proftpd" \
	    "Group proftpd" "UseIPv6 off" "WtmpLog off" \
	    "ScoreboardFile /run/proftpd/score" \
	    "PidFile /run/proftpd/pid" "DelayEngine off" >"$conf"
	/usr/sbin/proftpd -n -c "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# sshd NAME ADDR "PORTS"
sshd()
{
	local name=$1 addr=$2 port args=()

	wanted "$name" "$addr" || return 0
	for port in $3; do args+=(-o "ListenAddress=$addr:$port"); done
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$LAB_DIR/etc/$name.key"
	/usr/sbin/sshd -D -e -f /dev/null -h "$LAB_DIR/etc/$name.key" \
	    "${args[@]}" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# dovecot_other NAME ADDR lmtp|sieve PORT CERT: on a port of mail
dovecot_other()
{
	local name=$1 addr=$2 what=$3 port=$4 cert=$5 conf=$LAB_DIR/etc/$1.conf

	wanted "$name" "$addr" || return 0
	cat >"$conf" <<-END
	base_dir = $LAB_DIR/run/$name
	state_dir = $LAB_DIR/run/$name
	instance_name = $name
	log_path = $logs/$name.log
	listen = $addr
	protocols = $what
	hostname = $name.lab.test
	passdb {
	  driver = passwd-file
	  args = /dev/null
	}
	ssl = yes
	ssl_cert = <$certs/$cert.pem
	ssl_key = <$certs/$cert.key
	service $([ "$what" = lmtp ] && echo lmtp || echo managesieve-login) {
	  inet_listener $what {
	    port = $port
	  }
	}
	END
	/usr/sbin/dovecot -F -c "$conf" >>"$logs/$name.out" 2>&1 </dev/null &
	disown
}

more_setups()
{
	mkdir -p /var/lib/hitch
	clamsmtp clamsmtp 198.18.20.200 198.18.20.41:25
	hitch hitch 198.18.20.203 good "993 198.18.20.60:143" \
	    "995 198.18.20.140:110" "465 198.18.20.161:25"
	running sslh 198.18.20.204 /usr/sbin/sslh -f -u sslh -t 2 \
	    -p 198.18.20.204:25 -p 198.18.20.204:465 \
	    --tls 198.18.20.120:465 --anyprot 198.18.20.161:25 \
	    --on-timeout anyprot
	running socat 198.18.20.205 socat \
	    "OPENSSL-LISTEN:993,bind=198.18.20.205,fork,verify=0,cert=$certs/good.both" \
	    TCP4:198.18.20.60:143

	exim exim-heavy 198.18.20.207 "25 465 587" good login=always
	exim exim-heavy-nostarttls 198.18.20.208 "25" good acl_smtp_starttls=never
	exim exim-heavy-nohelo 198.18.20.209 "25" good acl_smtp_helo=never
	exim exim-heavy-later 198.18.20.231 "25" good acl_smtp_starttls=defer
	exim exim-heavy-later-helo 198.18.20.232 "25" good acl_smtp_helo=defer
	exim exim-heavy-busy 198.18.20.233 "25" good connect=defer

	dovecot dovecot-required 198.18.20.210 "110 143" good \
	    "ssl = required\ndisable_plaintext_auth = no"
	dovecot dovecot-nologin 198.18.20.211 "110 143" none
	dovecot dovecot-cram 198.18.20.212 "110 143" good \
	    "disable_plaintext_auth = no\nauth_mechanisms = cram-md5"
	dovecot dovecot-greeting 198.18.20.213 "110 143" good \
	    "login_greeting = Go away, no service here"
	dovecot_submission dovecot-submission-required 198.18.20.153 good \
	    $'ssl = required\ndisable_plaintext_auth = no'
	dovecot_other dovecot-lmtp 198.18.20.214 lmtp 25 good
	dovecot_other dovecot-sieve 198.18.20.215 sieve 143 good

	postfix postfix-encrypt 198.18.20.220 25 good \
	    "smtpd_tls_security_level = encrypt" \
	    "smtpd_sasl_auth_enable = yes" "smtpd_tls_auth_only = no"
	postfix postfix-discard 198.18.20.221 25 good \
	    "smtpd_discard_ehlo_keywords = starttls"
	postfix postfix-one-error 198.18.20.222 25 none \
	    "smtpd_hard_error_limit = 1" "smtpd_error_sleep_time = 0"
	postfix postfix-nohelo 198.18.20.223 25 good \
	    "smtpd_delay_reject = no" "smtpd_helo_restrictions = reject"
	postfix postfix-unwilling 198.18.20.224 25 good \
	    "smtpd_delay_reject = no" "smtpd_client_restrictions = reject"
	postfix postfix-nokey 198.18.20.225 25 missing
	postfix postfix-broken-auth 198.18.20.226 587 good \
	    "broken_sasl_auth_clients = yes" "smtpd_tls_auth_only = no"
	postfix postfix-clientcert 198.18.20.227 25 good \
	    "smtpd_tls_security_level = encrypt" "smtpd_tls_req_ccert = yes" \
	    "smtpd_tls_CAfile = $certs/ca.pem"
	running smtp-sink-lmtp 198.18.20.228 smtp-sink -L -u nobody \
	    198.18.20.228:25 10
	running smtp-sink-helo 198.18.20.229 smtp-sink -e -u nobody \
	    198.18.20.229:25 10
	running smtp-sink-noehlo 198.18.20.230 smtp-sink -f EHLO -u nobody \
	    198.18.20.230:25 10

	nginx nginx-apop 198.18.20.53 on good "pop3_auth apop; imap_auth cram-md5;"
	perdition perdition-nologin 198.18.20.85 143 IMAP4 good --login_disabled
	perdition perdition-nologin 198.18.20.85 110 POP3 good --login_disabled
	cyrus cyrus-tlsrequired 198.18.20.25 "110 143" goodrsa \
	    "allowplaintext: yes" "tls_required: yes"
	cyrus cyrus-lmtp 198.18.20.24 "25" goodrsa
	stunnel stunnel-verify 198.18.20.123 993 198.18.20.60:143 good \
	    "verifyChain = yes
CAfile = $certs/ca.pem"
	running aiosmtpd-lmtp 198.18.20.97 "$bin/foreign.py" lmtp 198.18.20.97 \
	    "$certs/good.pem" "$certs/good.key"
	sshd sshd 198.18.20.246 "25 110 143 465 993 995"
	ftpds
}
