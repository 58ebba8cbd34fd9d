# The warnings every hand-written target is built with.
function(quantmap_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wcast-align)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow)  # false alarms: gcc.gnu.org/bugzilla/show_bug.cgi?id=105651
  endif()
  if(QUANTMAP_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
