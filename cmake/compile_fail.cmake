# Checks that a file is rejected for the expected reason, and that its repaired twin (-DFIXED) compiles:
#   cmake -DREGEX=R -P compile_fail.cmake -- compiler flags... file
include(${CMAKE_CURRENT_LIST_DIR}/lines.cmake)
wedge_command(command)
wedge_regex(REGEX "${REGEX}")

execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
    message(FATAL_ERROR "it compiles, and must not: ${command}")
elseif(NOT output MATCHES "${REGEX}")
    message("${output}")
    message(FATAL_ERROR "it is rejected, but not for this reason: ${REGEX}")
endif()
execute_process(COMMAND ${command} -DFIXED RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "the repaired twin (-DFIXED) does not compile")
endif()
