# What a build costs. Most units are called a few times a run: -Og takes two thirds of the time of -O1, and gives two thirds of its
# code when functions that are called once are inlined. The headers that most of them include are precompiled. A unit in
# which a caller's time is spent is compiled at another level.
option(QUANTMAP_PRECOMPILE "Precompile the headers that nearly every source includes" ON)

function(quantmap_speed target header) # another level may follow
  if(ARGN)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${ARGN}>)
  else()
    target_compile_options(${target} PRIVATE "$<$<CONFIG:Release>:-Og;$<$<CXX_COMPILER_ID:GNU>:-finline-functions-called-once>>")
  endif()
  if(QUANTMAP_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${header})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)  # ccache needs it
    else()
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endfunction()

# A module of Python exports one name: no other is looked up when it is loaded. And where pointers of tables point is written down in
# a word for many of them instead of three for each, a tenth of the wheel: programs older than glibc 2.36 cannot read that, so it is done
# where the wheel is built for this system or a newer one.
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)
function(quantmap_packed target)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    return()
  endif()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/exported.map "{ global: PyInit_${target}; local: *; };\n")
  target_link_options(${target} PRIVATE "LINKER:--version-script=${CMAKE_CURRENT_BINARY_DIR}/exported.map")
  check_cxx_source_compiles("#include <features.h>\n#if !__GLIBC_PREREQ(2, 36)\n#error older\n#endif\nint main() {}" QUANTMAP_NEW_GLIBC)
  check_linker_flag(CXX "LINKER:-z,pack-relative-relocs" QUANTMAP_PACKS_RELOCATIONS)
  if(QUANTMAP_NEW_GLIBC AND QUANTMAP_PACKS_RELOCATIONS)
    target_link_options(${target} PRIVATE "LINKER:-z,pack-relative-relocs")
  endif()
endfunction()

# Where a build happens once, as when pip installs, the sources of one folder are compiled in batches: what they share of templates
# is made once a batch. Elsewhere each is compiled alone: a change costs one source, and none uses what it does not include.
option(QUANTMAP_BATCHES "Compile the sources of a folder in batches" ${QUANTMAP_DRIVEN_BY_PIP})
function(quantmap_batches target size)
  if(NOT QUANTMAP_BATCHES)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP UNITY_BUILD_RELOCATABLE ON)
  set(last "")
  foreach(source IN LISTS ARGN)
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(room ${folder} NAME)
    if(NOT room STREQUAL last)
      set(last ${room})
      set(count 0)
    endif()
    math(EXPR batch "${count} / ${size}")
    math(EXPR count "${count} + 1")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${room}_${batch})
  endforeach()
endfunction()
