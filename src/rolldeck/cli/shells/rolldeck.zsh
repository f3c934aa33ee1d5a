#compdef rolldeck
# Completion of rolldeck for zsh: rolldeck itself says what fits.
_rolldeck() {
    local -a answer found
    local kind line value
    answer=("${(@f)$(command rolldeck __complete "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    kind=${answer[1]%%$'\t'*}
    for line in "${answer[@]:1}"; do
        value=${line%%$'\t'*}
        found+=("${value//:/\\:}:${line#*$'\t'}")
    done
    (( $#found )) && _describe -V rolldeck found
    case $kind in
        files) _files ;;
        directories) _files -/ ;;
    esac
}
if [[ $funcstack[1] == _rolldeck ]]; then
    _rolldeck "$@"
else
    compdef _rolldeck rolldeck
fi
