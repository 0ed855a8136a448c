# SPDX-License-Identifier: MIT
#
# Compiles one program of misuse/, which must fail with the message that it quotes in a comment:
#
#     cmake -DFILE=misuse/x.c -DKIND=gcc|clang|analyze "-DCOMMAND=cc -Iinclude..." -P misuse.cmake
#
# Without a comment for this kind the program must compile without any message: that is the control.

separate_arguments(command UNIX_COMMAND "${COMMAND}")
set(ENV{LC_ALL} C) # plain quotes in gcc's messages
execute_process(COMMAND ${command} ${FILE}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

file(STRINGS ${FILE} expected REGEX "^/\\* expect-${KIND}: ")
list(TRANSFORM expected REPLACE "^/\\* expect-${KIND}: (.*) \\*/$" "\\1")

if(NOT expected AND (output OR NOT result EQUAL 0))
    message(FATAL_ERROR "should have compiled in silence:\n${output}")
endif()
if(expected AND result EQUAL 0)
    message(FATAL_ERROR "compiled, but should have failed")
endif()
foreach(message IN LISTS expected)
    string(FIND "${output}" "${message}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "no \"${message}\" in:\n${output}")
    endif()
endforeach()
