# nlohmann_json: a CMake package if there is one, else the header of the PyPI wheel `nlohmann-json`.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
find_package(nlohmann_json 3.10 QUIET)
if(nlohmann_json_FOUND)
  get_target_property(QUANTMAP_JSON_INCLUDE nlohmann_json::nlohmann_json INTERFACE_INCLUDE_DIRECTORIES)
else()
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    OUTPUT_VARIABLE QUANTMAP_PURELIB OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  # A build environment of pip is not on sysconfig's path but on CMAKE_PREFIX_PATH and sys.path.
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c "import sys; print(';'.join(p for p in sys.path if p))"
    OUTPUT_VARIABLE QUANTMAP_SYS_PATH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_path(QUANTMAP_JSON_INCLUDE nlohmann/json.hpp
    HINTS ${QUANTMAP_SYS_PATH} ${QUANTMAP_PURELIB}
    PATH_SUFFIXES nlohmann_json/include)
endif()
if(NOT QUANTMAP_JSON_INCLUDE)
  message(FATAL_ERROR
    "nlohmann/json.hpp not found. Install one of:\n"
    "  apt-get install nlohmann-json3-dev\n"
    "  pip install nlohmann-json")
endif()

# pip builds in an environment of another name each time. Headers that stand there are copied into the build tree, and only
# when they changed, so that a second installation compiles no more than what changed, and a compiler cache finds what any
# other build of the same source has compiled.
function(quantmap_keep_headers out from)
  file(GLOB_RECURSE headers RELATIVE ${from} ${from}/*.h ${from}/*.hpp)
  foreach(header IN LISTS headers)
    get_filename_component(folder ${CMAKE_BINARY_DIR}/headers/${header} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    file(COPY_FILE ${from}/${header} ${CMAKE_BINARY_DIR}/headers/${header} ONLY_IF_DIFFERENT)
  endforeach()
  set(${out} ${CMAKE_BINARY_DIR}/headers PARENT_SCOPE)
endfunction()
if(NOT nlohmann_json_FOUND)
  quantmap_keep_headers(QUANTMAP_JSON_INCLUDE ${QUANTMAP_JSON_INCLUDE})
endif()
