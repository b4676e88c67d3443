# Runs a program in a folder of its own and checks its exit status and its output (both streams together):
#   cmake -DEXIT=N|abort -DARROW='=>'|'=/>' -DREGEX=R -DTIMEOUT=S -DDIRECTORY=D -P run_and_match.cmake -- program args...
include(${CMAKE_CURRENT_LIST_DIR}/lines.cmake)
wedge_command(command)
wedge_regex(REGEX "${REGEX}")

file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
execute_process(COMMAND ${command}
    WORKING_DIRECTORY "${DIRECTORY}"
    TIMEOUT ${TIMEOUT}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)

set(wanted "${EXIT}")
if(wanted STREQUAL "abort")
    set(wanted "Subprocess aborted")
endif()
set(wrong "")
if(NOT status STREQUAL wanted)
    string(APPEND wrong "  exit status: ${status}, wanted: ${wanted}\n")
endif()
if(ARROW STREQUAL "=>" AND NOT output MATCHES "${REGEX}")
    string(APPEND wrong "  the output does not match: ${REGEX}\n")
elseif(ARROW STREQUAL "=/>" AND output MATCHES "${REGEX}")
    string(APPEND wrong "  the output matches, and must not: ${REGEX}\n")
endif()
if(wrong)
    list(JOIN command " " shown)
    message("${output}")
    message(FATAL_ERROR "${shown}\n${wrong}")
endif()
