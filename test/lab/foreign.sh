# Sourced by target: servers of many kinds, each in several set-ups.  What a
# scanner must say of each is written down by hand in foreign.tsv.

bin=$LAB_DIR/bin

start_servers()
{
	: >"$LAB_DIR/started"
	mkdir -p "$LAB_DIR/etc" "$LAB_DIR/run"
	weak_openssl
	foreign_users
	foreign_certs
	echo "nameserver 127.0.0.1" >/etc/resolv.conf
	"$bin/foreign.py" names 2>>"$logs/names.log" &
	disown
	foreign_setups
	more_setups
	postfix_start
}

foreign_users()
{
	local name id=64200

	for name in courier cyrus opensmtpd opensmtpq smmta smmsp www-data \
	    chasquid popa3d qpsmtpd inetsim stunnel4 imapproxy msmtp spop3d \
	    haproxy clamsmtp _hitch sslh ftp sshd \
	    pure-ftpd proftpd; do
		id=$((id + 1))
		echo "$name:x:$id:$id::/:/bin/false" >>/etc/passwd
		echo "$name:x:$id:" >>/etc/group
	done
	mkdir -p /var/empty /var/lib/opensmtpd/empty /var/spool/mail \
	    /var/lib/popa3d /var/lib/courier /var/log/courier
}

# Some want key and chain in one file.
foreign_certs()
{
	local name

	for name in good goodrsa chain selfsigned expired; do
		cat "$certs/$name.key" "$certs/$name.pem" >"$certs/$name.both"
	done
}

# serve NAME ADDR PORT CMD...: CMD for each connection, which is its stdin
# and stdout
serve()
{
	local name=$1 addr=$2 port=$3

	wanted "$name" "$addr" || return 0
	shift 3
	tcpserver -H -R -l lab.test -c 60 "$addr" "$port" "$@" \
	    2>>"$logs/$name.log" &
	disown
}

# running NAME ADDR CMD...: a server that listens by itself
running()
{
	local name=$1 addr=$2

	wanted "$name" "$addr" || return 0
	shift 2
	"$@" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# ---- Courier -------------------------------------------------------------------

# courier NAME ADDR "PORTS" CERT|none no|may|must [VARIABLE=VALUE ...]
courier()
{
	local name=$1 addr=$2 ports=$3 cert=$4 tls=$5 port lib may=NO must=0
	local server implicit=

	wanted "$name" "$addr" || return 0
	shift 5
	lib=/usr/lib/courier/courier
	[ "$tls" = no ] || may=YES
	[ "$tls" != must ] || must=1
	for port in $ports; do
		case $port in
		110|995) server=("$lib/courierpop3login" "$lib/courierpop3d") ;;
		143|993) server=("$lib/imaplogin" /usr/bin/imapd) ;;
		*)	server=("$lib/modules/esmtp/courieresmtpd") ;;
		esac
		case $port in
		465|993|995)
			server=(/usr/bin/couriertls -server -tcpd "${server[@]}")
			may=NO must=0 implicit=1
			;;
		esac
		env -i PATH="$PATH" MAILDIRPATH=Maildir \
		    POP3AUTH="LOGIN PLAIN CRAM-MD5" POP3AUTH_TLS="LOGIN PLAIN" \
		    POP3_TLS=1 POP3_STARTTLS=$may POP3_TLS_REQUIRED=$must \
		    IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE" \
		    IMAP_CAPABILITY_TLS="IMAP4rev1 UIDPLUS IDLE AUTH=PLAIN" \
		    IMAP_STARTTLS=$may IMAP_TLS_REQUIRED=$must IMAP_TLS=1 \
		    ESMTP_TLS=$implicit ESMTP_TLS_REQUIRED=$must \
		    COURIERTLS=/usr/bin/couriertls \
		    TLS_CERTFILE="$certs/$cert.both" TLS_VERIFYPEER=NONE \
		    TLS_PRIORITY=NORMAL TLS_CACHEFILE= "$@" \
		    /usr/sbin/couriertcpd -address="$addr" -maxprocs=40 \
		    -maxperip=40 -nodnslookup -noidentlookup "$port" \
		    "${server[@]}" Maildir >>"$logs/$name-$port.log" 2>&1 &
		disown
	done
}

# ---- small ones ----------------------------------------------------------------

