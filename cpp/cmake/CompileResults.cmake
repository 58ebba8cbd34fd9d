# The fields of the package's results become C++ in the build tree whenever one of its classes changes.
set(QUANTMAP_COMPILE_RESULTS ${PROJECT_SOURCE_DIR}/cpp/tools/compile_results/__main__.py)
set(QUANTMAP_PACKAGE ${PROJECT_SOURCE_DIR}/python/quantmap)
file(GLOB QUANTMAP_RESULT_SOURCES CONFIGURE_DEPENDS ${QUANTMAP_PACKAGE}/*.py ${QUANTMAP_PACKAGE}/numerics/*.py)
set(QUANTMAP_RESULTS_STAMP ${QUANTMAP_GENERATED_DIR}/results.stamp)
add_custom_command(
  OUTPUT ${QUANTMAP_RESULTS_STAMP}
  BYPRODUCTS ${QUANTMAP_GENERATED_INCLUDE}/quantmap/results/classes.hpp
  COMMAND ${Python3_EXECUTABLE} ${QUANTMAP_COMPILE_RESULTS} ${QUANTMAP_PACKAGE} ${QUANTMAP_GENERATED_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${QUANTMAP_RESULTS_STAMP}
  DEPENDS ${QUANTMAP_COMPILE_RESULTS} ${QUANTMAP_RESULT_SOURCES}
  COMMENT "Reading the classes of results")
add_custom_target(quantmap_results DEPENDS ${QUANTMAP_RESULTS_STAMP})
