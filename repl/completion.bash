
# Offers those of the words that begin as the word to complete does, quoted: bash would expand the text of a script in
# `compgen -W`, and in the command line.
_virhai_offer() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        if [[ $word == "$1"* ]]; then
            printf -v word %q "$word"
            COMPREPLY+=( "$word" )
        fi
    done
}

# Makes bash quote the names of files: commands, options and their values need no quotes.
_virhai_quote_files() {
    local word
    for word in "${COMPREPLY[@]}"; do
        if [[ $word == *[!A-Za-z0-9_.,:/@%+=-]* ]]; then compopt -o filenames; break; fi
    done
}

# Offers the inputs of the script that the command line runs, names for `doc`, recorded runs, scripts for `run` and the like, and URIs.
_virhai_with_inputs() {
    local word script=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word == *.rhai && -f $word ]]; then script=$word; break; fi
    done
    if [[ -n $script && $2 == -* ]]; then
        _virhai_offer "$2" < <("$1" --offer inputs "$script" 2>/dev/null)
    elif [[ -n $script && $3 == --* ]]; then
        _virhai_offer "$2" < <("$1" --offer inputs "$script" "$3" 2>/dev/null)
    elif [[ $3 == -c || $3 == --connect ]]; then
        COMPREPLY=( $(compgen -W "qemu:///system qemu:///session test:///default" -- "$2") )
    elif [[ ${COMP_WORDS[1]} == doc && $COMP_CWORD == 2 && $2 != -* ]]; then
        _virhai_offer "$2" < <("$1" --offer names 2>/dev/null; compgen -d -- "$2")
    elif [[ ${COMP_WORDS[1]} =~ ^(show|resume|undo)$ && $2 != -* && $3 == "${COMP_WORDS[1]}" ]]; then
        _virhai_offer "$2" < <("$1" --offer runs 2>/dev/null)
    elif [[ ${COMP_WORDS[1]} =~ ^(run|check|twin|list|test)$ && $COMP_CWORD == 2 && $2 != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -X '!*.rhai' -- "$2"; compgen -d -- "$2")
        compopt -o filenames
    else
        _virhai "$@"
        _virhai_quote_files
    fi
}
complete -F _virhai_with_inputs -o bashdefault -o default virhai