# mailutils NAME ADDR PORT CERT|none no|ondemand|required|connection [TEXT]
mailutils()
{
	local name=$1 addr=$2 port=$3 cert=$4 mode=$5 conf
	local program=pop3d

	wanted "$name" "$addr" || return 0
	case $port in 143|993) program=imap4d ;; esac
	conf=$LAB_DIR/etc/$name-$port.conf
	{
		cat <<-END
		mode daemon;
		pidfile $LAB_DIR/run/$name-$port.pid;
		transcript no;
		logging { facility mail; syslog no; };
		server $addr:$port {
		  single-process no;
		  tls-mode $mode;
		};
		END
		if [ "$cert" != none ]; then
			cat <<-END
			tls {
			  ssl-certificate-file $certs/$cert.pem;
			  ssl-key-file $certs/$cert.key;
			};
			END
		fi
		printf '%s\n' "${6:-}"
	} >"$conf"
	install -m 0600 "$certs/$cert.key" "$LAB_DIR/etc/$name.key" 2>&- || :
	sed -i "s|$certs/$cert.key|$LAB_DIR/etc/$name.key|" "$conf"
	"/usr/sbin/$program" --config-file="$conf" --foreground --no-site-config \
	    >>"$logs/$name.log" 2>&1 &
	disown
}

