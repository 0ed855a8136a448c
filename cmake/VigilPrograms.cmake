# SPDX-License-Identifier: MIT

# Everything that ./run needs.
add_custom_target(programs)

# vigil_program(<name> SOURCES <file>... [LINKS <library>...])
function(vigil_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE vigil::vigil vigil::jemalloc vigil::symbols ${arg_LINKS})
    target_link_options(${name} PRIVATE -Wl,--as-needed)
    add_dependencies(programs ${name})
endfunction()
