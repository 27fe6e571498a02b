# libtorch from the Python wheel. find_package(Torch) is not used: with a CUDA wheel it stops
# when no CUDA toolkit is installed, and we only link the shared libraries.
# The environment's choice is kept: ninja configures again by itself, in whatever environment.
set(REVEILLE_TORCH "$ENV{REVEILLE_TORCH}" CACHE PATH "the folder that holds libtorch's include/ and lib/")
if(NOT REVEILLE_TORCH)
  if(Torch_DIR)
    cmake_path(SET REVEILLE_TORCH NORMALIZE ${Torch_DIR}/../../..)
  elseif(DEFINED ENV{Torch_DIR})
    cmake_path(SET REVEILLE_TORCH NORMALIZE $ENV{Torch_DIR}/../../..)
  else()
    file(GLOB candidates ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
    if(candidates)
      list(GET candidates 0 REVEILLE_TORCH)
    endif()
  endif()
endif()
if(NOT EXISTS ${REVEILLE_TORCH}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "libtorch not found (looked in '${REVEILLE_TORCH}'). Run 'make build', which "
                      "installs it, or set REVEILLE_TORCH to a folder that holds include/ and lib/.")
endif()
file(STRINGS ${REVEILLE_TORCH}/include/torch/headeronly/version.h version_lines REGEX "TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
if(NOT version_lines)
  file(STRINGS ${REVEILLE_TORCH}/include/torch/csrc/api/include/torch/version.h version_lines REGEX "TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
endif()
string(REGEX REPLACE "[^0-9;]" "" REVEILLE_TORCH_VERSION "${version_lines}")
string(REPLACE ";" "." REVEILLE_TORCH_VERSION "${REVEILLE_TORCH_VERSION}")
message(STATUS "libtorch ${REVEILLE_TORCH_VERSION} in ${REVEILLE_TORCH}")

# clang would need a runtime of its own, and a fuzz target needs no second thread.
if(NOT REVEILLE_FUZZ)
  find_package(OpenMP REQUIRED)
endif()

add_library(torch_wheel INTERFACE)
target_include_directories(torch_wheel SYSTEM INTERFACE
  ${REVEILLE_TORCH}/include ${REVEILLE_TORCH}/include/torch/csrc/api/include)
# Without -fopenmp, at::parallel_for silently runs on one thread.
if(NOT REVEILLE_FUZZ)
  target_link_libraries(torch_wheel INTERFACE OpenMP::OpenMP_CXX)
endif()
target_link_directories(torch_wheel INTERFACE ${REVEILLE_TORCH}/lib)
# The run path is ours alone: cmake's own would put the compiler's folders first, and with them
# a second libgomp beside the wheel's.
set(CMAKE_SKIP_RPATH ON)
target_link_options(torch_wheel INTERFACE "LINKER:-rpath,${REVEILLE_TORCH}/lib" "LINKER:--disable-new-dtags")
# A CUDA wheel's own libraries (cublas, cudnn, nccl, ...) are wheels beside torch. libtorch_cuda
# finds those that it names; these paths are for the ones that are opened while running. What
# they lack in turn (the driver) need not be here to link.
file(GLOB nvidia_folders ${REVEILLE_TORCH}/../nvidia/*/lib)
foreach(folder IN LISTS nvidia_folders)
  cmake_path(NORMAL_PATH folder)
  target_link_options(torch_wheel INTERFACE "LINKER:-rpath,${folder}")
endforeach()
target_link_options(torch_wheel INTERFACE "LINKER:--allow-shlib-undefined")
set(torch_libraries torch torch_cpu c10)
foreach(cuda_library torch_cuda c10_cuda)
  if(EXISTS ${REVEILLE_TORCH}/lib/lib${cuda_library}.so)
    list(APPEND torch_libraries ${cuda_library})
  endif()
endforeach()
# libtorch_cuda registers itself when it is loaded; nothing refers to it by name.
target_link_options(torch_wheel INTERFACE "LINKER:--no-as-needed")
foreach(library IN LISTS torch_libraries)
  target_link_libraries(torch_wheel INTERFACE ${REVEILLE_TORCH}/lib/lib${library}.so)
endforeach()
