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
	# a line for each command, below it the verbs of a noun
	help=$("${words[0]}" --help 2>/dev/null | grep -v '^  devcredctl')
	if [ -z "$noun" ]; then
		help=$(sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' <<<"$help")
	elif grep -q "^  $noun .*[^:]\$" <<<"$help"; then
		verb=$noun	# it has none
		help=$("${words[0]}" "$noun" --help 2>/dev/null)
	elif [ -z "$verb" ]; then
		help=$(sed -n "/^  $noun .*:\$/{n;p;}" <<<"$help")
	else
		help=$("${words[0]}" "$noun" "$verb" --help 2>/dev/null)
	fi
	case $cur in
	-*) help=$(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help") ;;
	*) [ -z "$verb" ] || help='' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$help" -- "$cur")
	if [ "${#COMPREPLY[@]}" -eq 0 ] && [[ $cur != -* ]]; then
		_filedir
	fi
}
complete -F _devcredctl devcredctl
