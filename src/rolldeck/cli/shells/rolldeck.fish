# Completion of rolldeck for fish: rolldeck itself says what fits.
function __rolldeck_complete
    set -l answer (command rolldeck __complete (commandline -cp) 2>/dev/null)
    set -l kind (string split -f1 \t -- $answer[1])
    for line in $answer[2..-1]
        echo $line
    end
    switch $kind
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
    end
end
complete -c rolldeck -f -a '(__rolldeck_complete)'
