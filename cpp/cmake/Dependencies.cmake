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