# nginx NAME ADDR on|only|off CERT [TEXT]
nginx()
{
	local name=$1 addr=$2 starttls=$3 cert=$4 conf=$LAB_DIR/etc/$1.conf
	local proto ports port ssl

	wanted "$name" "$addr" || return 0
	mkdir -p "$LAB_DIR/run/$name"
	{
		cat <<-END
		load_module /usr/lib/nginx/modules/ngx_mail_module.so;
		user www-data;
		worker_processes 1;
		daemon off;
		pid $LAB_DIR/run/$name.pid;
		error_log $logs/$name.log;
		events { worker_connections 128; }
		mail {
		server_name $name.lab.test;
		auth_http 127.0.0.1:9/none;
		ssl_certificate $certs/$cert.pem;
		ssl_certificate_key $certs/$cert.key;
		${5:-}
		END
		for proto in "pop3 110 995" "imap 143 993" "smtp 25 465"; do
			ports=${proto#* }
			port=${ports% *} ssl=${ports#* } proto=${proto%% *}
			cat <<-END
			server {
			  listen $addr:$port;
			  protocol $proto;
			  starttls $starttls;
			}
			server {
			  listen $addr:$ssl ssl;
			  protocol $proto;
			}
			END
		done
		echo "}"
	} >"$conf"
	/usr/sbin/nginx -c "$conf" -e "$logs/$name.log" \
	    >>"$logs/$name.log" 2>&1 &
	disown
}

# opensmtpd NAME ADDR CERT|none "PORT [LISTEN OPTIONS]" ...
opensmtpd()
{
	local name=$1 addr=$2 cert=$3 conf=$LAB_DIR/etc/$1.conf spool listen

	wanted "$name" "$addr" || return 0
	shift 3
	{
		if [ "$cert" != none ]; then
			install -m 0600 "$certs/$cert.key" "$LAB_DIR/etc/$name.key"
			echo "pki lab cert \"$certs/$cert.pem\""
			echo "pki lab key \"$LAB_DIR/etc/$name.key\""
		fi
		echo 'table users { "nobody" = "*" }'
		for listen; do
			echo "listen on $addr port $listen hostname $name.lab.test"
		done
		echo 'action void mda "/usr/bin/false" user nobody'
		echo 'match from any for local action void'
	} >"$conf"
	# Its spool has a fixed place: each has a mount namespace of its own.
	spool=$LAB_DIR/run/$name
	mkdir -p "$spool"
	chmod 0711 "$spool"
	unshare --mount bash -c '
	mkdir -p /var/spool/smtpd && mount --bind "$1" /var/spool/smtpd &&
	mount -t tmpfs run /var/run && exec smtpd -d -f "$2"' \
	    bash "$spool" "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# sendmail NAME ADDR CERT|none DAEMON_OPTIONS [M4 TEXT]
sendmail()
{
	local name=$1 addr=$2 cert=$3 etc=$LAB_DIR/etc/$1 option

	wanted "$name" "$addr" || return 0
	mkdir -p "$etc" "$LAB_DIR/run/$name"
	{
		echo "include(\`/usr/share/sendmail/cf/m4/cf.m4')"
		echo "OSTYPE(\`linux')"
		echo "define(\`confDOMAIN_NAME', \`$name.lab.test')"
		echo "define(\`QUEUE_DIR', \`$LAB_DIR/run/$name')"
		echo "define(\`STATUS_FILE', \`$etc/statistics')"
		echo "define(\`confPID_FILE', \`$etc/pid')"
		echo "define(\`confDONT_BLAME_SENDMAIL', \`GroupReadableKeyFile')"
		echo "define(\`confTO_IDENT', \`0')"
		if [ "$cert" != none ]; then
			install -m 0600 "$certs/$cert.key" "$etc/key"
			echo "define(\`confSERVER_CERT', \`$certs/$cert.pem')"
			echo "define(\`confSERVER_KEY', \`$etc/key')"
			echo "define(\`confCACERT', \`$certs/ca.pem')"
			echo "define(\`confCACERT_PATH', \`$certs')"
		fi
		echo "FEATURE(\`no_default_msa')"
		for option in $4; do
			echo "DAEMON_OPTIONS(\`Addr=$addr, $option')"
		done
		printf '%s\n' "${5:-}"
		echo "MAILER(\`local')"
		echo "MAILER(\`smtp')"
	} >"$etc/sendmail.mc"
	m4 -D_CF_DIR_=/usr/share/sendmail/cf/ "$etc/sendmail.mc" \
	    >"$etc/sendmail.cf" 2>"$logs/$name.log"
	/usr/libexec/sendmail/sendmail -bD -C "$etc/sendmail.cf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# cyrus NAME ADDR "PORTS" CERT|none [OPTION ...]	of imapd.conf
cyrus()
{
	local name=$1 addr=$2 ports=$3 cert=$4 etc=$LAB_DIR/etc/$1 port dir
	local run=$LAB_DIR/run/$1 service

	wanted "$name" "$addr" || return 0
	shift 4
	mkdir -p "$etc" "$run"/{lib,mail,proc,lock,socket}
	{
		cat <<-END
		configdirectory: $run/lib
		proc_path: $run/proc
		mboxname_lockpath: $run/lock
		defaultpartition: default
		partition-default: $run/mail
		servername: $name.lab.test
		sasl_pwcheck_method: auxprop
		syslog_prefix: $name
		lmtpsocket: $run/socket/lmtp
		idlesocket: $run/socket/idle
		notifysocket: $run/socket/notify
		END
		if [ "$cert" != none ]; then
			install -o cyrus -m 0600 "$certs/$cert.key" "$etc/key"
			echo "tls_server_cert: $certs/$cert.pem"
			echo "tls_server_key: $etc/key"
		fi
		printf '%s\n' "$@"
	} >"$etc/imapd.conf"
	{
		echo "START {"
		echo "  recover cmd=\"/usr/lib/cyrus/bin/ctl_cyrusdb -C $etc/imapd.conf -r\""
		echo "}"
		echo "SERVICES {"
		for port in $ports; do
			case $port in
			110)	service=pop3d ;;
			995)	service="pop3d -s" ;;
			143)	service=imapd ;;
			993)	service="imapd -s" ;;
			25)	service="lmtpd -a" ;;
			esac
			echo "  p$port cmd=\"/usr/lib/cyrus/bin/${service%% *} -C $etc/imapd.conf ${service#"${service%% *}"}\" listen=\"$addr:$port\" prefork=0"
		done
		echo "}"
		echo "EVENTS {"
		echo "}"
	} >"$etc/cyrus.conf"
	chown -R cyrus:cyrus "$run"
	/usr/lib/cyrus/bin/master -D -p "$run/pid" -C "$etc/imapd.conf" \
	    -M "$etc/cyrus.conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# perdition NAME ADDR PORT PROTOCOL CERT [OPTION ...]
perdition()
{
	local name=$1 addr=$2 port=$3 proto=$4 cert=$5

	wanted "$name" "$addr" || return 0
	shift 5
	/usr/sbin/perdition --no_daemon --protocol "$proto" \
	    --bind_address "$addr" --listen_port "$port" \
	    --outgoing_server 127.0.0.1 --no_lookup --config_file /dev/null \
	    --pid_file "$LAB_DIR/run/$name-$port.pid" \
	    --ssl_cert_file "$certs/$cert.pem" \
	    --ssl_key_file "$certs/$cert.key" \
	    "$@" >>"$logs/$name-$port.log" 2>&1 </dev/null &
	disown
}

# stunnel NAME ADDR PORT BACKEND-ADDR CERT [TEXT]: TLS in front of another
stunnel()
{
	local name=$1 addr=$2 port=$3 back=$4 cert=$5 conf

	wanted "$name" "$addr" || return 0
	conf=$LAB_DIR/etc/$name-$port.conf
	printf '%s\n' "foreground = yes" "syslog = no" "pid =" "[lab]" \
	    "accept = $addr:$port" "connect = $back" \
	    "cert = $certs/$cert.pem" "key = $certs/$cert.key" "${6:-}" >"$conf"
	stunnel4 "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# haproxy NAME ADDR CERT "PORT BACKEND" ...: the same, several ports
haproxy()
{
	local name=$1 addr=$2 cert=$3 conf=$LAB_DIR/etc/$1.conf pair

	wanted "$name" "$addr" || return 0
	shift 3
	{
		printf '%s\n' defaults "  mode tcp" "  timeout connect 5s" \
		    "  timeout client 60s" "  timeout server 60s"
		for pair; do
			printf '%s\n' "listen p${pair% *}" \
			    "  bind $addr:${pair% *} ssl crt $certs/$cert.both" \
			    "  server s ${pair#* }"
		done
	} >"$conf"
	/usr/sbin/haproxy -db -f "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# chasquid NAME ADDR CERT
chasquid()
{
	local name=$1 addr=$2 cert=$3 etc=$LAB_DIR/etc/$1

	wanted "$name" "$addr" || return 0
	mkdir -p "$etc/certs/lab.test" "$etc/domains/lab.test" "$LAB_DIR/run/$name"
	cp "$certs/$cert.pem" "$etc/certs/lab.test/fullchain.pem"
	cp "$certs/$cert.key" "$etc/certs/lab.test/privkey.pem"
	cat >"$etc/chasquid.conf" <<-END
	hostname: "$name.lab.test"
	smtp_address: "$addr:25"
	submission_address: "$addr:587"
	submission_over_tls_address: "$addr:465"
	data_dir: "$LAB_DIR/run/$name"
	mail_log_path: "<stdout>"
	END
	/usr/bin/chasquid -config_dir="$etc" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# qpsmtpd NAME ADDR "PORTS" CERT|none
qpsmtpd()
{
	local name=$1 addr=$2 cert=$4 etc=$LAB_DIR/etc/$1 port args=()

	wanted "$name" "$addr" || return 0
	mkdir -p "$etc"
	echo /usr/share/qpsmtpd/plugins >"$etc/plugin_dirs"
	echo "$name.lab.test" >"$etc/me"
	install -d -o qpsmtpd -m 0700 "$LAB_DIR/run/$name"
	echo "$LAB_DIR/run/$name" >"$etc/spool_dir"
	{
		[ "$cert" = none ] || echo "tls $certs/$cert.pem $certs/$cert.key $certs/ca.pem"
		echo "auth/auth_flat_file"
		echo "rcpt_ok"
	} >"$etc/plugins"
	echo 6 >"$etc/loglevel"
	for port in $3; do args+=(--port "$port"); done
	QPSMTPD_CONFIG=$etc /usr/bin/qpsmtpd-forkserver \
	    --listen-address "$addr" "${args[@]}" --user qpsmtpd \
	    --limit-connections 40 --max-from-ip 40 --no-rdns \
	    >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# dovecot_submission NAME ADDR CERT|none [TEXT]
dovecot_submission()
{
	local name=$1 addr=$2 cert=$3 conf=$LAB_DIR/etc/$1.conf ssl=yes

	wanted "$name" "$addr" || return 0
	[ "$cert" != none ] || ssl=no
	cat >"$conf" <<-END
	base_dir = $LAB_DIR/run/$name
	state_dir = $LAB_DIR/run/$name
	instance_name = $name
	log_path = $logs/$name.log
	listen = $addr
	protocols = submission
	hostname = $name.lab.test
	submission_relay_host = 127.0.0.1
	auth_mechanisms = plain login
	passdb {
	  driver = passwd-file
	  args = /dev/null
	}
	userdb {
	  driver = passwd-file
	  args = /dev/null
	}
	service submission-login {
	  inet_listener submission {
	    port = 587
	  }
	  inet_listener submissions {
	    port = $([ "$ssl" = no ] && echo 0 || echo 465)
	    ssl = $(case $name in *clear) echo no ;; *) echo yes ;; esac)
	  }
	}
	ssl = $ssl
	END
	if [ "$ssl" = yes ]; then
		printf '%s\n' "ssl_cert = <$certs/$cert.pem" \
		    "ssl_key = <$certs/$cert.key" >>"$conf"
	fi
	printf '%s\n' "${4:-}" >>"$conf"
	/usr/sbin/dovecot -F -c "$conf" >>"$logs/$name.out" 2>&1 </dev/null &
	disown
}

# postscreen NAME ADDR CERT|none: one a laboratory; a teaser line, a pause of
# six seconds, then the last line of the greeting
postscreen()
{
	local name=$1 addr=$2 cert=$3 etc=$LAB_DIR/etc/postfix level=may

	wanted "$name" "$addr" || return 0
	[ "$cert" != none ] || level=none
	mkdir -p "$etc"
	cat >>"$etc/master.cf" <<-END
	$addr:25 inet n - n - 1 postscreen
	  -o smtpd_service_name=$name
	  -o postscreen_cache_map=internal:$name
	  -o postscreen_tls_security_level=$level
	  -o smtpd_tls_chain_files=$certs/$cert.key,$certs/$cert.pem
	$name pass - - n - - smtpd
	  -o syslog_name=$name
	  -o smtpd_tls_security_level=$level
	  -o smtpd_tls_chain_files=$certs/$cert.key,$certs/$cert.pem
	tlsproxy unix - - n - 0 tlsproxy
	  -o smtpd_tls_security_level=$level
	  -o smtpd_tls_chain_files=$certs/$cert.key,$certs/$cert.pem
	dnsblog unix - - n - 0 dnsblog
	END
}

# imapproxy NAME ADDR BACKEND: learns from the server behind it as it starts
imapproxy()
{
	local name=$1 addr=$2 back=$3 conf=$LAB_DIR/etc/$1.conf

	wanted "$name" "$addr" || return 0
	cat >"$conf" <<-END
	server_hostname $back
	connect_retries 20
	connect_delay 1
	cache_size 64
	listen_port 143
	listen_address $addr
	server_port 143
	cache_expiration_time 300
	proc_username nobody
	proc_groupname nogroup
	stat_filename $LAB_DIR/run/$name.stat
	protocol_log_filename $logs/$name.protocol
	syslog_facility LOG_MAIL
	send_tcp_keepalives no
	enable_select_cache no
	foreground_mode yes
	force_tls no
	END
	/usr/sbin/imapproxyd -f "$conf" -p "$LAB_DIR/run/$name.pid" \
	    >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# proxsmtp NAME ADDR BACKEND:PORT
proxsmtp()
{
	local name=$1 addr=$2 back=$3 conf=$LAB_DIR/etc/$1.conf

	wanted "$name" "$addr" || return 0
	printf '%s\n' "Listen: $addr:25" "OutAddress: $back" \
	    "FilterCommand: /bin/cat" "FilterType: pipe" >"$conf"
	/usr/sbin/proxsmtpd -d 4 -f "$conf" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# inetsim NAME ADDR CERT
inetsim()
{
	local name=$1 addr=$2 cert=$3 conf=$LAB_DIR/etc/$1.conf
	local share=/usr/share/inetsim run=$LAB_DIR/run/$1 service

	wanted "$name" "$addr" || return 0
	mkdir -p "$run"
	cp -r /var/lib/inetsim "$run/data" 2>/dev/null || mkdir -p "$run/data"
	mkdir -p "$run/data/certs" "$run/log" "$run/report"
	cp "$certs/$cert.pem" "$run/data/certs/cert.pem"
	cp "$certs/$cert.key" "$run/data/certs/key.pem"
	{
		for service in smtp smtps pop3 pop3s; do
			echo "start_service $service"
		done
		echo "service_bind_address $addr"
		for service in smtp smtps pop3 pop3s; do
			echo "${service}_ssl_keyfile key.pem"
			echo "${service}_ssl_certfile cert.pem"
		done
	} >"$conf"
	chown -R inetsim:inetsim "$run"
	/usr/bin/inetsim --config "$conf" --data-dir "$run/data" \
	    --log-dir "$run/log" --report-dir "$run/report" \
	    --pidfile "$run/pid" >>"$logs/$name.log" 2>&1 </dev/null &
	disown
}

# shellcheck source=test/lab/foreign-more.sh
. "$LAB_HERE/foreign-more.sh"
# shellcheck source=test/lab/foreign-setups.sh
. "$LAB_HERE/foreign-setups.sh"
