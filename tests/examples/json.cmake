# SPDX-License-Identifier: MIT
# cmake -D file=<file> -D path="<member> <member>..." -P json.cmake: prints a value of a JSON file.
file(READ ${file} text)
separate_arguments(path)
string(JSON value ERROR_VARIABLE error GET "${text}" ${path})
if(error)
    message(FATAL_ERROR "${file}: ${error}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${value}")
