# bash completion for devcredctl(8): nouns, verbs and options, as its --help
# tells them.

_devcredctl() {
	local cur prev words cword help noun verb i
	_init_completion || return
	if [ "$prev" = -c ]; then
		_filedir
		return
	fi
	# what stands before the word, without "-c FILE"
	noun='' verb=''
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-c) i=$((i + 1)) ;;
		-*) ;;
		*)
			if [ -z "$noun" ]; then
				noun=${words[i]}
			elif [ -z "$verb" ]; then
				verb=${words[i]}
			fi
			;;
		esac
	done
	help=$("${words[0]}" --help 2>/dev/null |
	    sed -n 's|^  devcredctl \(\[-c FILE] \)\{0,1\}||p' | cut -f 1)
	case $cur in
	-*)
		help=$(awk -v noun="$noun" -v verb="$verb" '
			$1 == noun && ($2 == verb || $2 !~ /^[a-z]/)' <<<"$help" |
		    grep -o -e '--[a-z-]*')
		;;
	*)
		if [ -z "$noun" ]; then
			help=$(awk '$1 ~ /^[a-z]/ { print $1 }' <<<"$help" |
			    sort -u)
		elif [ -z "$verb" ]; then
			help=$(awk -v noun="$noun" '
				$1 == noun && $2 ~ /^[a-z]/ { print $2 }
			' <<<"$help")
		else
			help=''
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$help" -- "$cur")
	if [ "${#COMPREPLY[@]}" -eq 0 ] && [[ $cur != -* ]]; then
		_filedir
	fi
}
complete -F _devcredctl devcredctl
