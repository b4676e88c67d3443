# Reads instructions from comments, for the build and its scripts.
#
# Brackets and semicolons of regular expressions break CMake's lists. Text from a comment therefore has control characters
# in their place until wedge_plain() replaces them.
string(ASCII 1 WEDGE_OPENING)
string(ASCII 2 WEDGE_CLOSING)
string(ASCII 3 WEDGE_SEMICOLON)

# Sets OUT to the list of those lines of FILE that match REGEX.
function(wedge_lines out file regex)
    file(READ "${file}" text)
    string(REPLACE "[" "${WEDGE_OPENING}" text "${text}")
    string(REPLACE "]" "${WEDGE_CLOSING}" text "${text}")
    string(REPLACE ";" "${WEDGE_SEMICOLON}" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    list(FILTER text INCLUDE REGEX "${regex}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Sets OUT to TEXT as the comment has it.
function(wedge_plain out text)
    string(REPLACE "${WEDGE_OPENING}" "[" text "${text}")
    string(REPLACE "${WEDGE_CLOSING}" "]" text "${text}")
    string(REPLACE "${WEDGE_SEMICOLON}" ";" text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Sets OUT to the regular expression in TEXT, with line ends for \n, which CMake's do not know.
function(wedge_regex out text)
    wedge_plain(text "${text}")
    string(REPLACE "\\n" "\n" text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Sets OUT to the words after `--` on the command line of a script, ready for execute_process().
function(wedge_command out)
    set(words)
    set(seen FALSE)
    math(EXPR last "${CMAKE_ARGC} - 1")
    foreach(i RANGE ${last})
        if(seen)
            wedge_plain(word "${CMAKE_ARGV${i}}")
            string(REPLACE ";" "\\;" word "${word}")
            list(APPEND words "${word}")
        elseif(CMAKE_ARGV${i} STREQUAL "--")
            set(seen TRUE)
        endif()
    endforeach()
    set(${out} "${words}" PARENT_SCOPE)
endfunction()
