
# Offers the inputs of the script that the command line runs.
function __virhai_script
    for word in (commandline -opc)
        if string match -q '*.rhai' -- $word; and test -f $word
            echo $word
            return 0
        end
    end
    return 1
end
function __virhai_inputs
    set -l last (commandline -opc)[-1]
    if string match -q -- '--*' $last
        virhai --offer-inputs (__virhai_script) $last 2>/dev/null
    end
    virhai --offer-inputs (__virhai_script) 2>/dev/null
end
complete -c virhai -n __virhai_script -a '(__virhai_inputs)'
