
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
        virhai --offer inputs (__virhai_script) $last 2>/dev/null
    end
    virhai --offer inputs (__virhai_script) 2>/dev/null
end
complete -c virhai -n __virhai_script -a '(__virhai_inputs)'

# Offers names for `doc`, recorded runs, and URIs.
complete -c virhai -n '__fish_seen_subcommand_from doc' -a '(virhai --offer names 2>/dev/null)'
complete -c virhai -n '__fish_seen_subcommand_from show resume undo' -f -a '(virhai --offer runs 2>/dev/null)'
complete -c virhai -s c -l connect -x -a 'qemu:///system qemu:///session test:///default'
