# Offers the inputs of the script that the command line runs, names for `doc`, recorded runs, and URIs.
functions[_virhai_without_inputs]=$functions[_virhai]
_virhai() {
    local script=${words[(r)*.rhai]} last=${words[CURRENT-1]}
    if [[ -f $script && $PREFIX == -* ]]; then
        compadd -- ${(f)"$($words[1] --offer inputs $script 2>/dev/null)"}
    elif [[ -f $script && $last == --* ]]; then
        compadd -- ${(f)"$($words[1] --offer inputs $script $last 2>/dev/null)"} || _files
    elif [[ $last == (-c|--connect) ]]; then
        compadd -- qemu:///system qemu:///session test:///default
    elif [[ $last == doc && $PREFIX != -* ]]; then
        compadd -- ${(f)"$($words[1] --offer names 2>/dev/null)"}
        _files -/
    elif [[ $last == (show|resume|undo) && $PREFIX != -* ]]; then
        compadd -- ${(f)"$($words[1] --offer runs 2>/dev/null)"}
    else
        _virhai_without_inputs "$@"
    fi
}
