# SPDX-License-Identifier: MIT
# Target tidy: clang-tidy, as .clang-tidy configures it, on every C file of the library and its programs.

find_program(CLANG_TIDY NAMES clang-tidy clang-tidy-14)
if(NOT CLANG_TIDY OR NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    return() # it does not know gcc's options
endif()

file(GLOB_RECURSE headers CONFIGURE_DEPENDS core/*.h sync/*.h io/*.h instrument/*.h)
file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
    core/*.c sync/*.c io/*.c instrument/*.c examples/*.c)
list(FILTER files EXCLUDE REGEX "_none.c$") # for sanitizers, so not part of this build
set(stamps)
foreach(file ${files})
    set(stamp ${PROJECT_BINARY_DIR}/tidy/${file}.ok)
    get_filename_component(dir ${stamp} DIRECTORY)
    file(MAKE_DIRECTORY ${dir})
    add_custom_command(OUTPUT ${stamp} DEPENDS ${file} ${headers} .clang-tidy
        COMMAND ${CLANG_TIDY} --quiet -p ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/${file}
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
        COMMENT "clang-tidy ${file}" VERBATIM)
    list(APPEND stamps ${stamp})
endforeach()
add_custom_target(tidy DEPENDS ${stamps})
