# SPDX-License-Identifier: MIT

# vigil_module(<name> [NEEDS <module>...] [LINKS <library>...] [EXCEPT <file>...])
#
# The only way to add code to the library. The module consists of the C files of the current
# directory and of its seam/. Its public headers are in include/; those beside the sources are reached by
# no other module. It sees the public headers of the modules it NEEDS, and of no others.
#
# With VIGIL_LAYERS the module is also linked alone, as a shared library, against only its NEEDS, so that
# a call upwards fails even if somebody declared the function by hand.
function(vigil_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "NEEDS;LINKS;EXCEPT")
    file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.c seam/*.c)
    if(arg_EXCEPT)
        list(REMOVE_ITEM sources ${arg_EXCEPT})
    endif()
    list(TRANSFORM arg_NEEDS PREPEND vigil_ OUTPUT_VARIABLE needs)

    add_library(vigil_${name} OBJECT ${sources})
    target_include_directories(vigil_${name} PUBLIC include PRIVATE .)
    target_link_libraries(vigil_${name} PUBLIC ${needs} PRIVATE Threads::Threads ${arg_LINKS})
    set_property(GLOBAL APPEND PROPERTY VIGIL_MODULES ${name})
    set_property(GLOBAL APPEND PROPERTY VIGIL_LINKS ${arg_LINKS})

    if(VIGIL_LAYERS)
        list(TRANSFORM needs APPEND _alone)
        add_library(vigil_${name}_alone SHARED $<TARGET_OBJECTS:vigil_${name}>)
        target_link_libraries(vigil_${name}_alone PRIVATE ${needs} Threads::Threads ${arg_LINKS})
        target_link_options(vigil_${name}_alone PRIVATE -Wl,--no-undefined)
    endif()
endfunction()
