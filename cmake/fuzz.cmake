# libFuzzer programs under ASan and UBSan: every fuzz/NAME_fuzz.cc, linked with the rooms that it
# includes; its seeds are the files of fuzz/seeds/NAME/. The preset `fuzz` configures this;
# tools/fuzz.sh builds and runs all of them.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "REVEILLE_FUZZ needs clang++ (libFuzzer); this is ${CMAKE_CXX_COMPILER_ID}. "
                      "Use: cmake --preset fuzz")
endif()

# clang does not know `#pragma GCC target`, by which each kernel file chooses its instruction set. Options for the whole
# file would let functions of the standard library out with it that other CPUs cannot run, so they are for this build.
set(avx2 -mavx2 -mfma -Wno-unknown-pragmas)
set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq)
set_source_files_properties(src/nn/kernels_avx2.cc PROPERTIES COMPILE_OPTIONS "${avx2}")
set_source_files_properties(src/nn/kernels_avx512.cc PROPERTIES COMPILE_OPTIONS "${avx512}")
set_source_files_properties(src/nn/kernels_bf16.cc PROPERTIES COMPILE_OPTIONS "${avx512};-mavx512bf16")
set_source_files_properties(src/nn/kernels_amx.cc PROPERTIES COMPILE_OPTIONS "${avx512};-mavx512bf16;-mamx-tile;-mamx-bf16")

add_custom_target(fuzz_targets)
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.cc)
foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM name)
  file(STRINGS ${source} includes REGEX "^#include \"[a-z]+/")
  list(TRANSFORM includes REPLACE "^#include \"([a-z]+)/.*" "reveille_\\1" OUTPUT_VARIABLE rooms)
  list(REMOVE_DUPLICATES rooms)
  add_executable(${name} ${source})
  # Headers of io reach torch's, which rooms do not hand on (cmake/rooms.cmake).
  target_link_libraries(${name} PRIVATE ${rooms} torch_wheel)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endforeach()
