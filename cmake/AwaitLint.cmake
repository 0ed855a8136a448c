# SPDX-License-Identifier: MIT
# Target await-lint: finds locals that are expected to survive an await, which they do not.
#
# clang's -Wsometimes- and -Wconditional-uninitialized see scalars; only its static analyzer sees structures and arrays. gcc
# sees some of them, and only with optimisation. Every file that defines an async function is checked.

find_program(CLANG NAMES clang clang-14)
if(NOT CLANG)
    message(STATUS "clang not found: no target await-lint")
    return()
endif()

file(GLOB_RECURSE candidates CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
    core/*.c sync/*.c io/*.c instrument/*.c examples/*.c bench/*.c tests/*.c)
list(FILTER candidates EXCLUDE REGEX "^tests/misuse/")

set(flags -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -Wconditional-uninitialized -Werror)
foreach(dir . core/include sync/include io/include instrument/include core/seam tests tests/support
        core sync io instrument)
    list(APPEND flags -I${PROJECT_SOURCE_DIR}/${dir})
endforeach()

set(stamps)
foreach(file ${candidates})
    file(STRINGS ${file} async REGEX "^VG_ASYNC\\(" LIMIT_COUNT 1)
    if(NOT async)
        continue()
    endif()
    set(stamp ${PROJECT_BINARY_DIR}/await-lint/${file})
    get_filename_component(dir ${stamp} DIRECTORY)
    file(MAKE_DIRECTORY ${dir})
    add_custom_command(OUTPUT ${stamp}.ok DEPFILE ${stamp}.d DEPENDS ${file}
        COMMAND ${CLANG} ${flags} -fsyntax-only ${PROJECT_SOURCE_DIR}/${file}
        COMMAND ${CLANG} ${flags} ${VIGIL_ANALYZE} ${PROJECT_SOURCE_DIR}/${file}
        COMMAND ${CLANG} ${flags} -MM -MF ${stamp}.d -MT await-lint/${file}.ok
                ${PROJECT_SOURCE_DIR}/${file}
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}.ok
        COMMENT "await-lint ${file}" VERBATIM)
    list(APPEND stamps ${stamp}.ok)
endforeach()
add_custom_target(await-lint DEPENDS ${stamps})
