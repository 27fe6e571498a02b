# Benchmarks, built only when asked for: `ninja ops_bench`.
find_package(benchmark QUIET)
if(benchmark_FOUND)
  add_executable(ops_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/ops_bench.cc)
  target_compile_options(ops_bench PRIVATE -fPIC)
  target_link_libraries(ops_bench PRIVATE reveille_nn benchmark::benchmark)
  reveille_torch_target(ops_bench)
endif()
