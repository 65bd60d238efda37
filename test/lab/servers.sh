# Sourced by target: the set-ups.  What a scanner must say of each is written
# down by hand in servers.tsv, not derived from here.

certs=$LAB_DIR/certs
logs=$LAB_DIR/logs

start_servers()
{
	: >"$LAB_DIR/started"
	mkdir -p "$LAB_DIR/etc" "$LAB_DIR/run"
	bind_ipv6
	weak_openssl
	setups
	postfix_start
	wait
}

# wanted NAME ADDR: whether it is to be started; notes that it was
wanted()
{
	if [ -n "${LAB_SERVERS:-}" ]; then
		case ",$LAB_SERVERS," in *",$1,"*) ;; *) return 1 ;; esac
	fi
	if [ -n "${LAB_ONLY6:-}" ]; then
		case $2 in *:*) ;; *) return 1 ;; esac
	fi
	echo "$1" >>"$LAB_DIR/started"
}

# An IPv4 address can be bound by its local route alone, an IPv6 one cannot.
bind_ipv6()
{
	local addr

	for addr in $(awk -F '\t' '$2 ~ /:/ { print $2 }' \
	    "$LAB_DIR/servers.tsv" | sort -u); do
		ip -6 addr add "$addr/128" dev lo nodad
	done
}

# OpenSSL as Debian ships it would refuse the weak set-ups.
weak_openssl()
{
	local max

	for max in TLSv1 TLSv1.3; do
		cat >"$LAB_DIR/etc/openssl-$max.cnf" <<-END
		openssl_conf = init
		[init]
		ssl_conf = modules
		[modules]
		system_default = defaults
		[defaults]
		MinProtocol = TLSv1
		MaxProtocol = $max
		CipherString = DEFAULT:@SECLEVEL=0
		END
	done
}

# dovecot NAME ADDR "PORTS" CERT|none [SETTINGS]
dovecot()
{
	local name=$1 addr=$2 cert=$4 conf=$LAB_DIR/etc/$1.conf max=TLSv1.3
	local p110=0 p143=0 p993=0 p995=0 port

	wanted "$name" "$addr" || return 0
	for port in $3; do
		printf -v "p$port" %s "$port"
	done
	{
		cat <<-END
		base_dir = $LAB_DIR/run/$name
		state_dir = $LAB_DIR/run/$name
		instance_name = $name
		log_path = $logs/$name.log
		login_log_format_elements = user=<%u> rip=%r lip=%l lport=%a %c
		listen = $addr
		protocols = pop3 imap
		mail_location = maildir:/nonexistent
		import_environment = \$import_environment OPENSSL_CONF
		auth_mechanisms = plain login
		passdb {
		  driver = passwd-file
		  args = /dev/null
		}
		userdb {
		  driver = passwd-file
		  args = /dev/null
		}
		service pop3-login {
		  inet_listener pop3 {
		    port = $p110
		  }
		  inet_listener pop3s {
		    port = $p995
		  }
		}
		service imap-login {
		  inet_listener imap {
		    port = $p143
		  }
		  inet_listener imaps {
		    port = $p993
		  }
		}
		END
		if [ "$cert" = none ]; then
			echo "ssl = no"
		else
			cat <<-END
			ssl = yes
			ssl_cert = <$certs/$cert.pem
			ssl_key = <$certs/$cert.key
			ssl_cipher_list = ALL:!aNULL:!eNULL:@SECLEVEL=0
			END
		fi
		printf '%b\n' "${5:-}"
	} >"$conf"
	case $name in *tls10*) max=TLSv1 ;; esac
	OPENSSL_CONF=$LAB_DIR/etc/openssl-$max.cnf \
	    /usr/sbin/dovecot -c "$conf" &
}

# All of Postfix is one instance with a listener for each set-up:
# postfix NAME ADDR PORT CERT|none [SETTINGS, one an argument]
postfix()
{
	local name=$1 addr=$2 port=$3 cert=$4 set level=may implicit=no
	local master=$LAB_DIR/etc/postfix/master.cf

	wanted "$name" "$addr" || return 0
	shift 4
	mkdir -p "$LAB_DIR/etc/postfix"
	case $addr in *:*) addr="[$addr]" ;; esac
	[ "$cert" != none ] || level=none
	[ "$port" != 465 ] || implicit=yes
	{
		echo "$addr:$port inet n - n - - smtpd"
		echo "  -o syslog_name=$name"
		echo "  -o myhostname=$name.lab.test"
		echo "  -o smtpd_tls_security_level=$level"
		echo "  -o smtpd_tls_wrappermode=$implicit"
		if [ "$cert" != none ]; then
			echo "  -o smtpd_tls_chain_files=$certs/$cert.key,$certs/$cert.pem"
		fi
		if [ "$port" != 25 ]; then
			echo "  -o smtpd_sasl_auth_enable=yes"
		fi
		for set in "$@"; do
			echo "  -o { $set }"
		done
	} >>"$master"
}

