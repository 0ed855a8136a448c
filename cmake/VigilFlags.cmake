# SPDX-License-Identifier: MIT
# How everything in this tree is compiled.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# A module linked alone reaches what core hides from the users of libvigil.so, so nothing is hidden
# there; that build is about who calls whom.
if(NOT VIGIL_LAYERS)
    set(CMAKE_C_VISIBILITY_PRESET hidden)
    set(CMAKE_CXX_VISIBILITY_PRESET hidden)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Reports and panics name files as the tree does.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)

# The library calls its own functions, whatever a program defines under the same names.
add_compile_options(-fno-semantic-interposition)

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
add_compile_options($<$<C_COMPILER_ID:Clang>:-Wconditional-uninitialized>)
add_compile_definitions(_GNU_SOURCE)
if(VIGIL_DEBUG)
    add_compile_definitions(VG_DEBUG=1 VG_FAULTS=1)
endif()

if(VIGIL_SANITIZE STREQUAL "address")
    set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(VIGIL_SANITIZE STREQUAL "thread")
    # gcc warns about every fence, because its TSan does not model them.
    set(sanitizers -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
elseif(VIGIL_SANITIZE)
    message(FATAL_ERROR "VIGIL_SANITIZE is '${VIGIL_SANITIZE}': use address, thread or nothing")
endif()
if(VIGIL_SANITIZE)
    # gcc sees uninitialised reads in the code that it itself inserted.
    add_compile_options(${sanitizers} -fno-omit-frame-pointer
        $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    add_link_options(${sanitizers})
endif()

# clang's static analyzer, for what an async function's own locals do not survive: calls are not looked into, and two rounds of a
# loop are enough.
set(VIGIL_ANALYZE --analyze -Xclang -analyzer-werror -Xclang -analyzer-output=text
    -Xclang -analyzer-disable-checker=deadcode
    -Xclang -analyzer-config -Xclang ipa=none -Xclang -analyzer-max-loop -Xclang 2)
