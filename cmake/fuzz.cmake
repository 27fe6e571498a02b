# libFuzzer programs under ASan and UBSan: every fuzz/NAME_fuzz.cc, linked with the rooms that it
# includes; its seeds are the files of fuzz/seeds/NAME/. The preset `fuzz` configures this;
# tools/fuzz.sh builds and runs all of them.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "REVEILLE_FUZZ needs clang++ (libFuzzer); this is ${CMAKE_CXX_COMPILER_ID}. "
                      "Use: cmake --preset fuzz")
endif()

add_custom_target(fuzz_targets)
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.cc)
foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM name)
  file(STRINGS ${source} includes REGEX "^#include \"[a-z]+/")
  list(TRANSFORM includes REPLACE "^#include \"([a-z]+)/.*" "reveille_\\1" OUTPUT_VARIABLE rooms)
  list(REMOVE_DUPLICATES rooms)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${rooms} torch_wheel)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endforeach()
