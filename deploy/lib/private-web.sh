#!/bin/bash
# The private web servers; sourced by private.sh, which says what they are.
# Their configuration is made of the snippets in deploy/lighttpd, apache and
# nginx, with this place's paths.

# Print a snippet with the paths of DIR, and what only the caller knows.
private_web_snippet() {
	local file=$1 dir=$2 program=$3
	sed -e "s|/run/devcred/fcgi.sock|$dir/fcgi.sock|g" \
	    -e "s|/usr/libexec/devcred/devcred.fcgi|$program|g" \
	    -e "s|/etc/devcred/devcred.conf|$dir/devcred.conf|g" \
	    -e "s|/var/www/html|$dir/web/root|g" \
	    -e "s|/usr/share/devcred/www|$dir/web/www|g" \
	    -e "${PRIVATE_WEB_EDIT-}" \
	    "$PRIVATE_TOP/deploy/$file"
}

# Print what has a server show the page, unless the snippet is one that only
# protects places of somebody else's: SERVER DIR PORT SNIPPET PROGRAM.
private_web_shown() {
	case $4 in
	auth* | fcgid-authenticator.conf) echo ;;
	*) private_web_snippet "$1/page.conf" "$2" "$5" ;;
	esac
}

# Each of these prints a server's configuration: DIR PORT SNIPPET PROGRAM.

private_web_lighttpd() {
	cat <<-END
	server.bind = "127.0.0.1"
	server.port = $2
	server.document-root = "$1/web/root"
	server.errorlog = "$1/web/error.log"
	server.upload-dirs = ( "$1/web/tmp" )
	server.modules = ()
	END
	if private_is_root; then
		printf 'server.%s = "%s"\n' username "$PRIVATE_USER" \
		    groupname "$(id -gn "$PRIVATE_USER")"
	fi
	private_web_snippet "lighttpd/$3" "$1" "$4"
	private_web_shown lighttpd "$@"
}

private_web_apache() {
	local module
	cat <<-END
	ServerName 127.0.0.1
	Listen 127.0.0.1:$2
	ServerRoot "$1/web"
	DefaultRuntimeDir "$1/web/tmp"
	PidFile "$1/web/apache.pid"
	DocumentRoot "$1/web/root"
	ErrorLog "$1/web/error.log"
	END
	for module in mpm_event authn_core authz_core authz_user auth_basic \
	    alias env headers reqtimeout proxy proxy_fcgi cgid fcgid \
	    authnz_fcgi dbd authn_dbd unique_id; do
		if [ -e "/usr/lib/apache2/modules/mod_$module.so" ]; then
			echo "LoadModule ${module}_module" \
			    "/usr/lib/apache2/modules/mod_$module.so"
		fi
	done
	cat <<-END
	<IfModule cgid_module>
		ScriptSock "$1/web/cgid.sock"
	</IfModule>
	<IfModule fcgid_module>
		FcgidIPCDir "$1/web/tmp"
		FcgidProcessTableFile "$1/web/tmp/fcgid"
	</IfModule>
	END
	if private_is_root; then
		echo "User $PRIVATE_USER"
		echo "Group $(id -gn "$PRIVATE_USER")"
	fi
	private_web_snippet "apache/$3" "$1" "$4"
	private_web_shown apache "$@"
}

