# SPDX-License-Identifier: MIT

set(VIGIL_PRESET "" CACHE STRING "Put before the names of tests, so that several presets can run as one")
if(VIGIL_PRESET)
    set(VIGIL_TEST_PREFIX ${VIGIL_PRESET}/)
endif()

# Sanitizers of programs that do not use the harness; a finding must fail the test.
set(VIGIL_TEST_ENVIRONMENT
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1)

# An emulator has no io_uring, shows no process to a debugger, and is slow: of a build for another processor, these are run.
if(CMAKE_CROSSCOMPILING)
    set(VIGIL_EMULATED "^(checks/fence|core/.*|stress/.*|sync/.*|exhaust/(close|scope|spawn|wakers)\
|instrument/(attach|dump|histogram|snapshot|text)|sim/(combine|exec|exhaust|io|scope|select|sim_s|watch).*)$")
endif()

# The simulator is one thread. What takes long there shows ThreadSanitizer nothing.
if(VIGIL_SANITIZE STREQUAL "thread")
    set(VIGIL_NOT_SANITIZED
        "^(sim/shared_writes|liveness/(crowd|futurelock|lockup|quiet|semaphore|spin|spin_quiet|unarmed))$")
endif()

# vigil_ctest(<name> COMMAND <command>... [LABELS <label>...] [TIMEOUT <seconds>] [SERIAL])
#
# Registers a command as a test: exit code 77 means skipped. Tests labelled long run only on request; no other
# test runs beside a SERIAL one, which measures.
function(vigil_ctest name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "COMMAND;LABELS")
    if((VIGIL_EMULATED AND NOT name MATCHES "${VIGIL_EMULATED}") OR
       (VIGIL_NOT_SANITIZED AND name MATCHES "${VIGIL_NOT_SANITIZED}"))
        return()
    endif()
    set(name ${VIGIL_TEST_PREFIX}${name})
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 RUN_SERIAL ${arg_SERIAL}
        ENVIRONMENT "${VIGIL_TEST_ENVIRONMENT}" LABELS "${arg_LABELS}")
    if(arg_TIMEOUT)
        set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
    endif()
endfunction()

# vigil_test(<area>/<name> SOURCES <file>... [LINKS <library>...] [LABELS <label>...] [TIMEOUT <seconds>])
#
# A test program: its sources, tests/harness.c, tests/support/*.c and the library. It may include private headers:
# those of core by name, those of other modules as "io/ring.h".
function(vigil_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINKS;LABELS")
    string(REPLACE / _ target test_${name})
    get_filename_component(area ${name} DIRECTORY)
    get_filename_component(program ${name} NAME)
    add_executable(${target} ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME test_${program}
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${area})
    target_link_libraries(${target} PRIVATE vigil_test_support ${arg_LINKS})
    vigil_ctest(${name} COMMAND ${target} LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT})
endfunction()

# vigil_tests(<area> [<directory>]): a program and a test of each test_<name>.c there, or in the current directory.
function(vigil_tests area)
    set(files ${ARGN} test_*.c)
    list(JOIN files / files)
    file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${files})
    foreach(file ${files})
        string(REGEX REPLACE ".*test_(.*)\\.c$" "\\1" name ${file})
        vigil_test(${area}/${name} SOURCES ${file})
    endforeach()
endfunction()
