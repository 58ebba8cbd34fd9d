# What a build costs. Most units are called a few times a run and are compiled at -O1, with the headers that nearly all of
# them include precompiled; a unit in which a caller's time is spent says so with quantmap_hot.
option(QUANTMAP_PRECOMPILE "Precompile the headers that nearly every source includes" ON)

function(quantmap_speed target header)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(QUANTMAP_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${header})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)  # ccache needs it
    else()
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endfunction()

# Units at -O3, each beside the precompiled headers, which hold for one level only.
function(quantmap_hot)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
endfunction()
