# Completion of rolldeck for bash: rolldeck itself says what fits.
_rolldeck() {
    local IFS=$'\n' answer=() kind word prefix
    COMPREPLY=()
    mapfile -t answer < <(command rolldeck __complete "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    ((${#answer[@]})) || return 0
    kind=${answer[0]%%$'\t'*}
    word=${answer[0]#*$'\t'}
    answer=("${answer[@]:1}")
    answer=("${answer[@]%%$'\t'*}")
    # bash replaces only what follows the last of COMP_WORDBREAKS, unless the word is quoted.
    if [[ ${COMP_WORDS[COMP_CWORD]} != [\"\']* ]]; then
        prefix=${word%"${word##*["$COMP_WORDBREAKS"]}"}
        answer=("${answer[@]#"$prefix"}")
    fi
    COMPREPLY=("${answer[@]}")
    if [[ $kind == files ]]; then
        ((${#answer[@]})) || compopt -o filenames
        COMPREPLY+=($(compgen -f -- "$2"))
    elif [[ $kind == directories ]]; then
        ((${#answer[@]})) || compopt -o filenames
        COMPREPLY+=($(compgen -d -- "$2"))
    fi
}
complete -F _rolldeck rolldeck