postfix_start()
{
	local etc=$LAB_DIR/etc/postfix queue=$LAB_DIR/run/postfix dir

	[ -f "$etc/master.cf" ] || return 0
	cat >"$etc/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $queue
	data_directory = $LAB_DIR/run/postfix-data
	daemon_directory = /usr/lib/postfix/sbin
	command_directory = /usr/sbin
	shlib_directory = /usr/lib/postfix
	meta_directory = /etc/postfix
	mail_owner = postfix
	setgid_group = postdrop
	maillog_file = $logs/postfix.log
	maillog_file_prefixes = $logs
	inet_protocols = all
	mynetworks = 127.0.0.0/8
	mydestination =
	alias_maps =
	local_recipient_maps =
	smtpd_peername_lookup = no
	smtpd_relay_restrictions = reject
	smtpd_recipient_restrictions = reject
	smtpd_client_connection_count_limit = 0
	smtpd_sasl_type = dovecot
	smtpd_sasl_path = $LAB_DIR/run/sasl/auth-smtp
	smtpd_tls_auth_only = yes
	smtpd_tls_protocols = >=TLSv1
	smtpd_tls_mandatory_protocols = >=TLSv1
	smtpd_tls_ciphers = low
	smtpd_tls_mandatory_ciphers = low
	tls_low_cipherlist = ALL:!aNULL:@SECLEVEL=0
	smtpd_tls_loglevel = 1
	END
	cat >>"$etc/master.cf" <<-END
	anvil unix - - n - 1 anvil
	rewrite unix - - n - - trivial-rewrite
	tlsmgr unix - - n 1000? 1 tlsmgr
	proxymap unix - - n - - proxymap
	cleanup unix n - n - 0 cleanup
	postlog unix-dgram n - n - 1 postlogd
	END
	for dir in active bounce corrupt defer deferred flush hold incoming \
	    private saved trace; do
		install -d -o postfix -m 0700 "$queue/$dir"
	done
	install -d -m 0755 "$queue/pid"
	install -d -o postfix -g postdrop -m 0710 "$queue/public"
	install -d -o postfix -g postdrop -m 0730 "$queue/maildrop"
	install -d -o postfix -m 0700 "$LAB_DIR/run/postfix-data"
	sasl_start
	OPENSSL_CONF=$LAB_DIR/etc/openssl-TLSv1.3.cnf MAIL_CONFIG=$etc \
	    /usr/lib/postfix/sbin/master -c "$etc" -w
}

# Postfix asks a Dovecot without listeners for its mechanisms.
sasl_start()
{
	local conf=$LAB_DIR/etc/sasl.conf

	cat >"$conf" <<-END
	base_dir = $LAB_DIR/run/sasl
	state_dir = $LAB_DIR/run/sasl
	instance_name = sasl
	log_path = $logs/sasl.log
	protocols =
	ssl = no
	disable_plaintext_auth = no
	auth_mechanisms = plain login
	passdb {
	  driver = passwd-file
	  args = /dev/null
	}
	service auth {
	  unix_listener auth-smtp {
	    mode = 0666
	  }
	}
	END
	/usr/sbin/dovecot -c "$conf"
}

# exim NAME ADDR "PORTS" CERT|none [SETTING=VALUE ...]
#	login=tls|always|never	when AUTH is on offer, port 25 excepted
#	connect=TEXT		modifiers and verb of the connect ACL
exim()
{
	local name=$1 addr=$2 ports=$3 cert=$4 conf=$LAB_DIR/etc/$1.conf
	local login=tls connect=accept main= set condition

	wanted "$name" "$addr" || return 0
	shift 4
	for set in "$@"; do
		case $set in
		login=*)	login=${set#*=} ;;
		connect=*)	connect=${set#*=} ;;
		*)		main+=$set$'\n' ;;
		esac
	done
	case $login in
	tls)	condition='${if and{{!={$received_port}{25}}{def:tls_in_cipher}}}' ;;
	always)	condition='${if !={$received_port}{25}}' ;;
	never)	condition=false ;;
	esac
	{
		cat <<-END
		primary_hostname = $name.lab.test
		local_interfaces = <; $addr
		daemon_smtp_ports = <; ${ports// / ; }
		tls_on_connect_ports = 465
		spool_directory = $LAB_DIR/run/$name
		log_file_path = $logs/$name-%slog
		log_selector = +smtp_connection +incoming_port +tls_cipher
		pid_file_path = $LAB_DIR/run/$name.pid
		rfc1413_hosts =
		host_lookup =
		smtp_accept_max = 200
		acl_smtp_connect = on_connect
		acl_smtp_mail = never
		END
		if [ "$cert" = none ]; then
			echo "tls_advertise_hosts ="
		else
			cat <<-END
			tls_advertise_hosts = *
			tls_certificate = $certs/$cert.pem
			tls_privatekey = $certs/$cert.key
			END
		fi
		printf '%b' "$main"
		printf '\nbegin acl\non_connect:\n%b\n' "$connect"
		printf 'never:\n  deny\n\nbegin authenticators\n'
		for set in PLAIN LOGIN; do
			cat <<-END
			auth_$set:
			  driver = plaintext
			  public_name = $set
			  server_prompts = :
			  server_condition = false
			  server_advertise_condition = $condition
			END
		done
	} >"$conf"
	install -d -o Debian-exim -g Debian-exim -m 0750 "$LAB_DIR/run/$name"
	touch "$logs/$name-"{main,reject,panic}log
	chown Debian-exim:Debian-exim "$logs/$name-"*log
	/usr/sbin/exim4 -bd -C "$conf" &
}

# A listener that says nothing.
silent()
{
	wanted "$1" "$2" || return 0
	"$LAB_DIR/bin/silent" "$2" $3 >"$logs/$1.log" 2>&1 &
	disown
}

# shellcheck source=test/lab/setups.sh
. "$LAB_HERE/setups.sh"
