# Offers the inputs of the script that the command line runs.
functions[_virhai_without_inputs]=$functions[_virhai]
_virhai() {
    local script=${words[(r)*.rhai]} last=${words[CURRENT-1]}
    if [[ -f $script && $PREFIX == -* ]]; then
        compadd -- ${(f)"$($words[1] --offer-inputs $script 2>/dev/null)"}
    elif [[ -f $script && $last == --* ]]; then
        compadd -- ${(f)"$($words[1] --offer-inputs $script $last 2>/dev/null)"} || _files
    else
        _virhai_without_inputs "$@"
    fi
}

