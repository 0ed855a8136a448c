# SPDX-License-Identifier: MIT
# libvigil.a and libvigil.so from the objects of all modules, and what is installed beside them.
include(CMakePackageConfigHelpers)

# The modules are optimised as one, across files, and become one ordinary object: users need not know, and their
# links take no longer. Resuming a future is a chain of small functions in several files, so this matters; and at
# -O2 gcc leaves too many of them alone.
function(vigil_combine result)
    get_property(modules GLOBAL PROPERTY VIGIL_MODULES)
    set(object ${PROJECT_BINARY_DIR}/vigil_combined.o)
    set(objects)
    foreach(module ${modules})
        target_compile_options(vigil_${module} PRIVATE -O3 -flto)
        list(APPEND objects $<TARGET_OBJECTS:vigil_${module}>)
    endforeach()
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
    add_custom_command(OUTPUT ${object} DEPENDS ${objects} VERBATIM COMMAND_EXPAND_LISTS
        COMMAND ${CMAKE_C_COMPILER} ${flags} -O3 -fPIC -fno-semantic-interposition -r -flto=auto -flinker-output=nolto-rel
            -o ${object} ${objects})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    set(${result} ${object} PARENT_SCOPE)
endfunction()

function(vigil_library)
    get_property(modules GLOBAL PROPERTY VIGIL_MODULES)
    get_property(links GLOBAL PROPERTY VIGIL_LINKS)
    set(objects ${modules})
    list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:vigil_\\1>")
    set(headers ${modules})
    list(TRANSFORM headers REPLACE "(.+)" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/\\1/include>")

    if(VIGIL_COMBINE)
        vigil_combine(objects)
        add_custom_target(vigil_combined DEPENDS ${objects})
    endif()
    add_library(vigil STATIC ${objects})
    add_library(vigil_shared SHARED ${objects})
    set_target_properties(vigil vigil_shared PROPERTIES LINKER_LANGUAGE C)
    if(VIGIL_COMBINE) # both would make it otherwise, at the same time
        add_dependencies(vigil vigil_combined)
        add_dependencies(vigil_shared vigil_combined)
    endif()
    set_target_properties(vigil_shared PROPERTIES OUTPUT_NAME vigil EXPORT_NAME shared
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    foreach(library vigil vigil_shared)
        target_include_directories(${library} PUBLIC ${headers}
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${library} PUBLIC Threads::Threads PRIVATE ${links})
        target_compile_features(${library} PUBLIC c_std_11)
    endforeach()
    add_library(vigil::vigil ALIAS vigil)
    add_library(vigil::shared ALIAS vigil_shared)

    # For tests and benchmarks of what users do not see: core's headers by name, others as "io/ring.h".
    add_library(vigil_private INTERFACE)
    target_link_libraries(vigil_private INTERFACE vigil)
    target_include_directories(vigil_private INTERFACE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/core ${PROJECT_SOURCE_DIR}/core/seam)

    set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vigil)
    configure_package_config_file(cmake/vigilConfig.cmake.in vigilConfig.cmake
        INSTALL_DESTINATION ${config_dir})
    write_basic_package_version_file(vigilConfigVersion.cmake COMPATIBILITY SameMinorVersion)
    cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
    cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
    configure_file(cmake/vigil.pc.in vigil.pc @ONLY)
    install(TARGETS vigil vigil_shared vigil_jemalloc vigil_symbols EXPORT vigil)
    install(EXPORT vigil NAMESPACE vigil:: FILE vigilTargets.cmake DESTINATION ${config_dir})
    install(FILES ${PROJECT_BINARY_DIR}/vigilConfig.cmake
        ${PROJECT_BINARY_DIR}/vigilConfigVersion.cmake DESTINATION ${config_dir})
    install(FILES ${PROJECT_SOURCE_DIR}/instrument/vigil-gdb.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/vigil)
    install(FILES ${PROJECT_BINARY_DIR}/vigil.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    foreach(module ${modules})
        install(DIRECTORY ${module}/include/vigil DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endforeach()
endfunction()
