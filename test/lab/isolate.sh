# Sourced: the checks that no packet can leave.

# The kernel puts these into every namespace while their module is loaded;
# down and without a peer they lead nowhere.
fallback_devices=' tunl0 sit0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 ip6tnl0
 ip6gre0 '

# Refuses any interface but the named ones.
only_interfaces()
{
	local line name

	while read -r line; do
		name=$(awk -F': ' '{ print $2 }' <<<"$line")
		name=${name%%@*}
		case " $* " in *" $name "*) continue ;; esac
		case $fallback_devices in
		*" $name "*)
			case $line in *[\<,]UP[,\>]*) ;; *) continue ;; esac
			;;
		esac
		echo "lab: interface $name is visible: not isolated" >&2
		exit 2
	done < <(ip -o link show)
}

no_default_route()
{
	local family

	for family in -4 -6; do
		if [ -n "$(ip $family route show table all default 2>/dev/null)" ]
		then
			echo "lab: a default route is visible: not isolated" >&2
			exit 2
		fi
	done
}
