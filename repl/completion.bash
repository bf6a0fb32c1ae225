
# Offers the inputs of the script that the command line runs.
_virhai_with_inputs() {
    local word script=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word == *.rhai && -f $word ]]; then script=$word; break; fi
    done
    if [[ -n $script && $2 == -* ]]; then
        COMPREPLY=( $(compgen -W "$("$1" --offer-inputs "$script" 2>/dev/null)" -- "$2") )
    elif [[ -n $script && $3 == --* ]]; then
        COMPREPLY=( $(compgen -W "$("$1" --offer-inputs "$script" "$3" 2>/dev/null)" -- "$2") )
    else
        _virhai "$@"
    fi
}
complete -F _virhai_with_inputs -o bashdefault -o default virhai
