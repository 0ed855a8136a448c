# SPDX-License-Identifier: MIT

# Everything that ./run needs.
add_custom_target(programs)

# vigil_program(<name> SOURCES <file>... [LINKS <library>...])
function(vigil_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE vigil::vigil vigil::jemalloc ${arg_LINKS})
    target_link_options(${name} PRIVATE -Wl,--as-needed)
    add_dependencies(programs ${name})
endfunction()

# vigil_programs([LINKS <library>...])
#
# Every C file of this directory that defines main() is a program of its own name; the others, but for
# bench_*.c, are what those programs share.
function(vigil_programs)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "LINKS")
    file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.c)
    list(FILTER files EXCLUDE REGEX "^bench_")
    set(programs)
    set(shared)
    foreach(file ${files})
        file(STRINGS ${file} main REGEX "^int main\\(" LIMIT_COUNT 1)
        if(main)
            list(APPEND programs ${file})
        else()
            list(APPEND shared ${file})
        endif()
    endforeach()
    foreach(file ${programs})
        get_filename_component(name ${file} NAME_WE)
        vigil_program(${name} SOURCES ${file} ${shared} LINKS ${arg_LINKS})
    endforeach()
endfunction()