private_web_nginx() {
	local kind
	private_web_shown nginx "$@" >"$1/web/page.conf" || return
	if private_is_root; then
		echo "user $PRIVATE_USER $(id -gn "$PRIVATE_USER");"
	fi
	cat <<-END
	daemon off;
	pid $1/web/nginx.pid;
	error_log $1/web/error.log;
	events {
	}
	http {
		access_log off;
		${PRIVATE_NGINX_OPTIONS-}
	END
	for kind in client_body fastcgi proxy scgi uwsgi; do
		echo "	${kind}_temp_path $1/web/tmp/$kind;"
	done
	private_web_snippet "nginx/$3" "$1" "$4" |
	    sed -e "s|listen 80;|listen 127.0.0.1:$2;|" \
	        -e "s|server_name .*;|root $1/web/root;\
	include $1/web/page.conf;|"
	echo "}"
}

# Print the program, the snippet and the arguments of a kind; the last of them
# is the configuration.
private_web_kind() {
	local conf=$2/web/server.conf
	case $1 in
	lighttpd)     echo "lighttpd fastcgi.conf -D -f $conf" ;;
	lighttpd-cgi) echo "lighttpd cgi.conf -D -f $conf" ;;
	apache)       echo "apache2 proxy-fcgi.conf -D FOREGROUND -f $conf" ;;
	apache-fcgid) echo "apache2 fcgid.conf -D FOREGROUND -f $conf" ;;
	apache-cgid)  echo "apache2 cgid.conf -D FOREGROUND -f $conf" ;;
	nginx)        echo "nginx devcred.conf -e $2/web/error.log -c $conf" ;;
	# those that protect files of their own with logins of devices
	lighttpd-authorizer)
		echo "lighttpd authorizer.conf -D -f $conf" ;;
	lighttpd-dbi) echo "lighttpd authn-dbi.conf -D -f $conf" ;;
	apache-authnz)
		echo "apache2 authnz-fcgi.conf -D FOREGROUND -f $conf" ;;
	apache-authenticator)
		echo "apache2 fcgid-authenticator.conf -D FOREGROUND -f $conf" ;;
	apache-dbd)   echo "apache2 authn-dbd.conf -D FOREGROUND -f $conf" ;;
	nginx-auth)
		echo "nginx auth-request.conf -e $2/web/error.log -c $conf" ;;
	*)            private_fail "$1: no kind of web server" ;;
	esac
}

private_web_pid() {
	private_alive "$1/web.pid" "$1/web/server.conf"
}

# Whether somebody accepts connections on a port.
private_web_port() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Put the page into DIR, where the server's user can read it: the tree may be
# closed to others.
private_web_page() {
	local dir=$1
	mkdir -p "$dir/web/www" &&
	    cp -R "$PRIVATE_TOP/www/." "$dir/web/www" &&
	    chmod 755 "$dir/web" && chmod -R a+rX "$dir/web/www"
}

# Make what the server needs in DIR: KIND DIR PORT SNIPPET PROGRAM.
private_web_make() {
	local dir=$2
	mkdir -p "$dir/web/root" "$dir/web/tmp" &&
	    touch "$dir/web/error.log" &&
	    chmod 755 "$dir/web" "$dir/web/root" || return
	# its own: after a reboot the number may be somebody else's
	rm -f "$dir/web/apache.pid"
	if private_is_root; then
		chown "$PRIVATE_USER:" "$dir/web/tmp" "$dir/web/error.log" ||
		    return
	fi
	"private_web_${1%%-*}" "$dir" "$3" "$4" "$5" >"$dir/web/server.conf"
}

private_web_start() {
	local kind=$1 dir=$2 port=$3 program server running=''
	local -a word
	private_prepare "$dir" && program=$(private_program) &&
	    private_conf "$dir" && private_web_page "$dir" &&
	    server=$(private_web_kind "$kind" "$dir") || return
	read -r -a word <<<"$server"
	if private_web_pid "$dir" >/dev/null; then
		read -r running <"$dir/web/kind" || true
		if [ "$running" = "$kind $port" ]; then
			return
		fi
	fi
	private_web_stop "$dir"		# another kind, or what a crash left
	# /usr/sbin need not be in the path of who is not root
	if ! server=$(PATH=$PATH:/usr/sbin command -v "${word[0]}"); then
		private_fail "${word[0]} is not installed"
		return
	fi
	if private_web_port "$port"; then
		private_fail "port $port is in use by another program"
		return
	fi
	private_web_make "$kind" "$dir" "$port" "${word[1]}" "$program" ||
	    return
	(
		unset LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
		exec </dev/null >>"$dir/web/error.log" 2>&1
		exec setsid "$server" "${word[@]:2}"
	) &
	echo $! >"$dir/web.pid"
	echo "$kind $port" >"$dir/web/kind"
	private_wait "$PRIVATE_PATIENCE" private_settled $! \
	    private_web_port "$port" || true
	if ! private_web_pid "$dir" >/dev/null || ! private_web_port "$port"
	then
		tail -n 20 "$dir/web/error.log" >&2
		private_web_stop "$dir"
		private_fail "${word[0]} does not start; see" \
		    "$dir/web/error.log"
	fi
}

private_web_stop() {
	private_stop "$1/web.pid" "$1/web/server.conf" \
	    'lighttpd|apache2|nginx|devcred.fcgi'
}
